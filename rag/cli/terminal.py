"""Messages on stderr, and text from files made harmless to a terminal.

Knows terminals; knows no command.
"""

from __future__ import annotations

import io
import sys
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from rag.errors import RagError

_ESCAPED = frozenset(("Cc", "Cs", "Cf", "Zl", "Zp"))  # categories: controls, lone surrogates, invisible marks, line ends
_JOINERS = frozenset("\u200c\u200d")  # needed inside emoji, Persian and Indian words


def open_streams() -> None:
    """Makes undecodable bytes, and characters that the terminal's encoding lacks, `�` or `?` instead of an error."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def harmless(text: str) -> str:
    """`text` on one line, control characters and invisible marks shown as `\\xNN`, so that no file name controls a terminal."""
    if text.isprintable():
        return text
    return "".join(
        " " if c in "\n\t\r" else c if unicodedata.category(c) not in _ESCAPED or c in _JOINERS else ascii(c)[1:-1]
        for c in text
        if c != "\u00ad"  # the soft hyphen of texts
    )


def say(text: str) -> None:
    """Prints one line on stderr."""
    print(harmless(text), file=sys.stderr)


def fail(error: RagError) -> None:
    """Prints what went wrong and what to do about it."""
    say(f"rag: {error.what}")
    if error.remedy:
        say(f"  → {error.remedy}")


def stdout() -> Console:
    """The console for results: colours and links on a terminal only, never cut to a width in a pipe."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def stderr() -> Console:
    """The console for progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def size(count: float) -> str:
    """Bytes as a person reads them: `3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
