"""Dates and times as a spreadsheet shows them, and as ISO 8601 writes them.

Knows serial days and the date part of format codes; knows no workbook.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

EPOCH_1900 = datetime.date(1899, 12, 30)  # as days are counted from 1 March 1900 on: Excel believes in 29 February 1900
EPOCH_1904 = datetime.date(1904, 1, 1)
_LAST_DAY = 2_958_466  # of the year 9999
_ENGLISH = frozenset({"09"})  # the low byte of the language of a code, in hexadecimal
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LITERAL = ("quoted", "escaped", "plain", "sign")


def moment(serial: float, epoch: datetime.date) -> datetime.datetime | None:
    """The moment of a serial day, to the millisecond; None where it is none."""
    if not 0 <= serial < _LAST_DAY:
        return None
    if epoch == EPOCH_1900 and serial < 60:
        serial += 1
    start = datetime.datetime.combine(epoch, datetime.time())
    try:
        return start + datetime.timedelta(milliseconds=round(serial * 86_400_000))
    except OverflowError:
        return None


def iso_form(serial: float, epoch: datetime.date) -> str:
    """The date, the time of day where the number has only that, or both; "" where the number is no moment."""
    when = moment(serial, epoch)
    if when is None:
        return ""
    when = (when + datetime.timedelta(milliseconds=500)).replace(microsecond=0)
    if 0 < serial < 1:
        return when.time().isoformat()
    return when.date().isoformat() if when.time() == datetime.time() else when.isoformat(" ")


def date_form(tokens: Sequence[tuple[str, str]], epoch: datetime.date) -> Callable[[float], str] | None:
    """How a section of a format code shows a serial day; None where it names months or days in another language."""
    named = any(name == "date" and text[0].lower() in "md" and len(text) > 2 for name, text in tokens)
    foreign = any(name == "bracket" and text.startswith("$-") and text[-2:].upper() not in _ENGLISH for name, text in tokens)
    eras = any(name == "date" and text[0].lower() in "geb" for name, text in tokens)
    if (named and foreign) or eras:
        return None
    steps = _with_minutes(tokens)
    halves = any(name == "clock" for name, _ in tokens)

    def shown(serial: float) -> str:
        when = moment(serial, epoch)
        return "" if when is None else "".join(_written(step, text, when, serial, halves) for step, text in steps).strip()

    return shown


def _with_minutes(tokens: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The steps of a code; an "m" beside hours or seconds is "minute"."""
    steps = [(name, text) for name, text in tokens if name != "fill"]
    units = [at for at, (name, text) in enumerate(steps) if name == "date" or _is_elapsed(name, text)]
    for place, at in enumerate(units):
        before = steps[units[place - 1]][1].lower() if place else ""
        after = steps[units[place + 1]][1].lower() if place + 1 < len(units) else ""
        if steps[at][0] == "date" and steps[at][1][0].lower() == "m" and (before[:1] == "h" or after[:1] == "s"):
            steps[at] = ("minute", steps[at][1])
    seconds = False
    for at, (name, text) in enumerate(steps):  # ss.000: fractions of a second
        if name == "digit" and seconds:
            steps[at] = ("tenth", text)
        elif not (name == "sign" and text == "."):
            seconds = name == "date" and text[0].lower() == "s"
    return steps


def _is_elapsed(name: str, text: str) -> bool:
    return name == "bracket" and bool(text) and set(text.lower()) <= set("hms")


def _written(step: str, text: str, when: datetime.datetime, serial: float, halves: bool) -> str:
    if step in _LITERAL:
        return text
    if step == "space":
        return " "
    if step == "clock":
        return ("AM", "PM")[when.hour >= 12][: (2 if len(text) > 3 else 1)]
    if step == "tenth":
        return str(when.microsecond // 100_000)
    if step == "minute":
        return str(when.minute).zfill(min(len(text), 2))
    if _is_elapsed(step, text):
        per = {"h": 3600, "m": 60, "s": 1}[text[0].lower()]
        return str(round(serial * 86_400) // per).zfill(len(text))
    return _unit(text.lower(), when, halves) if step == "date" else ""


def _unit(text: str, when: datetime.datetime, halves: bool) -> str:
    if text[0] == "y":
        return f"{when.year:04}" if len(text) > 2 else f"{when.year % 100:02}"
    if text[0] == "m" and len(text) > 2:
        name = _MONTHS[when.month - 1]
        return name[0] if len(text) == 5 else name[:3] if len(text) == 3 else name
    if text[0] == "d" and len(text) > 2:
        return _DAYS[when.weekday()][: 3 if len(text) == 3 else None]
    hour = when.hour % 12 or 12 if halves else when.hour
    number = {"m": when.month, "d": when.day, "h": hour, "s": when.second}[text[0]]
    return str(number).zfill(min(len(text), 2))
