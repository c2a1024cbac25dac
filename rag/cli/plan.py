"""`rag plan`: what a corpus needs of memory, disk, machines and hours. Knows options and printing; `rag.planning` computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import Json

if TYPE_CHECKING:
    from rag.planning.plan import Plan


def plan(
    passages: Annotated[str, typer.Option(help="Text passages: 50M, 2.5k, 1B.")] = "0",
    pages: Annotated[str, typer.Option(help="Pages of PDFs and slides, one passage each.")] = "0",
    frames: Annotated[str, typer.Option(help="Photos and moments of videos, one passage each.")] = "0",
    model: Annotated[
        str, typer.Option(help="Embedding model: a Qwen3 model's name, a checkpoint's folder, or lite.")
    ] = "Qwen/Qwen3-VL-Embedding-2B",
    dim: Annotated[int, typer.Option(help="Vector length; 0: the model's own.", min=0)] = 0,
    qps: Annotated[float, typer.Option(help="Queries a second, at the busiest.", min=0)] = 1.0,
    candidates: Annotated[int, typer.Option(help="Passages reranked for a query; 0: no reranker.", min=0, max=10_000)] = 100,
    accelerators: Annotated[int, typer.Option(help="Accelerators that embed.", min=1)] = 1,
    tokens_per_second: Annotated[
        float, typer.Option(help="What one accelerator embeds, as `rag bench` measured it; 0: from published figures.", min=0)
    ] = 0.0,
    index_kind: Annotated[
        list[str] | None, typer.Option(help="FLAT, HNSW, IVF_SQ8, IVF_RABITQ (repeatable). Default: all.", metavar="KIND")
    ] = None,
    memory: Annotated[str, typer.Option(help="Memory of one machine or node.")] = "64G",
    disk: Annotated[str, typer.Option(help="Its fast local disk.")] = "1T",
    cores: Annotated[int, typer.Option(help="Its cores.", min=1)] = 16,
    replicas: Annotated[int, typer.Option(help="Copies of the index in Milvus' query nodes.", min=1)] = 2,
    json: Json = False,
) -> None:
    """Calculate memory, disk, nodes and hours for a corpus, in a folder and in Milvus; nothing is measured or started.

    Every figure has its formula, its source, and whether it is computed, measured, published or an estimate.
    """
    from rag.planning.amounts import parse_count
    from rag.planning.plan import plan_for
    from rag.planning.workload import Machine, Workload, dim_of

    load = Workload(
        texts=parse_count(passages, "--passages"),
        pages=parse_count(pages, "--pages"),
        frames=parse_count(frames, "--frames"),
        model=model,
        dim=dim_of(model, dim),
        qps=qps,
        candidates=candidates,
        accelerators=accelerators,
        tokens_per_second=tokens_per_second,
        machine=Machine(_bytes(memory, "--memory"), _bytes(disk, "--disk"), cores),
        replicas=replicas,
    )
    found = plan_for(load, index_kind or ())
    _print_json(found) if json else _print(found)


def _bytes(text: str, name: str) -> int:
    from rag.config import parse_bytes
    from rag.errors import WrongRequest

    try:
        found = int(parse_bytes(text))
    except ValueError:
        found = 0
    if found <= 0:
        raise WrongRequest(f"{name} {text!r} is not a size", remedy="write it like 64G or 1T")
    return found


def _print(found: Plan) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from rag.cli.terminal import harmless
    from rag.planning.amounts import amount_shown, count_shown

    load, has = found.load, found.load.machine
    console = Console(highlight=False)
    machine = f"{amount_shown(has.memory, 'bytes')} of memory, {amount_shown(has.disk, 'bytes')} of disk, {has.cores} cores"
    asked = (
        f"{count_shown(load.passages)} passages × {load.dim:,} dimensions ({harmless(load.model)}), {load.qps:g} queries a second"
    )
    said = {"yes": "One machine is enough", "perhaps": "One machine may be enough", "no": "One machine is not enough"}
    console.print(f"{asked}. A machine has {machine}.", f"{said[found.enough]}: {'; '.join(found.why)}.", sep="\n", markup=False)
    sources = list(dict.fromkeys(figure.source for figure in found.figures))
    for part in dict.fromkeys(figure.part for figure in found.figures):
        table = Table(title=f"\n{part}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for name, more in (("", {"no_wrap": True}), ("", {"no_wrap": True, "justify": "right"}), ("formula", {}), ("from", {})):
            table.add_column(name, **more)
        for figure in found.figures:
            if figure.part == part:
                source = f"{figure.standing} {sources.index(figure.source) + 1}"
                table.add_row(figure.name, amount_shown(figure.amount, figure.unit), figure.formula, source)
        console.print(table, markup=False)
    for number, source in enumerate(sources, 1):
        console.print(f"{number:>2}  {source}", markup=False)
    console.print("", "Not known:", *(f"- {one}" for one in found.unknown), sep="\n", markup=False)


def _print_json(found: Plan) -> None:
    import json
    from dataclasses import asdict

    load = asdict(found.load) | {"passages": found.load.passages}
    told = {
        "workload": load,
        "one_machine": {"enough": found.enough, "why": list(found.why)},
        "figures": [asdict(figure) for figure in found.figures],
        "unknown": list(found.unknown),
    }
    print(json.dumps(told, ensure_ascii=False, indent=2))
