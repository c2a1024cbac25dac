"""Shows the progress of `rag index`: a bar on a terminal, plain lines elsewhere, JSON lines for programs.

Knows what a `Progress` holds; does not know what runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag.cli.terminal import harmless, say
from rag.humanize import counted

if TYPE_CHECKING:
    from rag.indexing.report import Progress, Tell

JSON_SECONDS = 0.25  # between two lines of JSON
COUNTING_SECONDS = 10.0  # between two plain lines while documents are still being counted
STAGES = {"read": "reading", "embed": "the model", "write": "writing"}
BOTTLENECK = 0.2  # share of time: a stage that waits this much less than another holds it back


@contextmanager
def progress_to(form: str) -> Iterator[Tell]:
    """The callback for the write path: `text` reports on stderr, `jsonl` on stdout, any other form does not report."""
    if form == "jsonl":
        yield _json_lines()
    elif form == "text" and sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    elif form == "text":
        yield _plain_lines()
    else:
        yield lambda _: None


def json_line(value: Mapping[str, Any]) -> None:
    """Prints one object on one line of stdout, unbuffered: a program reads it while this one runs."""
    from json import dumps

    print(dumps(value, ensure_ascii=False), flush=True)


def _json_lines() -> Tell:
    from rag.indexing.report import progress_json

    last = float("-inf")

    def tell(seen: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < JSON_SECONDS and not (seen.counted and seen.done >= seen.total):
            return
        last = now
        json_line({"event": "progress", **progress_json(seen)})

    return tell


@contextmanager
def _bar() -> Iterator[Tell]:
    from rich.console import RenderableType
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    from rag.cli.terminal import stderr

    class TwoLines(Bar):
        """The bar and the current document; below them the rates, which need a whole line."""

        figures = ""

        def get_renderables(self) -> Iterator[RenderableType]:
            yield self.make_tasks_table(self.tasks)
            yield Text(self.figures, style="dim")

    columns = (
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[path]}", markup=False),
    )
    with TwoLines(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task("", total=None, path="looking for changes", left="")

        def tell(seen: Progress) -> None:
            bar.figures = figures_of(seen)
            total = seen.total if seen.counted else None
            left = f"{time_of(seen.seconds_left)} left" if seen.seconds_left else ""
            bar.update(task, completed=seen.done, total=total, left=left, path=harmless(seen.path)[-40:])

        yield tell


def figures_of(seen: Progress) -> str:
    """The rates in a few words: `2.1 documents/s · 41 passages/s · 5,200 tokens/s · 3.1 MB/s · held back by reading`."""
    parts = [] if seen.folders == 1 else [f"folder {seen.folder} of {seen.folders}"]
    if not seen.counted:
        parts.append(f"{seen.total:,} found so far")
    rates = {
        "documents": seen.documents_per_second,
        "passages": seen.passages_per_second,
        "tokens": seen.tokens_per_second,
        "MB": seen.megabytes_per_second,
    }
    parts += [f"{rate:,.{1 if rate < 9.95 else 0}f} {name}/s" for name, rate in rates.items() if rate >= 0.05]
    if any(seen.readers):
        parts.append(f"{counted(sum(seen.readers.values()), 'reader')} on {counted(len(seen.readers), 'machine')}")
    if seen.waiting and max(seen.waiting.values()) - min(seen.waiting.values()) > BOTTLENECK:
        slowest = min(seen.waiting, key=lambda stage: seen.waiting[stage])
        parts.append(f"held back by {STAGES.get(slowest, slowest)}")
    return " · ".join(parts)


def time_of(seconds: float) -> str:
    """`0:42`, `12:05`, `3:10:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _plain_lines() -> Tell:
    """A line for every tenth of the documents; while they are still being counted, one every COUNTING_SECONDS."""
    tenths = -1
    last = time.monotonic()

    def tell(seen: Progress) -> None:
        nonlocal tenths, last
        if not seen.counted:
            if time.monotonic() - last > COUNTING_SECONDS:
                last = time.monotonic()
                say(f"{seen.done} documents: {figures_of(seen)}")
        elif seen.total and seen.done * 10 // seen.total > tenths:
            tenths = seen.done * 10 // seen.total
            left = f"{time_of(seen.seconds_left)} left" if seen.seconds_left else ""
            figures = " · ".join(filter(None, (figures_of(seen), left)))
            say(f"{seen.done} of {counted(seen.total, 'document')}{': ' if figures else ''}{figures}")

    return tell
