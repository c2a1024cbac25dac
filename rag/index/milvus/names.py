"""Writes names and keys so that no expression needs quoting, whatever a file is called.

Knows text; knows no collection. Milvus' text is UTF-8, its expressions have quotes, backslashes and wildcards, and engines differ
in how these are escaped: names are stored with `~` and two hexadecimal digits for each such character, in an order of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from rag.types import DocumentId

_SPECIAL = re.compile("[\x00-\x1f\"'%\\\\_~\x7f\ud800-\udfff]")
_ESCAPED = re.compile("~([0-9a-f]{2})")
_WILDCARD = re.compile(r"[*?\[]")


def to_field(name: str) -> str:
    """A path or a name as it is stored. Bytes of a file name that are not UTF-8 are kept."""
    return _SPECIAL.sub(lambda found: f"~{_code(found[0]):02x}", name)


def from_field(stored: str) -> str:
    """The reverse of `to_field`."""
    return _ESCAPED.sub(lambda found: _character(int(found[1], 16)), stored)


def _code(character: str) -> int:
    code = ord(character)
    if code < 0x80:
        return code
    return code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else ord("?")  # other surrogates stand in no file name


def _character(code: int) -> str:
    return chr(code) if code < 0x80 else chr(0xDC00 + code)


def document_key(document: DocumentId) -> str:
    """The key of a document: a hash of its root and path, 32 hexadecimal digits."""
    return hashed(to_field(document.root).encode(), to_field(document.path).encode())


def hashed(*parts: bytes) -> str:
    """A hash of parts, 32 hexadecimal digits; no two lists of parts are written alike."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def among(field: str, values: Iterable[str]) -> str:
    """The expression for a field that has one of some stored names or keys."""
    return f"{field} in [{', '.join(f'{chr(34)}{value}{chr(34)}' for value in values)}]"


def both(*expressions: str) -> str:
    """All of some expressions; empty ones ask for nothing."""
    asked = [each for each in expressions if each]
    return asked[0] if len(asked) == 1 else " and ".join(f"({each})" for each in asked)


def either(expressions: Sequence[str]) -> str:
    """One of some expressions."""
    return expressions[0] if len(expressions) == 1 else " or ".join(f"({each})" for each in expressions)


def paths_alike(globs: Sequence[str]) -> str:
    """An expression for more passages than the globs mean, never for fewer; "" where nothing can be said.

    Compared is what stands before the first wildcard of a glob that begins at the root, and the end of one like `*.pdf`; both
    only where they are ASCII, as accents may be composed in one name and not in another. Files inside documents are all kept.
    """
    asked = []
    for glob in globs:
        plain = glob.removeprefix("./").lstrip("/")
        begins = _WILDCARD.split(plain)[0]
        anchored = glob.startswith(("/", "./")) or "/" in plain or begins == plain
        if plain.startswith("*") and not anchored and not _WILDCARD.search(plain[1:]) and plain.isascii():
            asked.append(f'path like "%{to_field(plain[1:])}"')
        elif anchored and begins.isascii() and begins.rstrip("/"):
            asked.append(f'path like "{to_field(begins.rstrip("/"))}%"')
        else:
            return ""
    return either([*asked, 'inner != ""']) if asked else ""
