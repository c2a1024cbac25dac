"""The table of hits: two lines a hit. On a terminal in colours, with links and pictures; in a pipe the same words, uncut.

Knows hits and terminals; knows no index. In a pipe it does without rich, whose import takes as long as the search.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.cli.explained import explained
from rag.cli.terminal import harmless
from rag.humanize import place

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.text import Text

    from rag.cli.formats import Show
    from rag.types import Hit

_INDENT = 6  # columns before what stands below the name of a hit
_MOST_HEADING = 80  # characters


def print_plain(query: str, hits: Sequence[Hit], show: Show) -> None:
    """Prints a line for each hit and one for its snippet, however long; no colours."""
    if show.many:
        print(harmless(query))
    for hit in hits:
        print("".join(words for words, _ in _head(hit, show)))
        below = [harmless(hit.snippet)] if hit.snippet else []
        if show.explain:
            below += [explained(hit), *_similar(hit)]
        for line in below:
            print(f"{' ' * _INDENT}{line}")


def print_styled(query: str, hits: Sequence[Hit], show: Show) -> None:
    """The same for a terminal."""
    from rich.text import Text

    from rag.cli.terminal import stdout

    console = stdout()
    if show.many:
        console.print(Text(harmless(query), style="bold underline"))
    for hit in hits:
        console.print(_linked(hit, show))
        if hit.snippet:
            console.print(_indented(_marked(hit.snippet, query)), style="dim" if sys.stdout.isatty() else None)
        if show.explain:
            for line in (explained(hit), *_similar(hit)):
                console.print(_indented(Text(line, style="cyan")))
        if show.preview and hit.modality != "text":
            from rag.cli.preview import print_preview

            print_preview(console, hit)


def _head(hit: Hit, show: Show) -> list[tuple[str, str]]:
    """The line of a hit as words, each with the style that a terminal gives it."""
    where = place(hit.locator, hit.inner)
    heading = hit.context.heading or hit.context.title
    shown = harmless(heading) if len(heading) <= _MOST_HEADING else f"{harmless(heading)[: _MOST_HEADING - 1]}…"
    return [
        (f"{hit.rank:>3}  ", "bold"),
        (f"{hit.score:.2f}  ", "green"),
        (f"{hit.kind:<10}  ", "magenta"),
        (harmless(hit.document), "link"),
        (f"  {harmless(where)}" if where else "", "yellow"),
        (f"  (best {place(hit.best)})" if len(hit.members) > 1 and hit.best != hit.locator else "", "dim"),
        (f"  {shown}" if shown else "", "dim italic"),
        (f"  {harmless(hit.index)}" if show.several else "", "blue"),
        (f"  #{hit.id}", "dim"),
        (f"  +{len(hit.folded)} similar" if hit.folded else "", "cyan"),
    ]


def _linked(hit: Hit, show: Show) -> Text:
    from rich.style import Style
    from rich.text import Text

    name = Style(bold=True) + (Style(link=Path(hit.path).as_uri()) if sys.stdout.isatty() else Style())
    line = Text(style="bold")
    for words, style in _head(hit, show):
        line.append(words, style=name if style == "link" else style)
    return line


def _similar(hit: Hit) -> list[str]:
    """What is folded under a hit, a line each."""
    return [
        f"similar: {harmless(one.document)}  {harmless(place(one.locator, one.inner))}  {one.score:.3f}  #{one.id}"
        for one in hit.folded
    ]


def _indented(text: Text) -> Padding | Text:
    """The text indented below the hit's name: every line on a terminal; in a pipe it is one long line."""
    from rich.padding import Padding

    if sys.stdout.isatty():
        return Padding(text, (0, 0, 0, _INDENT))
    text.pad_left(_INDENT)
    return text


def _marked(snippet: str, query: str) -> Text:
    """The snippet with the words of the query in bold."""
    from rich.text import Text

    from rag.text.highlights import marks

    plain = harmless(snippet)
    text = Text(plain)
    for start, end in marks(plain, query):
        text.stylize("bold not dim", start, end)
    return text
