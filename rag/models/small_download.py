"""Downloads the files of the small tier, once, because the user named it: from Hugging Face, each against its published SHA-256.

Knows the hub's addresses and headers; knows no model and no index. `HF_ENDPOINT` names a mirror.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.backends.small.files import NAME, PARTS, Part, folder_of, missing
from rag.errors import BackendError
from rag.models.selection import ModelChoice

if TYPE_CHECKING:
    import httpx

Say = Callable[[str], None]
HUB = "https://huggingface.co"
TIMEOUT = 60.0  # seconds without a byte


@dataclass(frozen=True, slots=True)
class _File:
    url: str
    place: Path
    size: int  # bytes; 0 where the hub does not say
    sha256: str  # of large files; "" for small ones, which the hub knows by a hash of Git


def fetch_if_named(chosen: ModelChoice, say: Say) -> None:
    """Downloads what the small tier lacks where it was named without a folder. `say` hears sizes, checksums and licences before.

    BackendError where the hub cannot be reached, or sends other bytes than it promises.
    """
    folder = folder_of(NAME)
    if chosen.backend != NAME or chosen.choice.model not in ("", NAME) or not missing(folder):
        return
    import httpx  # 30 ms, which every run would pay

    endpoint = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
    try:
        with httpx.Client(follow_redirects=False, timeout=TIMEOUT) as client:
            for part in PARTS:
                files = [_look(client, endpoint, part, source, folder / part.folder / name) for source, name in part.files]
                wanted = [file for file in files if not file.place.is_file()]
                if not wanted:
                    continue
                total = sum(file.size for file in wanted) / 1e6
                say(f"downloading {part.repository} ({part.licence}; {part.purpose}): {total:,.0f} MB to {folder / part.folder}")
                for file in wanted:
                    say(f"  {file.place.name}: {file.size:,} bytes{f', SHA-256 {file.sha256}' if file.sha256 else ''}")
                    _download(client, file)
    except (httpx.HTTPError, OSError) as error:
        raise BackendError(
            f"the small tier cannot be downloaded from {endpoint}: {str(error) or type(error).__name__}",
            remedy=f"try again; or copy its files to {folder}, or to a folder named as --model small:/path (see docs/models.md)",
        ) from error


def _look(client: httpx.Client, endpoint: str, part: Part, source: str, place: Path) -> _File:
    """What the hub says of a file: the headers that it sends with the first answer, before any redirection."""
    url = f"{endpoint}/{part.repository}/resolve/main/{source}"
    answer = client.head(url)
    if answer.status_code >= 400:
        raise BackendError(f"{url} answers {answer.status_code}", remedy="see docs/models.md for the files that are needed")
    tag = answer.headers.get("x-linked-etag", "").strip('"')
    size = answer.headers.get("x-linked-size") or answer.headers.get("content-length") or "0"
    return _File(url, place, int(size), tag if len(tag) == 64 else "")


def _download(client: httpx.Client, file: _File) -> None:
    """Writes the file under another name, and gives it its own when it is whole and its checksum right."""
    file.place.parent.mkdir(parents=True, exist_ok=True)
    partial = file.place.with_name(f"{file.place.name}.partial")
    digest, written = hashlib.sha256(), 0
    with client.stream("GET", file.url, follow_redirects=True) as answer, partial.open("wb") as out:
        answer.raise_for_status()
        for piece in answer.iter_bytes(1 << 20):
            out.write(piece)
            digest.update(piece)
            written += len(piece)
    if (file.size and written != file.size) or (file.sha256 and digest.hexdigest() != file.sha256):
        partial.unlink()
        raise BackendError(f"{file.url} sent other bytes than it promised", remedy="try again")
    partial.replace(file.place)
