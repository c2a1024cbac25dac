"""Turns the raw counts of our tide gauges into metres above chart datum.

The gauges send one line a minute by radio: station, time in UTC, raw count, battery in millivolts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

METRES_PER_COUNT = 0.0025

# Levelled by Lin Mei on 2025-08-30 against bench mark BM 12 on the customs house.
DATUM_OFFSET = {
    "TG-4071": -1.382,  # north mole
    "TG-4072": -1.047,  # ferry berth
    "TG-4075": +0.215,  # lock gate, inner side
}


class BadReading(ValueError):
    """A line that is not a reading, or one that cannot be true."""


@dataclass(frozen=True)
class Reading:
    station: str
    at: datetime
    level: float  # metres above chart datum
    battery: float  # volts


def parse_reading(line: str) -> Reading:
    """One radio line, for instance ``TG-4071 2026-03-11T06:20:00Z 1984 12480``."""
    fields = line.split()
    if len(fields) != 4:
        raise BadReading(f"expected 4 fields, got {len(fields)}: {line!r}")
    station, stamp, count, millivolts = fields
    at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    level = int(count) * METRES_PER_COUNT + DATUM_OFFSET[station]
    return Reading(station, at, round(level, 3), int(millivolts) / 1000)


def despike(levels: list[float], window: int = 5, jump: float = 0.30) -> list[float]:
    """Replace a level that leaves the running median by more than `jump` metres: wash of a passing ship, or a gull."""
    half = window // 2
    smooth = []
    for place, level in enumerate(levels):
        near = levels[max(0, place - half) : place + half + 1]
        middle = median(near)
        smooth.append(middle if abs(level - middle) > jump else level)
    return smooth


def surge(observed: float, predicted: float) -> float:
    """How much higher the water stands than the tide table says, in metres."""
    return round(observed - predicted, 3)
