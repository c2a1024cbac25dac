"""Decodes the bytes of a file: in which encoding, and whether they are text at all.

Knows no format. Order of trust: a byte order mark, valid UTF-8, UTF-16 without a mark, what the first kilobyte
declares (`charset=`, `encoding=`, `coding:`), then a guess over a short list of encodings.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits

BINARY = "contains binary data, not text"

_MARKS = (  # the longer mark first: UTF-32-LE begins as UTF-16-LE does
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\r\f\v\x1b")) + b"\x7f"
_MAX_CONTROLS = 0.02  # share of control characters; random bytes have 0.10, text next to none
_DECLARED = re.compile(rb"""(?:charset|encoding|coding)\s*[=:]\s*["']?\s*([A-Za-z][\w.-]{1,30})""", re.IGNORECASE)
_TRUSTED = re.compile(r"cp\d{3,4}|iso8859-\d{1,2}|koi8-[rut]|mac-roman|gb18030|hz|big5hkscs|euc_jp|iso2022_jp")
_SUPERSETS = {  # declared name → the superset really written (WHATWG Encoding Standard, table of labels)
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "tis-620": "cp874",
}
_GUESSED = ("gb18030", "big5", "cp932", "cp949", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "cp1252")
_SAMPLE = 64 * 1024  # bytes; guessing on more changed no answer
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_CENTRAL_EUROPEAN = re.compile(rb"[A-Za-z][\xa3\xa5\xb1\xb3\xb6\xb9\xbc\xbe\xbf][a-z]")  # signs in cp1252, letters in cp1250
_COMMON = re.compile(
    "[\\t\\n\\r -~\u00a0-\u024f\u0370-\u06ff\u0900-\u0e7f\u2010-\u2027\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]"
)

_SEPARATORS = re.compile("[ \n,.\u3000\u3001\u3002\uff0c]")
_MIN_SEPARATORS = 0.015  # share of characters; Chinese has 0.08, pixels and other 16-bit numbers at most 0.007


def read_bytes(file: Path, limits: Limits, most: int = 0) -> bytes:
    """The bytes of a text file. UnreadableDocument where it is empty, too large, or cannot be opened.

    `most` is the limit where it is not `max_text_bytes`.
    """
    most = most or limits.max_text_bytes
    try:
        with file.open("rb") as stream:
            raw = stream.read(most + 1)
            size = len(raw) if len(raw) <= most else max(most + 1, file.stat().st_size)
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
    if size > most:
        raise UnreadableDocument(f"has {size:,} bytes of text; the limit max_text_bytes is {most:,}")
    if not raw:
        raise UnreadableDocument("is empty")
    return raw


def read_text(file: Path, limits: Limits) -> str:
    """The text of a file, with \\n as line ends. UnreadableDocument where it is empty, blank, binary or too large."""
    return decoded(read_bytes(file, limits))


def decoded(raw: bytes, declared: str = "") -> str:
    """Bytes to text with \\n as the only line end; `declared` names an encoding that came with them.

    UnreadableDocument where they are not text, or only white space.
    """
    if not raw.strip():
        raise UnreadableDocument("is empty")
    text = _with_mark(raw)
    if not text and _is_binary(raw):
        text = _utf16(raw)
    elif not text:
        text = _utf8(raw) or _utf16(raw) or _as_declared(raw, declared) or _guessed(raw)
    if not text:
        raise UnreadableDocument(BINARY)
    if text.isspace():
        raise UnreadableDocument("is empty")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", " ")


def holds_text(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a text, or white space, in any encoding read here."""
    try:
        return bool(decoded(head))
    except UnreadableDocument as refused:
        return refused.what != BINARY


def _is_binary(raw: bytes) -> bool:
    return len(raw) - len(raw.translate(None, _CONTROLS)) > _MAX_CONTROLS * len(raw)


def _with_mark(raw: bytes) -> str:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            text = raw[len(mark) :].decode(encoding, "replace")
            if encoding == "utf-8":
                return "" if _is_binary(raw) else text or " "
            sample = text[:_SAMPLE]
            if len(_COMMON.findall(sample)) >= 0.5 * len(sample) and sample.count("\ufffd") <= 0.01 * len(sample):
                return text or " "
    return ""


def _utf8(raw: bytes) -> str:
    """UTF-8, also with a broken character or two: a log cut in the middle is still UTF-8."""
    if b"\x1b$" in raw and raw.isascii():
        return _strictly(raw, "iso2022_jp") or raw.decode("ascii")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    intact = len(text) - len(text.encode("ascii", "ignore")) - broken  # intact characters of several bytes
    return text if broken * 2 <= intact else ""


def _utf16(raw: bytes) -> str:
    """UTF-16 without a mark: it contains NULs (in spaces and line ends) and, in the right byte order, common characters.

    Two-byte pixels look like rare Chinese characters, but have no separators.
    """
    head = raw[: _SAMPLE & ~1]
    if b"\0" not in head or len(head) < 4:
        return ""
    shares = {}
    for encoding in ("utf-16-le", "utf-16-be"):
        units = head[: len(head) & ~1].decode(encoding, "replace")
        separated = len(_SEPARATORS.findall(units)) >= _MIN_SEPARATORS * len(units)
        shares[encoding] = len(_COMMON.findall(units)) / len(units) if separated else 0.0
    encoding = max(shares, key=lambda name: shares[name])
    return raw[: len(raw) & ~1].decode(encoding, "replace") if shares[encoding] > 0.8 else ""


def _as_declared(raw: bytes, declared: str) -> str:
    for name in (declared, *(name.decode("ascii") for name in _DECLARED.findall(raw, 0, 1024))):
        try:
            encoding = codecs.lookup(name).name
        except (LookupError, ValueError):
            continue
        encoding = _SUPERSETS.get(encoding, encoding)
        if _TRUSTED.fullmatch(encoding) and (text := _strictly(raw, encoding)):
            return text
    return ""


def _guessed(raw: bytes) -> str:
    encoding = _guess(raw[:_SAMPLE])
    return raw.decode(encoding, "replace") if encoding else ""


def _guess(head: bytes) -> str:
    """The likeliest encoding of bytes that are not Unicode; "" where nothing fits.

    Western text is recognised by its lone high bytes (charset-normalizer took French for `mac_latin2`), EUC-JP by its kana
    (it took that for `cp949`); for the rest, charset-normalizer chooses among the encodings in use.
    """
    runs = _HIGH_RUN.findall(head)
    high = sum(map(len, runs))
    if high <= 0.3 * len(head) and sum(len(run) == 1 for run in runs) >= 0.6 * len(runs):
        return "cp1250" if _CENTRAL_EUROPEAN.search(head) and _strictly(head, "cp1250") else "cp1252"
    if sum(len(re.findall(rb"[\xa4\xa5][\xa1-\xf6]", run)) for run in runs) * 2 > 0.25 * high and _strictly(head, "euc_jp"):
        return "euc_jp"
    from charset_normalizer import from_bytes

    best = from_bytes(head, cp_isolation=list(_GUESSED)).best()
    if best is not None:
        return best.encoding
    return "cp1252" if high < 0.5 * len(head) else ""


def _strictly(raw: bytes, encoding: str) -> str:
    """The text, or "" where the bytes are not valid in that encoding; the last character may be cut off."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        return raw.decode(encoding, "ignore") if 0 < error.start >= len(raw) - 4 else ""
