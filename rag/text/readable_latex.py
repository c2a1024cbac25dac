"""LaTeX without its commands: the words, letters and signs that it prints.

Knows the commands that print something of their own; of all others, what they are given is kept.
"""

from __future__ import annotations

import re
import unicodedata

_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_SILENT = re.compile(  # with what they are given
    r"\\(?:label|ref|eqref|pageref|autoref|cref|[a-zA-Z]{0,10}cite[a-zA-Z]{0,10}|includegraphics|usepackage|documentclass|input|include"
    r"|bibliography(?:style)?|[hv]space|setlength|pagestyle|thispagestyle|color|textcolor|fontsize|phantom|index|hypersetup)\*?"
    r"(?:\[[^\[\]]{0,300}\])*(?:\{[^{}]{0,300}\})?"
)
_ENVIRONMENT = re.compile(
    r"\\(?:begin|end)\{[^{}]{0,60}\}(?:\[[^\[\]]{0,200}\])*(?:(?<=\})\{[lcrpmbX|@{}.\d\\a-z ]{0,100}\})?", re.IGNORECASE
)
_LINK = re.compile(r"\\href\{[^{}]{0,500}\}")
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]{0,200})\}\{([^{}]{0,200})\}")
_ACCENT = re.compile(r"\\(?:([`'^\"~=.])|([cuvHrk])(?=[\s{]))\s*(?:\{\\?([A-Za-z])\}|([A-Za-z])(?![A-Za-z]*\}))")
_COMBINING = dict(
    zip("`'^\"~=.cuvHrk", "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0327\u0306\u030c\u030b\u030a\u0328", strict=True)
)
_COMMAND = re.compile(r"\\([A-Za-z]{1,40})\*?(?:\[[^\[\]\n]{0,300}\])?[ \t]?")
_SIGNS = {
    "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "approx": "≈", "times": "×", "cdot": "·", "pm": "±", "infty": "∞",
    "rightarrow": "→", "to": "→", "leftarrow": "←", "Rightarrow": "⇒", "sum": "∑", "int": "∫", "prod": "∏", "partial": "∂",
    "nabla": "∇", "in": "∈", "subset": "⊂", "cup": "∪", "cap": "∩", "forall": "∀", "exists": "∃", "sqrt": "√", "dots": "…",
    "ldots": "…", "cdots": "…", "LaTeX": "LaTeX", "TeX": "TeX", "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø",
    "O": "Ø", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł", "i": "i", "degree": "°", "euro": "€", "item": "• ", "S": "§",
}  # fmt: skip
_ESCAPED = re.compile(r"\\([%&$#_{}])")
_LINE = re.compile(r"\\\\(?:\[[^\[\]\n]{0,20}\])?")
_HELD = {"%": "\ue000", "&": "\ue001", "$": "\ue002", "#": "\ue003", "_": "\ue004", "{": "\ue005", "}": "\ue006"}


def without_latex(text: str) -> str:
    """What the source prints, lines kept."""
    text = _ESCAPED.sub(lambda mark: _HELD[mark[1]], text)
    text = _ENVIRONMENT.sub("", _SILENT.sub("", _COMMENT.sub("", text)))
    text = _ACCENT.sub(_accented, _LINE.sub(" ", _LINK.sub("", text)))
    text = _FRACTION.sub(r"\1/\2", text)
    text = _COMMAND.sub(_printed, text)
    text = text.replace("``", "“").replace("''", "”").replace("---", "—").replace("--", "–").replace("~", " ")
    text = re.sub(r"[ \t]*&[ \t]*", " · ", text)
    text = re.sub(r"\\[,;:!>() \[\]]|[{}$]", lambda mark: " " if mark[0] in ("\\ ", "\\;", "\\,") else "", text)
    for sign, held in _HELD.items():
        text = text.replace(held, sign)
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))


def _accented(mark: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", (mark[3] or mark[4]) + _COMBINING[mark[1] or mark[2]])


def _printed(mark: re.Match[str]) -> str:
    name, space = mark[1], " " * mark[0].endswith(" ")
    if name in _SIGNS:
        return _SIGNS[name] + ("" if _SIGNS[name].isalpha() else space)  # `Stra\ss e` is one word
    size = "SMALL" if name[0].islower() else "CAPITAL"
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}") + space
    except KeyError:
        return ""
