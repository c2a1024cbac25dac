"""Reads numbers that are written in groups: sums, telephone and account numbers, dates.

Knows how people write numbers; knows no index and no query. The patterns are for a text that is `cleaned`.

    12.345,60   12,345.60   12 345,60    the same as 12345.60
    12.345                               12345, or 12 and three decimals
    DE89 3704 0044 0532 0130 00          de89370400440532013000
    +49 (0)30 1234-5678   0049 30 …      3012345678, as 030 12345678 is: without country and trunk prefixes
    17.03.2024   3/17/2024   2024/03/17  20240317; 03/04/2024 may be either of two days
"""

from __future__ import annotations

import re

_YEAR = r"(?:19|20)\d\d"
_END = r"(?!\d|[.,']\d)"
_DAY_FIRST = rf"(?<!\d[-/])(?:\d{{1,2}}\. ?\d{{1,2}}\. ?|\d{{1,2}}/\d{{1,2}}/|\d{{1,2}}-\d{{1,2}}-){_YEAR}(?!\w|[./-]\d)"
_YEAR_FIRST = rf"{_YEAR}(?:\.\d{{1,2}}\.|/\d{{1,2}}/)\d{{1,2}}(?!\w|[./-]\d)"
_ACCOUNT = r"[A-Z]{2}\d\d(?: [A-Z\d]{4}){2,7}(?: [A-Z\d]{1,3})?(?!\w)"
_ABROAD = r"(?:\+|00(?=[1-9]))\d[\d ./()-]{5,22}\d(?!\w)"
_AT_HOME = (
    r"(?<!\d[-/])(?:\(0[1-9]\d{0,4}\)|0[1-9]\d{0,4}(?=[ /.-]))[ /.-]{0,3}\d[\d /.-]{3,16}\d(?!\w)"
    r"|0[1-9]\d{7,11}(?!\w)"
    r"|(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}(?!\w)"
)
_GROUPED = rf"\d{{1,3}}(?:(?:\.\d{{3}})+|(?:,\d{{3}})+|(?:'\d{{3}})+|(?: \d{{3}})+)(?:[.,]\d{{1,4}})?{_END}"
_DECIMAL = rf"(?<![.,])\d+,\d{{1,2}}{_END}"
_GROUP = re.compile(rf"(?<![\w.])(?<![^\W\d]-)(?:{_DAY_FIRST}|{_YEAR_FIRST}|{_ABROAD}|{_AT_HOME}|{_GROUPED}|{_DECIMAL})")
_CANDIDATE = re.compile(r"[\d+(](?:\d{0,24}[ ./,'()-][\d ./,'()-]*\d|\d{8,12}(?!\d))")  # cheap: most texts have few
_NEXT_NUMBER = re.compile(r"\d*[^\d+(]*")
_ACCOUNTS = re.compile(_ACCOUNT)

_IS_DAY = re.compile(rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_DATE = re.compile(r"(\d{1,4})[./-] ?(\d{1,2})[./-] ?(\d{1,4})")
_SUM = re.compile(r"(\d{1,3})(?:([.,' ])\d{3})(?:\2\d{3})*(?:([.,])(\d{1,4}))?")
_SEPARATORS = re.compile(r"\D+")
_FEWEST_DIGITS, _MOST_DIGITS = 6, 13  # of a telephone number without its country's prefix
_ACCOUNT_DIGITS = 8  # fewer are words in capitals
_SHORT_COUNTRIES = re.compile(  # telephone prefixes of two digits; 1 and 7 have one, all others three (ITU-T E.164)
    "20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
)
_MONTHS = (
    "january|jan|januar|janvier|enero|gennaio|janeiro|januari",
    "february|feb|februar|fevrier|febrero|febbraio|fevereiro|februari",
    "march|mar|marz|mars|marzo|marco|maart", "april|apr|avril|abril|aprile", "may|mai|mayo|maggio|maio|mei|maj",
    "june|jun|juni|juin|junio|giugno|junho", "july|jul|juli|juillet|julio|luglio|julho", "august|aug|aout|agosto|augustus",
    "september|sep|sept|septembre|septiembre|settembre|setembro", "october|oct|oktober|okt|octobre|octubre|ottobre|outubro",
    "november|nov|novembre|noviembre|novembro", "december|dec|dezember|dez|decembre|diciembre|dicembre|dezembro",
)  # fmt: skip
MONTHS: dict[str, int] = {name: month for month, names in enumerate(_MONTHS, 1) for name in names.split("|")}


def groups(text: str) -> list[tuple[int, int]]:
    """The start and the end of each number in groups, in order."""
    accounts = [each.span() for each in _ACCOUNTS.finditer(text)]
    found = accounts.copy()
    for candidate in _CANDIDATE.finditer(text):
        at, end = candidate.span()
        while at < end:
            group = _GROUP.match(text, at)
            if group and not any(start < group.end() and at < stop for start, stop in accounts):
                found.append(group.span())
            beyond = group or _NEXT_NUMBER.match(text, at)
            at = max(at + 1, beyond.end() if beyond else at)
    return sorted(found)


def readings(run: str) -> tuple[tuple[str, ...], ...]:
    """The numbers that one of the `groups` may mean, each as terms side by side; () where it is only numbers in a row."""
    if run[0].isalpha():
        return ((run.replace(" ", "").lower(),),) if sum(map(str.isdigit, run)) >= _ACCOUNT_DIGITS else ()
    if date := _DATE.fullmatch(run):
        return tuple((day,) for day in _days(*date.groups()))
    found = _SUM.fullmatch(run)
    if found and found[3] != found[2] and not _is_address(run):
        whole = _SEPARATORS.sub("", run[: found.start(3)] if found[3] else run)
        return ((whole, found[4]) if found[4] else (whole,),)
    number = _subscriber(run) if run[0] in "+(0" or run.count("-") + run.count(" ") + run.count(".") == 2 else ""
    return tuple((each,) for each in dict.fromkeys((number, _SEPARATORS.sub("", run.replace("(0)", ""))))) if number else ()


def settled(run: str) -> tuple[str, ...]:
    """The only number that one of the `groups` can mean: whole, and its decimals; () where it may mean another."""
    found = _SUM.fullmatch(run)
    if not found or found[3] == found[2] or _is_address(run):
        return ()
    if found[2] in ",'" or found[4] or (found[2] == "." and run.count(".") > 1):
        return readings(run)[0]
    return ()


def days_named(words: list[str]) -> list[str]:
    """The days (20240317) that folded words name in order: day, month and year, or month, day and year."""
    found = []
    for first, second, year in zip(words, words[1:], words[2:], strict=False):
        day, month = (first, second) if second in MONTHS else (second, first)
        day = day.rstrip("stndrh.")
        if month in MONTHS and day.isdigit() and 1 <= int(day) <= 31 and re.fullmatch(_YEAR, year):
            found.append(f"{year}{MONTHS[month]:02}{int(day):02}")
    return found


def is_day(number: str) -> bool:
    """Whether a number is a day of this century or the last, written as 20240317."""
    return (
        len(number) == 8
        and number.isdigit()
        and number[:2] in ("19", "20")
        and "01" <= number[4:6] <= "12"
        and "01" <= number[6:] <= "31"
    )


def spellings(day: str) -> list[tuple[str, ...]]:
    """A day (20240317) as the words by which texts name it: `17 march 2024`, `march 17 2024`, `march 17 th 2024` …"""
    year, month, number = day[:4], int(day[4:6]), str(int(day[6:]))
    end = "th" if number in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    found: list[tuple[str, ...]] = []
    for name in _MONTHS[month - 1].split("|"):
        found.append((number, name, year))
    for name in _MONTHS[month - 1].split("|")[:2]:
        found += [(name, number, year), (name, number, end, year), (number, end, name, year)]
    return list(dict.fromkeys(found))


def _days(first: str, second: str, third: str) -> list[str]:
    choices = [(first, second, third)] if len(first) == 4 else [(third, second, first), (third, first, second)]
    return list(dict.fromkeys(f"{y}{int(m):02}{int(d):02}" for y, m, d in choices if 1 <= int(m) <= 12 and 1 <= int(d) <= 31))


def _is_address(run: str) -> bool:
    """Four numbers up to 255 with dots are a machine's address."""
    parts = run.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def _subscriber(run: str) -> str:
    """A telephone number without its country's prefix and the 0 before the area; "" where it is none."""
    abroad = run.startswith(("+", "00"))
    digits = _SEPARATORS.sub("", run.replace("(0)", ""))
    if abroad:
        digits = digits.removeprefix("00")
        digits = digits[1 if digits[0] in "17" else 2 if _SHORT_COUNTRIES.match(digits) else 3 :]
    digits = digits.lstrip("0")
    return digits if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS else ""
