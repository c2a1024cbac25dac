"""Numbers as a spreadsheet shows them: a format code and a number to "17.5%", "€1,234.50", "30 Nov 2025".

Knows the format codes of ECMA-376-1, 18.8.31, as Excel, its old formats and their imitators write them; knows no workbook.
Month and day names are English: a code that asks for those of another language has no displayed form here.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from rag.loaders.office.date_format import date_form, iso_form

Shown = Callable[[float], str]

BUILT_IN = {  # the codes that files name by number, ECMA-376-1, 18.8.30; 14 and 22 are shown as the machine writes dates
    **{1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??"},
    **{14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm"},
    **{21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)"},
    **{40: "#,##0.00;(#,##0.00)", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@"},
}
_MAX_INTEGER = 1e21  # longer ones are shown with an exponent
_MAX_CODE = 255  # characters, Excel's own limit
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]?'
    r"|(?P<general>General)|(?P<clock>AM/PM|A/P)|(?P<power>E[+-])|(?P<date>y+|m+|d+|h+|s+|g+|e+|b+)|(?P<digit>[0#?])"
    r"|(?P<sign>[.,%/@])|(?P<plain>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
Token = tuple[str, str]  # (name of the group, text)


def shown_form(code: str, epoch: datetime.date) -> Shown | None:
    """How a code shows numbers; None where it shows them as they are. `epoch` is the day that dates are counted from."""
    if len(code) > _MAX_CODE or code.strip().lower() in ("", "general", "@"):
        return None
    sections = [_tokens(section) for section in _sections(code)][:4]
    forms = [_section_form(section, epoch) for section in sections]
    if all(form is None for form in forms):
        return None
    conditions = [next((mark for name, text in section if name == "bracket" and (mark := _CONDITION.fullmatch(text))), None)
                  for section in sections]  # fmt: skip

    def shown(number: float) -> str:
        at = _chosen(number, conditions, len(sections))
        form = forms[at]
        if form is None:
            return plain_number(number)
        signed = number < 0 and at == 0
        text = form(number if is_date(sections[at]) else abs(number))
        return f"-{text}" if signed and text and not is_date(sections[at]) and any(c in "123456789" for c in text) else text

    return shown


def number_text(code: str, epoch: datetime.date) -> Callable[[float], str]:
    """How a cell with this code reads: the displayed form, and behind it the stored number or the ISO date where it says more."""
    shown, dated = shown_form(code, epoch), shows_dates(code)
    if shown is None and not dated:
        return plain_number
    elapsed = "[" in code and dated and any(_is_elapsed(token) for token in _tokens(_sections(code)[0]))

    def text(number: float) -> str:
        stored = "" if elapsed else iso_form(number, epoch) if dated else plain_number(number)
        seen = shown(number) if shown is not None else ""
        if not seen or stored in (seen, f"{seen}:00") or (not dated and _is_same(seen, number)):
            return seen or stored or plain_number(number)
        return f"{seen} ({stored})" if stored else seen

    return text


def _is_same(seen: str, number: float) -> bool:
    """Whether a number is shown with nothing but zeros added: 1.50 for 1.5."""
    return seen.replace(".", "").lstrip("-").isdigit() and float(seen) == number


def plain_number(number: float) -> str:
    """A number with the 15 digits that spreadsheets keep; an integer with all of them."""
    return f"{number:.0f}" if abs(number) < _MAX_INTEGER and number.is_integer() else f"{number:.15g}"


def is_date(section: Sequence[Token]) -> bool:
    """Whether a section of a code shows dates or times."""
    return any(_is_elapsed(token) or (token[0] == "date" and token[1][0].lower() in "ymdhs") for token in section)


def _is_elapsed(token: Token) -> bool:
    """Whether a token counts hours, minutes or seconds beyond a day: [h]:mm."""
    return token[0] == "bracket" and bool(token[1]) and set(token[1].lower()) <= set("hms")


def shows_dates(code: str) -> bool:
    """Whether numbers with this code are dates or times."""
    return len(code) <= _MAX_CODE and any(is_date(_tokens(section)) for section in _sections(code)[:1])


def _sections(code: str) -> list[str]:
    return re.findall(r'(?:"[^"]*"?|\\.|\[[^\]]*\]?|[^;"\\\[])+|(?<=;)(?=;|$)', code, re.DOTALL) or [code]


def _tokens(section: str) -> list[Token]:
    return [(str(match.lastgroup), match[str(match.lastgroup)]) for match in _TOKEN.finditer(section)]


def _chosen(number: float, conditions: Sequence[re.Match[str] | None], count: int) -> int:
    """Which section shows a number: by its own conditions, else positive; negative; zero."""
    if any(conditions):
        for at, condition in enumerate(conditions[: min(count, 3)]):
            if condition is None or _holds(number, condition[1], float(condition[2])):
                return at
        return count - 1
    if number < 0 and count > 1:
        return 1
    return 2 if number == 0 and count > 2 else 0


def _holds(number: float, sign: str, other: float) -> bool:
    return {
        "<": number < other,
        ">": number > other,
        "=": number == other,
        "<=": number <= other,
        ">=": number >= other,
        "<>": number != other,
    }[sign]


def _section_form(tokens: Sequence[Token], epoch: datetime.date) -> Shown | None:
    if any(name == "general" for name, _ in tokens):
        around = [_literal(name, text) for name, text in tokens]
        return (
            (lambda number: "".join(around).replace("\0", plain_number(number))) if any(one != "\0" for one in around) else None
        )
    if is_date(tokens):
        return date_form(tokens, epoch)
    return _number_form(tokens)


def _literal(name: str, text: str) -> str:
    """What a token writes whatever the number is; "\\0" stands for the number itself."""
    if name == "bracket":  # [$€-407] is a currency; [Red] and [>100] show nothing
        return text[1:].partition("-")[0] if text.startswith("$") else ""
    if name == "general":
        return "\0"
    return {"space": " ", "fill": ""}.get(name, text)


def _number_form(tokens: Sequence[Token]) -> Shown:
    digits = [at for at, (name, _) in enumerate(tokens) if name == "digit"]
    if not digits:
        text = "".join(_literal(name, text) for name, text in tokens).strip()
        return lambda number: text
    first, last = digits[0], digits[-1]
    if any(token == ("sign", "/") for token in tokens[first:last]):
        return _fraction_form(tokens, first, last)
    point = next((at for at in range(first, last + 1) if tokens[at] == ("sign", ".")), last + 1)
    power = next((at for at in range(first, last + 1) if tokens[at][0] == "power"), last + 1)
    whole = [at for at in digits if at < min(point, power)]
    decimals = [at for at in digits if point < at < power]
    ends = {digits[-1], whole[-1]} if whole else {digits[-1]}
    commas = sum(_commas(tokens[at + 1 :]) for at in ends)  # each divides by a thousand
    groups = bool(whole) and ("sign", ",") in tokens[first : whole[-1]]
    factor = 100.0 ** sum(token == ("sign", "%") for token in tokens) / 1000.0**commas
    before = "".join(_literal(*token) for token in tokens[:first])
    after = "".join(_literal(*token) for token in tokens[last + 1 :] if token != ("sign", ","))
    fewest = sum(tokens[at][1] == "0" for at in decimals)
    exponent = sum(1 for at in digits if at > power)
    between = [_literal(*token) for token in tokens[first : (whole[-1] if whole else first)] if token[0] not in ("digit", "sign")]
    zeros = sum(tokens[at][1] == "0" for at in whole)

    def shown(number: float) -> str:
        number *= factor
        if power <= last:
            mantissa, _, size = f"{number:.{min(len(decimals), 15)}E}".partition("E")
            text = f"{mantissa}E{size[0] if size[0] == '-' or 'E+' in tokens[power][1].upper() else ''}"
            text += str(abs(int(size))).zfill(exponent)
        else:
            text = f"{number:{',' if groups else ''}.{min(len(decimals), 15)}f}"
            head, _, tail = text.partition(".")
            tail = tail[:fewest] + tail[fewest:].rstrip("0")
            head = head.zfill(zeros) if zeros > 1 else "" if head == "0" and not zeros and tail else head
            if any(between) and not groups:
                head = _filled(head, tokens[first : whole[-1] + 1])
            text = f"{head}.{tail}" if tail else head
        return " ".join(f"{before}{text}{after}".split())

    return shown


def _commas(tokens: Sequence[Token]) -> int:
    """How many commas a part of a code begins with."""
    return next((at for at, token in enumerate(tokens) if token != ("sign", ",")), len(tokens))


def _filled(digits: str, tokens: Sequence[Token]) -> str:
    """Digits in their places among literals, from the right: 5551234 as 000-0000 is 555-1234."""
    written: list[str] = []
    left = list(digits)
    for at in range(len(tokens) - 1, -1, -1):
        name, text = tokens[at]
        if name != "digit":
            written.append(_literal(name, text))
        elif left:
            written.append(left.pop())
    return "".join(left) + "".join(reversed(written))


def _fraction_form(tokens: Sequence[Token], first: int, last: int) -> Shown:
    bar = next(at for at in range(first, last) if tokens[at] == ("sign", "/"))
    most = 10 ** min(4, sum(1 for name, _ in tokens[bar:] if name == "digit")) - 1

    def shown(number: float) -> str:
        if number > 1e15:
            return plain_number(number)
        exact = Fraction(number).limit_denominator(max(1, most))
        whole, rest = divmod(exact.numerator, exact.denominator)
        part = f"{rest}/{exact.denominator}" if rest else ""
        return f"{whole} {part}".strip() if whole or not part else part

    return shown
