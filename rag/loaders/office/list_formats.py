"""The numbers of lists as office programs write them: decimal, Roman, letters, Chinese and other scripts.

Knows numbers and the names that WordprocessingML (ECMA-376, 17.18.59 ST_NumberFormat) gives their formats; knows no list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_IROHA = "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン"
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_MOST_REPEATS = 20  # of a letter, where a list is longer than the alphabet
_MOST = 9_999  # beyond, every format is decimal


def format_number(number: int, name: str) -> str:
    """A number of a list in the named format; decimal where the format, or the number in it, is unknown. "" for `none`."""
    if name in ("none", "bullet"):
        return ""
    if not 0 < number <= _MOST or name not in _FORMATS:
        return str(number)
    return _FORMATS[name](number)


def _roman(number: int) -> str:
    written = ""
    for value, letters in _ROMAN:
        written += letters * (number // value)
        number %= value
    return written


def _ordinal(number: int) -> str:
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _lettered(letters: str) -> Callable[[int], str]:
    """a … z, then aa, bb … zz, as Word goes on."""

    def write(number: int) -> str:
        repeats, place = divmod(number - 1, len(letters))
        return letters[place] * (repeats + 1) if repeats < _MOST_REPEATS else str(number)

    return write


def _listed(signs: str) -> Callable[[int], str]:
    """One sign for each number, as far as they go."""
    return lambda number: signs[number - 1] if number <= len(signs) else str(number)


def _digits(signs: str) -> Callable[[int], str]:
    """Decimal, in the ten digits of a script, zero first."""
    return lambda number: str(number).translate(str.maketrans("0123456789", signs))


def _chinese(digits: str, units: str) -> Callable[[int], str]:
    """十一, 二十, 一百零五: digits from 零, units from ten; a leading one before the tens is left out in everyday writing."""

    def write(number: int) -> str:
        written, gap = "", False
        for place in range(len(str(number)) - 1, -1, -1):
            digit = number // 10**place % 10
            if digit:
                written += digits[0] * (gap and bool(written)) + digits[digit] + (units[place - 1] if place else "")
            gap = not digit
        everyday = digits[1] == "一"
        return written[1:] if everyday and 10 <= number < 20 else written

    return write


_counted = _chinese("零一二三四五六七八九", "十百千")
_legal_simplified = _chinese("零壹贰叁肆伍陆柒捌玖", "拾佰仟")
_legal_traditional = _chinese("零壹貳參肆伍陸柒捌玖", "拾佰仟")

_FORMATS: Mapping[str, Callable[[int], str]] = {
    "decimalZero": lambda number: f"{number:02}",
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "lowerLetter": _lettered(_LATIN),
    "upperLetter": _lettered(_LATIN.upper()),
    "ordinal": _ordinal,
    "chineseCounting": _counted,
    "chineseCountingThousand": _counted,
    "taiwaneseCounting": _counted,
    "taiwaneseCountingThousand": _counted,
    "japaneseCounting": _counted,
    "chineseLegalSimplified": _legal_simplified,
    "ideographLegalTraditional": _legal_traditional,
    "japaneseLegal": _legal_traditional,
    "ideographDigital": _digits("〇一二三四五六七八九"),
    "japaneseDigitalTenThousand": _digits("〇一二三四五六七八九"),
    "taiwaneseDigital": _digits("○一二三四五六七八九"),
    "koreanDigital": _digits("영일이삼사오육칠팔구"),
    "koreanDigital2": _digits("零一二三四五六七八九"),
    "decimalFullWidth": _digits("０１２３４５６７８９"),
    "decimalFullWidth2": _digits("０１２３４５６７８９"),
    "thaiNumbers": _digits("๐๑๒๓๔๕๖๗๘๙"),
    "hindiNumbers": _digits("०१२३४५६७८९"),
    "decimalEnclosedCircle": _listed("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"),
    "decimalEnclosedCircleChinese": _listed("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"),
    "decimalEnclosedFullstop": _listed("⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑⒒⒓⒔⒕⒖⒗⒘⒙⒚⒛"),
    "decimalEnclosedParen": _listed("⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽⑾⑿⒀⒁⒂⒃⒄⒅⒆⒇"),
    "ideographEnclosedCircle": _listed("㊀㊁㊂㊃㊄㊅㊆㊇㊈㊉"),
    "ideographTraditional": _listed("甲乙丙丁戊己庚辛壬癸"),
    "ideographZodiac": _listed("子丑寅卯辰巳午未申酉戌亥"),
    "ganada": _lettered("가나다라마바사아자차카타파하"),
    "chosung": _lettered("ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"),
    "aiueoFullWidth": _lettered("アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"),
    "iroha": _lettered(_IROHA),
    "irohaFullWidth": _lettered(
        "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン"
    ),
    "russianLower": _lettered("абвгдежзиклмнопрстуфхцчшщыэюя"),
    "russianUpper": _lettered("АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ"),
    "arabicAlpha": _lettered("أبتثجحخدذرزسشصضطظعغفقكلمنهوي"),
    "arabicAbjad": _lettered("أبجدهوزحطيكلمنسعفصقرشتثخذضظغ"),
    "hebrew2": _lettered("אבגדהוזחטיכלמנסעפצקרשת"),
    "thaiLetters": _lettered("กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ"),
}
