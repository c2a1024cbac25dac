"""Names of languages, from the codes and words by which files and tracks name them.

Knows ISO 639 codes of the languages films are subtitled in; detects no language.
"""

from __future__ import annotations

import re

_TABLE = """
ar ara Arabic; bg bul Bulgarian; bn ben Bengali; bs bos Bosnian; ca cat Catalan; cs cze ces Czech; cy wel cym Welsh; da
dan Danish; de ger deu German; el gre ell Greek; en eng English; es spa Spanish; et est Estonian; eu baq eus Basque; fa
per fas Persian; fi fin Finnish; fil tgl Filipino; fr fre fra French; ga gle Irish; gl glg Galician; he heb Hebrew; hi
hin Hindi; hr hrv Croatian; hu hun Hungarian; hy arm hye Armenian; id ind Indonesian; is ice isl Icelandic; it ita
Italian; ja jpn Japanese; ka geo kat Georgian; kk kaz Kazakh; km khm Khmer; ko kor Korean; lt lit Lithuanian; lv lav
Latvian; mk mac mkd Macedonian; ml mal Malayalam; mn mon Mongolian; mr mar Marathi; ms may msa Malay; my bur mya
Burmese; nb nob Norwegian; nl dut nld Dutch; no nor Norwegian; pl pol Polish; pt por Portuguese; ro rum ron Romanian; ru
rus Russian; sk slo slk Slovak; sl slv Slovenian; sq alb sqi Albanian; sr srp Serbian; sv swe Swedish; ta tam Tamil; te
tel Telugu; th tha Thai; tr tur Turkish; uk ukr Ukrainian; ur urd Urdu; uz uzb Uzbek; vi vie Vietnamese; zh chi zho
Chinese
"""
_NAMES = {
    code.lower(): words[-1] for words in (entry.split() for entry in _TABLE.replace("\n", " ").split(";")) for code in words
}
_BETWEEN = re.compile(r"[\s._()\[\]-]+")


def language_named(text: str) -> str:
    """The English name of the language that a code or a part of a file's name stands for, the last one named; "" for none."""
    parts = _BETWEEN.split(text.lower())
    return next((_NAMES[part] for part in reversed(parts) if part in _NAMES), "")
