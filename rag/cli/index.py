"""`rag index`: bring an index up to date with folders. Knows options and printing; the work is `rag.indexing.build`'s."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.left_out import print_ignored
from rag.cli.options import Backend, Dim, Family, Index, Json, Model, Url
from rag.cli.terminal import harmless, say

if TYPE_CHECKING:
    from rag.indexing.report import Report
    from rag.types import Skipped

SHOWN = 20  # reasons of skipped files
FORMATS = ("text", "json", "jsonl")
NAMED = 3  # files named under each; `rag status` lists them all
LITE = (
    "lite: words, n-grams, colours and shapes, no neural embeddings; "
    "other models: rag index --rebuild --model NAME (see README, section Models)"
)


def index(
    folders: Annotated[list[str] | None, typer.Argument(help="Folders to index. None: every folder the index knows.")] = None,
    index: Index = "",
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and index what changes within two seconds.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Read everything anew, and then take the place of the old index.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 5 when documents were skipped.")] = False,
    format: Annotated[str, typer.Option(help="text, json, or jsonl: progress and report, one object a line.")] = "text",
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and not which model a new index has.")] = False,
    backend: Backend = None,
    model: Model = None,
    family: Family = None,
    url: Url = None,
    dim: Dim = None,
    ocr: Annotated[str | None, typer.Option(help="Read text in pictures: auto, always, never.")] = None,
    clues: Annotated[str | None, typer.Option(help="What is known beside pixels: ocr,caption,path,date.")] = None,
    frames: Annotated[str | None, typer.Option(help="Frames of a video: keyframes (fast), uniform.")] = None,
    frame_seconds: Annotated[float | None, typer.Option(help="At most one frame in this many seconds.")] = None,
    frames_per_minute: Annotated[float | None, typer.Option(help="The same the other way round.", min=0.02, max=600)] = None,
    kinds: Annotated[str | None, typer.Option(help="Read only text,page,image,screenshot,frame; the rest stays.")] = None,
    ignore: Annotated[
        bool | None,
        typer.Option("--ignore/--no-ignore", help="Leave out what .gitignore names, or read it; kept until changed."),
    ] = None,
    passage_characters: Annotated[int | None, typer.Option(help="The longest text passage.")] = None,
    max_pixels: Annotated[int | None, typer.Option(help="Decode pictures down to this many pixels.")] = None,
    max_source_pixels: Annotated[int | None, typer.Option(help="Skip pictures with more pixels.")] = None,
    max_file_bytes: Annotated[str | None, typer.Option(help="Skip larger files.")] = None,
    max_file_size: Annotated[str | None, typer.Option(help="The same, written as 8G or 500M.")] = None,
    max_text_bytes: Annotated[str | None, typer.Option(help="Skip larger text files.")] = None,
    max_pages: Annotated[int | None, typer.Option(help="Skip PDFs with more pages.")] = None,
    jobs: Annotated[str | None, typer.Option(help="Processes that read files: auto, or how many; 0 reads in this one.")] = None,
    max_memory: Annotated[str | None, typer.Option(help="Memory to stay within, such as 8G.")] = None,
    commit_seconds: Annotated[float | None, typer.Option(help="Commit this often.")] = None,
) -> None:
    """Index folders of text, PDFs, images, screenshots and videos; later runs read only what changed."""
    from json import dumps

    from rag.cli.progress import json_line, telling
    from rag.config import load_settings
    from rag.errors import DOCUMENTS_SKIPPED, WrongRequest
    from rag.index.files.layout import is_index
    from rag.index.locations import index_folder, is_lite, warm_up
    from rag.indexing.build import build_index

    wanted = "json" if json else format
    if wanted not in FORMATS:
        raise WrongRequest(f"no format is called {wanted!r}", remedy=f"the formats are: {', '.join(FORMATS)}")
    folder = index_folder(load_settings({"index": index or None}).index)
    fresh = not is_index(folder)
    settings: dict[str, Any] = {
        "backend": backend,
        "model": model,
        "family": family,
        "url": url or None,
        "dim": dim,
        "ocr": ocr,
        "clues": clues,
        "frames": frames,
        "frame_seconds": 60 / frames_per_minute if frames_per_minute else frame_seconds,
        "kinds": kinds.split(",") if kinds else (),
        "ignore": None if ignore is None else "gitignore,ragignore" if ignore else "ragignore",
        "passage_characters": passage_characters,
        "max_pixels": max_pixels,
        "max_source_pixels": max_source_pixels,
        "max_file_bytes": max_file_size or max_file_bytes,
        "max_text_bytes": max_text_bytes,
        "max_pages": max_pages,
        "jobs": jobs,
        "max_memory": max_memory,
        "commit_seconds": commit_seconds,
    }
    if dry_run:
        _foretell(folders or [], index, rebuild or watch, wanted, settings)
        return
    if watch:
        _follow(folders or [], index, rebuild, quiet, wanted, settings)
        return
    with telling("" if quiet else wanted) as tell:
        report = build_index(*(folders or []), index=index, rebuild=rebuild, tell=tell, say=_unsaid if quiet else say, **settings)
    for remark in warm_up(folder, say):
        say(f"note: {remark}")
    if fresh and not quiet and is_lite(folder):
        say(LITE)
    if wanted == "text":
        _print(report, folder)
    elif wanted == "json":
        print(dumps(_json(report), ensure_ascii=False, indent=2))
    else:
        json_line({"event": "report", **_json(report)})
    if strict and report.skipped:
        raise typer.Exit(DOCUMENTS_SKIPPED)


def _unsaid(_: str) -> None:
    """Says nothing."""


def _foretell(folders: list[str], index: str, is_other: bool, wanted: str, settings: dict[str, Any]) -> None:
    """What a run would do, and how long at the rate of the last one."""
    from dataclasses import asdict
    from json import dumps

    from rag.cli.progress import json_line
    from rag.errors import WrongRequest
    from rag.indexing.plan import plan_index

    if is_other:
        raise WrongRequest("--dry-run does not go with --rebuild or --watch", remedy="a rebuild reads every document again")
    plan = plan_index(*folders, index=index, **settings)
    if wanted != "text":
        value = asdict(plan) | {"skipped": _skipped(plan.skipped)}
        print(dumps(value, ensure_ascii=False, indent=2)) if wanted == "json" else json_line({"event": "plan", **value})
        return
    for note in plan.notes:
        say(f"note: {note}")
    for name, families in (("new", plan.new), ("changed", plan.changed)):
        print(f"{name}: {', '.join(f'{count} {family}' for family, count in sorted(families.items())) or 'none'}")
    print(f"gone: {plan.gone}, unchanged: {plan.unchanged}, to read: {plan.megabytes:.1f} MB")
    print_ignored(plan.ignored)
    print(f"passages, each at most one for the model: {'at least' if plan.unknown else 'about'} {plan.passages}")
    if plan.unknown:
        alike = ", ".join(f"{count} {family}" for family, count in sorted(plan.unknown.items()))
        print(f"of unknown length, because this index holds none alike: {alike}; so the time is not known either")
    elif plan.passages:
        told = "not known: no long run was measured yet" if plan.seconds is None else f"about {_lasting(plan.seconds)}"
        print(f"time, at the rate of the last long run: {told}")
    _print_skipped(plan.skipped)


def _lasting(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h"


def _follow(folders: list[str], index: str, rebuild: bool, quiet: bool, wanted: str, settings: dict[str, Any]) -> None:
    """Follows the folders until Ctrl-C; a line, or a JSON object, for each run that changed something."""
    import signal

    from rag.cli.progress import json_line
    from rag.config import load_settings
    from rag.errors import Interrupted, WrongRequest
    from rag.index.locations import index_folder
    from rag.indexing.watch import watch_index

    if rebuild or wanted == "json":
        other = "--rebuild" if rebuild else "--format json"
        raise WrongRequest(f"--watch does not go with {other}", remedy="rebuild first; for programs: --format jsonl")

    def seen(report: Report) -> None:
        if wanted == "jsonl":
            json_line({"event": "report", **_json(report)})
        else:
            _print(report, index_folder(load_settings({"index": index or None}).index))

    # A shell starts background jobs with SIGINT ignored; this one must hear it to be stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        watch_index(*folders, index=index, seen=seen, say=_unsaid if quiet else say, **settings)
    except KeyboardInterrupt as error:
        raise Interrupted("stopped following; what was read is committed", remedy="the same command goes on") from error


def _print(report: Report, folder: Path) -> None:
    for note in report.notes:
        say(f"note: {note}")
    documents = {
        "indexed": report.indexed,
        "reused": report.reused,
        "moved": report.moved,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "skipped": len(report.skipped),
    }
    counted = ", ".join(f"{count} {name}" for name, count in documents.items() if count) or "nothing to index"
    print(f"{counted} in {report.seconds:.1f} s → {harmless(str(folder))}")
    if report.passages:
        print("passages: " + ", ".join(f"{count} {kind}" for kind, count in sorted(report.passages.items())))
    print_ignored(report.ignored)
    if report.dropped:
        print("frames left out: " + ", ".join(f"{count} {harmless(reason)}" for reason, count in sorted(report.dropped.items())))
    _print_skipped(report.skipped)


def _print_skipped(skipped: Sequence[Skipped]) -> None:
    """A line for each reason, with the first names under it."""
    by_reason: dict[str, list[str]] = {}
    for one in skipped:
        by_reason.setdefault(one.reason, []).append(harmless(str(one.document)))
    for reason, names in list(by_reason.items())[:SHOWN]:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        print(f"skipped: {', '.join(names[:NAMED])}{more}: {harmless(reason)}")
    if len(by_reason) > SHOWN or any(len(names) > NAMED for names in by_reason.values()):
        print("`rag status` lists every skipped file")


def _json(report: Report) -> dict[str, Any]:
    from dataclasses import asdict

    value = asdict(report)
    value["skipped"] = _skipped(report.skipped)
    return value


def _skipped(skipped: Sequence[Skipped]) -> list[dict[str, str]]:
    return [{"root": one.document.root, "document": one.document.path, "reason": one.reason} for one in skipped]
