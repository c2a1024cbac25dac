"""`rag index`: indexes folders. Knows options and printing; `rag.indexing` does the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.left_out import print_ignored
from rag.cli.options import Backend, Dim, Family, Index, IndexKind, Json, Model, Url
from rag.cli.terminal import harmless, say

if TYPE_CHECKING:
    from rag.indexing.report import Report
    from rag.types import Skipped

FORMATS = ("text", "json", "jsonl")
MOST_REASONS = 20  # for skipped files
MOST_NAMES = 3  # skipped files for each reason; `rag status` lists them all
LITE = (
    "lite: words, n-grams, colours and shapes, no neural embeddings; "
    "other models: rag index {how} (see README, section Models)"
)  # fmt: skip


def index(
    folders: Annotated[list[str] | None, typer.Argument(help="Folders to index. Default: all folders of the index.")] = None,
    index: Index = "",
    watch: Annotated[bool, typer.Option("--watch", help="Keep running, and index changes within two seconds.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rebuild from scratch, then replace the old index.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 5 if documents were skipped.")] = False,
    format: Annotated[str, typer.Option(help="text, json, or jsonl: progress and report, one object per line.")] = "text",
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress and the model notice.")] = False,
    backend: Backend = None,
    model: Model = None,
    family: Family = None,
    url: Url = None,
    dim: Dim = None,
    add_model: Annotated[
        str | None,
        typer.Option(help="Add this model beside those of the index, and fill it from what the index holds.", metavar="NAME"),
    ] = None,
    lite_first: Annotated[
        bool | None,
        typer.Option(
            "--lite-first/--no-lite-first",
            help="Make the index searchable with lite first, --model behind. Default: a new index whose model is slow.",
        ),
    ] = None,
    index_kind: IndexKind = None,
    ocr: Annotated[str | None, typer.Option(help="When to read text in pictures: auto, always, never.")] = None,
    clues: Annotated[str | None, typer.Option(help="What to index of a picture besides pixels: ocr,caption,path,date.")] = None,
    frames: Annotated[str | None, typer.Option(help="Which frames of a video: keyframes (fast), uniform.")] = None,
    frame_seconds: Annotated[float | None, typer.Option(help="At most one frame per this many seconds.")] = None,
    frames_per_minute: Annotated[
        float | None, typer.Option(help="The same as a rate: 15 is --frame-seconds 4.", min=0.02, max=600)
    ] = None,
    kinds: Annotated[
        str | None, typer.Option(help="Read only these kinds (text,page,image,screenshot,frame); others stay.")
    ] = None,
    ignore: Annotated[
        bool | None,
        typer.Option("--ignore/--no-ignore", help="Leave out what .gitignore names, or read it; remembered until changed."),
    ] = None,
    passage_characters: Annotated[int | None, typer.Option(help="Longest text passage, in characters.")] = None,
    max_pixels: Annotated[int | None, typer.Option(help="Decode pictures down to this many pixels.")] = None,
    max_source_pixels: Annotated[int | None, typer.Option(help="Skip pictures with more pixels.")] = None,
    max_file_bytes: Annotated[str | None, typer.Option(help="Skip larger files.")] = None,
    max_file_size: Annotated[str | None, typer.Option(help="The same, written as 8G or 500M.")] = None,
    max_text_bytes: Annotated[str | None, typer.Option(help="Skip larger text files.")] = None,
    max_pages: Annotated[int | None, typer.Option(help="Skip PDFs with more pages.")] = None,
    max_depth: Annotated[int | None, typer.Option(help="Read files in files this deep; 0: none.")] = None,
    max_members: Annotated[int | None, typer.Option(help="Read at most so many files inside a document.")] = None,
    max_unpacked_bytes: Annotated[str | None, typer.Option(help="Unpack at most so much of a document.")] = None,
    jobs: Annotated[str | None, typer.Option(help="Processes that read files: auto or a number; 0: this process.")] = None,
    on: Annotated[str | None, typer.Option(help="Read files on a Ray cluster: ray, or ray://HOST:10001.")] = None,
    max_memory: Annotated[str | None, typer.Option(help="Memory limit, such as 8G.")] = None,
    commit_seconds: Annotated[float | None, typer.Option(help="Seconds between commits.")] = None,
) -> None:
    """Index folders of text, PDFs, images, screenshots and videos; later runs read only what changed."""
    from json import dumps

    from rag.cli.models import add, refuse_together
    from rag.cli.progress import json_line, progress_to
    from rag.config import load_settings
    from rag.errors import DOCUMENTS_SKIPPED, WrongRequest
    from rag.index.locations import index_room, is_lite
    from rag.indexing.build import build_index
    from rag.indexing.lite_first import build_lite_first, build_searchable, watch_searchable
    from rag.indexing.watch import watch_index

    wanted = "json" if json else format
    if wanted not in FORMATS:
        raise WrongRequest(f"no format is called {wanted!r}", remedy=f"the formats are: {', '.join(FORMATS)}")
    if add_model or lite_first:
        others = {"--rebuild": rebuild, "--watch": watch, "--dry-run": dry_run}
        refuse_together({"--add-model": bool(add_model), "--lite-first": bool(lite_first)} | others)
    named = load_settings({"index": index or None, "index_kind": index_kind})
    room = index_room(named.index)
    fresh = not room.exists()
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
        "max_depth": max_depth,
        "max_members": max_members,
        "max_unpacked_bytes": max_unpacked_bytes,
        "jobs": jobs,
        "on": on,
        "max_memory": max_memory,
        "commit_seconds": commit_seconds,
    }
    if dry_run:
        _show_plan(folders or [], index, rebuild or watch, wanted, settings)
        return
    if watch:
        _watch(folders or [], index, rebuild, quiet, wanted, watch_index if lite_first is False else watch_searchable, settings)
        return
    hear = _say_nothing if quiet else say
    if add_model:
        add(folders or [], index, wanted, quiet, settings | {"model": add_model})
        return
    with progress_to("" if quiet else wanted) as tell:
        if lite_first:
            settings.pop("kinds")
            report = build_lite_first(*(folders or []), index=index, tell=tell, say=hear, **settings)
        elif rebuild or lite_first is False:
            report = build_index(*(folders or []), index=index, rebuild=rebuild, tell=tell, say=hear, **settings)
        else:
            report = build_searchable(*(folders or []), index=index, tell=tell, say=hear, **settings)
    for remark in room.warm_up(named, say):
        say(f"note: {remark}")
    if fresh and not quiet and is_lite(room) and not lite_first:
        is_folder = isinstance(room.place, Path)
        say(LITE.format(how="--rebuild --model NAME" if is_folder else "FOLDER --model NAME --index milvus://…/OTHER"))
    if wanted == "text":
        _print(report, room.place)
    elif wanted == "json":
        print(dumps(_json(report), ensure_ascii=False, indent=2))
    else:
        json_line({"event": "report", **_json(report)})
    if strict and report.skipped:
        raise typer.Exit(DOCUMENTS_SKIPPED)


def _say_nothing(_: str) -> None:
    """For --quiet."""


def _show_plan(folders: list[str], index: str, other_run: bool, wanted: str, settings: dict[str, Any]) -> None:
    """Prints what a run would do, and how long it would take at the rate of the last one. `other_run`: a rebuild or --watch."""
    from dataclasses import asdict
    from json import dumps

    from rag.cli.progress import json_line
    from rag.errors import WrongRequest
    from rag.indexing.plan import plan_index

    if other_run:
        what = "--dry-run cannot be combined with --rebuild or --watch"
        raise WrongRequest(what, remedy="leave one of them out; a rebuild reads every document again")
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
    print(f"passages (each at most one input for the model): {'at least' if plan.unknown else 'about'} {plan.passages}")
    if plan.unknown:
        unknown = ", ".join(f"{count} {family}" for family, count in sorted(plan.unknown.items()))
        print(f"not estimated: {unknown}: no similar files indexed yet; so the time is unknown too")
    elif plan.passages:
        estimate = "unknown: there was no long run yet" if plan.seconds is None else f"about {_duration(plan.seconds)}"
        print(f"time, at the rate of the last long run: {estimate}")
    _print_skipped(plan.skipped)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h"


def _watch(
    folders: list[str],
    index: str,
    rebuild: bool,
    quiet: bool,
    wanted: str,
    watch: Callable[..., None],
    settings: dict[str, Any],
) -> None:
    """Watches the folders until Ctrl-C. Prints a line, or a JSON object, for each run that changed something."""
    import signal

    from rag.cli.progress import json_line
    from rag.config import load_settings
    from rag.errors import Interrupted, WrongRequest
    from rag.index.locations import index_room

    place = index_room(load_settings({"index": index or None}).index).place
    if rebuild or wanted == "json":
        other = "--rebuild" if rebuild else "--format json"
        raise WrongRequest(f"--watch cannot be combined with {other}", remedy="rebuild first; for programs: --format jsonl")

    def show(report: Report) -> None:
        if wanted == "jsonl":
            json_line({"event": "report", **_json(report)})
        else:
            _print(report, place)

    # A shell starts background jobs with SIGINT ignored; this process must receive it to be stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        watch(*folders, index=index, seen=show, say=_say_nothing if quiet else say, **settings)
    except KeyboardInterrupt as error:
        raise Interrupted("stopped watching; finished work is committed", remedy="run the same command to continue") from error


def _print(report: Report, folder: Path | str) -> None:
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
    """A line for each reason, with the first names."""
    by_reason: dict[str, list[str]] = {}
    for one in skipped:
        by_reason.setdefault(one.reason, []).append(harmless(str(one.document)))
    for reason, names in list(by_reason.items())[:MOST_REASONS]:
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        print(f"skipped: {', '.join(names[:MOST_NAMES])}{more}: {harmless(reason)}")
    if len(by_reason) > MOST_REASONS or any(len(names) > MOST_NAMES for names in by_reason.values()):
        print("`rag status` lists every skipped file")


def _json(report: Report) -> dict[str, Any]:
    from dataclasses import asdict

    value = asdict(report)
    value["skipped"] = _skipped(report.skipped)
    return value


def _skipped(skipped: Sequence[Skipped]) -> list[dict[str, str]]:
    return [{"root": one.document.root, "document": one.document.path, "reason": one.reason} for one in skipped]
