"""Reads dates as metadata write them: EXIF, ISO 8601 and XMP with any precision, PDF, mail, and what cameras make of these.

Knows texts only. A date without a time zone counts as UTC, so that the same bytes give the same date on every machine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

OLDEST, NEWEST = 1000, 2100  # years, of books too; others are the zeros and nines of clocks that were never set
_UNSET = frozenset(datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1904, 1970, 1980, 2000))  # where clocks begin
_ZONE = r"\s*(?P<zone>Z(?:00'?00)?|[+-]\d\d(?:[:']?\d\d)?)?'?\s*"
_PARTED = re.compile(
    r"\s*(?P<year>\d{4})(?:[-:/.]\s?(?P<month>\d{1,2})(?:[-:/.]\s?(?P<day>\d{1,2})"
    r"(?:[T ]+(?P<hour>\d{1,2})[:.]\s?(?P<minute>\d{1,2})(?:[:.]\s?(?P<second>\d{1,2})(?:[.,]\d{1,9})?)?)?)?)?" + _ZONE
)
_RUN_TOGETHER = re.compile(  # PDF, and IPTC
    r"\s*(?:D:)?(?P<year>\d{4})(?P<month>\d\d)"
    r"(?:(?P<day>\d\d)(?:[T ]?(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?)?)?" + _ZONE
)
_LONGEST = 60  # characters
_MAIL_WORDS = re.compile(r"[A-Za-z]{3}")


def date_of(written: object, zone: object = None) -> float | None:
    """Seconds since the epoch; None where it is no date, or that of an unset clock. `zone` is an offset written elsewhere."""
    text = written.decode("latin-1") if isinstance(written, bytes) else str(written or "")
    text = text.strip("\0 \t\r\n")[:_LONGEST]
    match = _PARTED.fullmatch(text) or _RUN_TOGETHER.fullmatch(text)
    if match is None:
        return mail_date(text) if _MAIL_WORDS.search(text) else None
    part = match.groupdict()
    year, month, day = (int(part[name] or 1) for name in ("year", "month", "day"))
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    found = moment(year, month, day, hour, minute, second, _offset(part["zone"]) or _offset(zone) or timedelta(0))
    return None if part["hour"] and found in _UNSET else found


def mail_date(written: str) -> float | None:
    """The date of a mail header (RFC 5322), or as C's `ctime` writes it."""
    try:
        found = parsedate_to_datetime(written[: 3 * _LONGEST])
        return _plausible(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def moment(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, zone: timedelta = timedelta(0)
) -> float | None:
    """Seconds since the epoch; None where there is no such moment. A leap second, and hour 24, are the one after."""
    try:
        whole = datetime(year, month, day, tzinfo=timezone(zone))
    except ValueError:
        return None
    if hour > 24 or minute > 59 or second > 60:
        return None
    return _plausible(whole + timedelta(hours=hour, minutes=minute, seconds=second))


def _plausible(found: datetime) -> float | None:
    return found.timestamp() if OLDEST <= found.year <= NEWEST else None


def _offset(written: object) -> timedelta | None:
    text = str(written or "").strip("\0 ").replace("'", "").replace(":", "")
    match = re.fullmatch(r"([+-])(\d\d)(\d\d)?", text)
    if match is None:
        return timedelta(0) if text.startswith("Z") else None
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > 15 or minutes > 59:
        return None
    return timedelta(hours=hours, minutes=minutes) * (-1 if match[1] == "-" else 1)
