"""Numbers, places and times as people write them: `2 documents`, `p. 12`, `02:15`.

Knows numbers and locators; knows no file and no terminal.
"""

from __future__ import annotations

from datetime import UTC, datetime

from rag.types import Lines, Locator, Page, Seconds, Sheet, Slide, Whole


def counted(count: int, one: str, many: str = "") -> str:
    """`1 document` or `2 documents`; `many` is an irregular plural."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def place(locator: Locator, inner: str = "") -> str:
    """The place as a person reads it: `p. 12`, `02:15–02:45`, `lines 40–58`, or "" for a whole document.

    In a file inside the document, its path comes first: `› papers.zip › report.pdf p. 3`.
    """
    inside = f"› {inner.replace('/', ' › ')}" if inner else ""
    return " ".join(filter(None, (inside, _place(locator))))


def _place(locator: Locator) -> str:
    match locator:
        case Page(number):
            return f"p. {number}"
        case Slide(number):
            return f"slide {number}"
        case Sheet(name):
            return f"sheet {name}"
        case Seconds(start, end):
            return f"{clock(start)}–{clock(end)}" if clock(end) != clock(start) else clock(start)
        case Lines(start, end):
            return f"lines {start}–{end}" if end > start else f"line {start}"
        case Whole():
            return ""


def clock(seconds: float) -> str:
    """`02:15`, or `1:02:15` from one hour on; fractions of a second are dropped."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def day(seconds: float) -> str:
    """`2020-05-01`, of seconds since the epoch, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def degrees(location: tuple[float, float] | None) -> str:
    """`52.51630, 13.37770`: latitude and longitude as map services take them; "" where they are not known."""
    return "" if location is None else f"{location[0]:.5f}, {location[1]:.5f}"
