"""Amounts as people write them (50M, 2.5k) and read them (204.8 GB, 12.4 h).

Knows numbers; knows not what they count.
"""

from __future__ import annotations

import re

from rag.errors import WrongRequest

_STEPS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_LARGEST = 10**12
_NUMBER = re.compile(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*([kmgb]?)\s*", re.IGNORECASE)


def parse_count(text: str, name: str) -> int:
    """The number in `50M`, `2.5k`, `1B`, `300_000` or `1,000,000`. WrongRequest for what is none, or beyond a trillion."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise WrongRequest(f"{name} {text!r} is not a number", remedy="write it like 50M, 2.5k, 1B or 300000")
    count = float(re.sub("[_,]", "", found[1])) * _STEPS[found[2].lower()]
    if count > _LARGEST:
        raise WrongRequest(f"{name} {text} is more than a trillion", remedy="plan a part of it, and multiply")
    return round(count)


def count_shown(count: float) -> str:
    """`50M`, `2.5k`, `12`."""
    for letter, step in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= step:
            return f"{count / step:.3g}{letter}"
    return f"{count:.3g}"


def amount_shown(amount: float, unit: str) -> str:
    """An amount with its unit, as a person reads it; bytes in powers of 1000, hours as days where they are many."""
    if unit == "bytes":
        for letter, step in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
            if amount >= step:
                return f"{amount / step:,.1f} {letter}"
        return f"{amount / 1e3:,.1f} kB"
    if unit == "hours":
        if amount < 0.05:
            return f"{amount * 3600:,.0f} s"
        return f"{amount:,.1f} h" if amount < 72 else f"{amount:,.0f} h ({amount / 24:,.1f} days)"
    if amount == int(amount):
        return f"{int(amount):,} {unit}"
    return f"{amount:,.1f} {unit}"
