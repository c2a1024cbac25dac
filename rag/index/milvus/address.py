"""Reads where an index in Milvus is: `milvus://HOST:19530/NAME`, `milvus+tls://`, or the path of an embedded one.

Knows addresses; connects to nothing. A token never stands in an address: messages and process lists show it.

    milvus://HOST:19530/NAME             a server, its default database
    milvus://HOST:19530/DATABASE/NAME    another database of it
    milvus+tls://HOST:443/NAME           over TLS
    milvus-lite:///srv/team.db           embedded, in one file: for trying, on one machine
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rag.errors import WrongRequest
from rag.location import user_cache_folder

PORT = 19_530
_FORMS = "milvus://HOST:19530/NAME, milvus+tls://HOST:19530/NAME or milvus-lite:///path/to/file.db"
_MOST_FILE_NAME = 36  # characters: Milvus' core takes no more
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an index is. `shown` is what messages say, `uri` what the client connects to."""

    shown: str
    uri: str
    name: str
    database: str = ""
    file: Path | None = None  # of an embedded one

    @property
    def derived(self) -> Path:
        """The folder of this user for what is made from the index and may be lost: $XDG_CACHE_HOME/rag/milvus/NAME-…"""
        return user_cache_folder() / "rag/milvus" / f"{self.name}-{blake2b(self.shown.encode(), digest_size=8).hexdigest()}"

    @property
    def uploads(self) -> Path:
        """The folder of this machine for files that people hand in: beside an embedded index, else in the folder of today."""
        return (self.file.parent if self.file else Path.cwd() / "indexes") / f"{self.name}-uploads"


def parse_address(text: str) -> Address:
    """The address in a text. WrongRequest where it is none, or holds a password."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise WrongRequest(f"{text} is no address: {error}", remedy=f"write {_FORMS}") from error
    if parts.username or parts.password:
        shown = f"{parts.scheme}://…@{parts.hostname}"
        raise WrongRequest(
            f"{shown} holds a password, which others would see", remedy="set RAG_MILVUS_TOKEN=USER:PASSWORD instead"
        )
    if parts.query or parts.fragment:
        raise WrongRequest(f"{text}: nothing may follow the name", remedy=f"write {_FORMS}")
    if parts.scheme == "milvus-lite":
        return _embedded(text, unquote(parts.netloc + parts.path))
    if parts.scheme not in ("milvus", "milvus+tls"):
        raise WrongRequest(f"no index can be kept at {text}", remedy=f"name a folder, or write {_FORMS}")
    names = [name for name in parts.path.split("/") if name]
    if not parts.hostname or not 1 <= len(names) <= 2:
        raise WrongRequest(f"{text} does not name a host and an index", remedy=f"write {_FORMS}")
    for name in names:
        if not _NAME.fullmatch(name):
            raise WrongRequest(f"{name!r} cannot name an index in Milvus", remedy="use letters, digits and _, at most 100")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    scheme = "https" if parts.scheme == "milvus+tls" else "http"
    return Address(text, f"{scheme}://{host}:{port or PORT}", names[-1], names[0] if len(names) == 2 else "")


def _embedded(text: str, path: str) -> Address:
    file = Path(path).expanduser().absolute()
    if file.suffix == ".db" and not (_NAME.fullmatch(file.stem) and len(file.name) <= _MOST_FILE_NAME):
        raise WrongRequest(
            f"{file.name!r} cannot name an index in one file",
            remedy=f"use letters, digits and _ before the .db, at most {_MOST_FILE_NAME - 3}; folders may have any name",
        )
    if file.suffix != ".db" or not file.stem:
        raise WrongRequest(f"{text} does not name a file that ends in .db", remedy="write milvus-lite:///path/to/file.db")
    return Address(f"milvus-lite://{file}", str(file), file.stem, file=file)
