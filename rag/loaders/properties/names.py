"""Finds the date in a file's name, as phones, messengers, scanners and screenshot tools write it.

Knows names only; opens no file.
"""

from __future__ import annotations

import re
import unicodedata

from rag.loaders.properties.dates import moment

_LONGEST = 300  # characters of a name
_AT = r"(?:[ _.T-]*|,? (?:at|um|à|a las?|a la\(s\)|alle|kl\.?|om|klo|o|в|às) )"  # between the date and the time
_HALVES = {"上午": "a", "下午": "p", "오전": "a", "오후": "p", "午前": "a", "午後": "p"}
_CLOCK = r"(?P<hour>\d{1,2})[-_.:h]?(?P<minute>\d\d)[-_.:m]?(?P<second>\d\d)(?P<half>\s?[AaPp]\.?[Mm]\b)?"
_TIME = rf"(?:{_AT}(?P<early>{'|'.join(_HALVES)})?\s?{_CLOCK})?"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Screenshot 2024-01-31 at 14.22.33 · WhatsApp Image 2024-01-31 at 2.22.33 PM · signal-2024-01-31-14-22-33-123
        rf"(?<!\d)(?P<year>1[89]\d\d|20\d\d)(?P<mark>[-_.])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?!\d){_TIME}",
        # IMG_20240131_142233 · PXL_20240131_142233123 · Screenshot_20240131-142233 · DJI_20240131142233 · GMT20240131-142233
        r"(?<!\d)(?P<year>19[89]\d|20\d\d)(?P<month>\d\d)(?P<day>\d\d)"
        r"[-_ .T]?(?P<hour>\d\d)[-_]?(?P<minute>\d\d)[-_]?(?P<second>\d\d)(?:\d{3})?(?!\d)",
        # IMG-20200504-WA0007 · Scan_20240131 · 20240131 · IMG20240131
        r"(?:(?<![0-9a-z])|(?<![a-z])(?:img|vid|pxl|scan|doc))(?P<year>199\d|20[0-4]\d)(?P<month>\d\d)(?P<day>\d\d)(?![0-9a-z])",
        # photo_5@31-01-2024_14-22-33 (Telegram)
        rf"@(?P<day>\d\d)-(?P<month>\d\d)-(?P<year>20\d\d)(?!\d){_TIME}",
        # CamScanner 01-31-2024 14.22.33
        rf"camscanner (?P<month>\d\d)-(?P<day>\d\d)-(?P<year>20\d\d)(?!\d){_TIME}",
        # Adobe Scan 31 Jan 2024 · Adobe Scan Jan 31, 2024
        r"scan (?P<day>\d{1,2}) (?P<named>[a-z]{3})[a-z]* (?P<year>20\d\d)(?!\d)",
        r"scan (?P<named>[a-z]{3})[a-z]* (?P<day>\d{1,2}), (?P<year>20\d\d)(?!\d)",
    )
)
_SINCE_EPOCH = re.compile(r"(?i)(?:^|[^a-z])(?:fb_img|mmexport|wx_camera|img|vid|screenshot|image|photo)[-_]?(1\d{12})(?!\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def date_in_name(name: str) -> float | None:
    """Seconds since the epoch of the first date in a file's name, with its time where it has one; None where there is none."""
    stem = name[: name.rfind(".")] if "." in name[1:] else name
    stem = unicodedata.normalize("NFKC", stem[:_LONGEST])
    if not any(character.isdigit() for character in stem):
        return None
    for pattern in _PATTERNS:
        for match in pattern.finditer(stem):
            found = _moment(match.groupdict())
            if found is not None:
                return found
    counted = _SINCE_EPOCH.search(stem)
    return int(counted[1]) / 1000 if counted else None


def _moment(part: dict[str, str | None]) -> float | None:
    named = (part.get("named") or "").lower()
    if named and named not in _MONTHS:
        return None
    month = _MONTHS.index(named) + 1 if named else int(part["month"] or 0)
    year, day = int(part["year"] or 0), int(part["day"] or 0)
    hour, minute, second = (int(part.get(name) or 0) for name in ("hour", "minute", "second"))
    half = _HALVES.get(part.get("early") or "") or (part.get("half") or "").strip().lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if hour > 23 or minute > 59 or second > 59:
        hour = minute = second = 0  # another number follows the date
    return moment(year, month, day, hour, minute, second)
