"""Says in plain words what libraries say of damaged files in the words of their formats.

Knows what the libraries say (Pillow, zipfile, tarfile, zlib, lzma, olefile, xlrd, libgxps, DjVuLibre); knows no file. What it
does not know is kept.
"""

from __future__ import annotations

import re

PACK_AGAIN = "is packed with a method that cannot be unpacked here; unpack it and pack it again as a plain .zip"
SAVE_AS_XLSX = "open it in Excel or LibreOffice and save it as .xlsx"
SAVE_AS_PNG = "open it with the program that made it and save it as PNG or JPEG"

_ENDS = "it ends too early; copy or download it again"
_WORDS: tuple[tuple[str, str], ...] = (  # the first that is found counts
    (r"truncat|incomplete|unexpected end|ended (before|unexpectedly)|ends? too early|premature|missing EOF", _ENDS),
    (r"end of file header", _ENDS),
    (r"less than declared|too short|not enough (data|sectors)|No more images", _ENDS),
    (r"\bcrc\b|checksum", "its checksum is wrong; copy or download it again"),
    (
        r"invalid (stored|code|distance|literal|block|bit|window)|incorrect (header|data|length) check|corrupt input data",
        "packed",
    ),
    (
        r"invalid compressed data|error -\d while decompressing|while decompressing|invalid data stream",
        "packed",
    ),
    (r"not a zip file|magic number|central directory|extra field|negative seek|bad offset", "directory"),
    (
        r"broken|chunk|marker|sector|\bFAT\b|DIFAT|OLE |stream|record|header|quantization|dimension|tile|frame|BIFF|XF index",
        "parts",
    ),
    (r"ZIP (decompression failed|uncompressed data)", "packed"),
    (r"internal error|not found in archive", "parts"),
    (r"b'[^']*'|b\"[^\"]*\"|0x[0-9a-f]+|\bunpack requires\b|buffer|struct|codec|index out of range", "parts"),
)
_MEANT = {
    "packed": "its packed content is damaged; copy or download it again",
    "directory": "its table of contents is damaged or missing; copy or download it again",
    "parts": "its parts do not fit together",
}
_KNOWN = tuple((re.compile(pattern, re.IGNORECASE), _MEANT.get(plain, plain)) for pattern, plain in _WORDS)


def damage(said: str) -> str:
    """The damage that a library reports, in plain words; `said` itself where its words are not known."""
    return next((plain for pattern, plain in _KNOWN if pattern.search(said)), said)


def workbook_fault(said: str) -> str:
    """Why xlrd cannot read a workbook, as a reason with what to do."""
    if "not supported" in said or "Unsupported" in said or "Expected BOF" in said:
        return f"is of a version of Excel, or of a kind, that cannot be read here; {SAVE_AS_XLSX}"
    if "BIFF version" in said or "find workbook" in said:
        return f"holds no workbook that can be recognised; {SAVE_AS_XLSX}"
    return f"is a damaged Excel workbook: {damage(said)}; {SAVE_AS_XLSX}"
