"""The code pages of rich text: of its fonts by their charset, and of the whole file.

Knows numbers and Python's codecs; knows no text.
"""

from __future__ import annotations

import codecs
from functools import cache

_CHARSETS = {  # RTF 1.9, table of \fcharset
    **{77: "mac_roman", 78: "shift_jis", 79: "big5", 80: "euc_kr", 81: "mac_arabic", 83: "mac_greek", 84: "mac_cyrillic"},
    **{
        85: "gb2312",
        86: "mac_romanian",
        89: "mac_latin2",
        128: "cp932",
        129: "cp949",
        130: "johab",
        134: "gb18030",
        136: "cp950",
    },
    **{161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874"},
    **{238: "cp1250", 254: "cp437", 255: "cp850"},
}


_PAGES = {10_000: "mac_roman", 65_001: "utf-8", 936: "gb18030"}


@cache
def charset_codec(number: int) -> str:
    """The codec of the charset of a font; Western European where there is none."""
    return _known(_CHARSETS.get(number, "cp1252"))


@cache
def page_codec(number: int) -> str:
    """The codec of a code page; Western European where there is none."""
    return _known(_PAGES.get(number, f"cp{number}"))


def _known(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def decoded_as(raw: bytes, codec: str) -> str:
    """Bytes of a code page as text; what is no character is left out."""
    return raw.decode(codec, "ignore")


def joined_surrogates(text: str) -> str:
    """Characters beyond 16 bits, which are written as two numbers, as one each."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
