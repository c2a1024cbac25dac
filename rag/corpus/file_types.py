"""Which file name endings belong to which family. Knows names only; bytes are looked at in detect.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from rag.types import Kind

SHOWN_BY: Mapping[Kind, str] = {"page": "pdf", "image": "picture", "screenshot": "picture", "frame": "video"}  # their loaders
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"})
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m4v", ".mts", ".m2ts"})
SUBTITLE_SUFFIXES = frozenset({".srt", ".vtt"})
CATALOG_FILE = "catalog.sqlite"  # marks the folder of an index, which is no part of a corpus
CAPTION_SUFFIXES = frozenset(  # of formats that show pictures with an alt text
    {".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".html", ".htm", ".xhtml", ".ipynb"}
)


def suffix_of(name: str) -> str:
    """The ending of a name in small letters, with its dot; "" for a name that is nothing else."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


_KINDS: dict[str, frozenset[Kind]] = {  # by loader; the others give text
    "picture": frozenset({"image", "screenshot"}),
    "pdf": frozenset({"page"}),
    "video": frozenset({"frame"}),
}


def is_asked_for(path: str, kinds: frozenset[Kind]) -> bool:
    """Whether a document of that name may give a passage of one of the kinds; without any, all are asked for."""
    return not kinds or not kinds.isdisjoint(kinds_of(path))


def kinds_of(path: str) -> frozenset[Kind]:
    """The kinds of passages a document of that name gives; whether a picture shows a screen is known only when it was read."""
    suffix = suffix_of(path)
    if suffix in PICTURE_SUFFIXES:
        return _KINDS["picture"]
    if suffix == ".pdf":
        return _KINDS["pdf"]
    return _KINDS["video"] if suffix in VIDEO_SUFFIXES else frozenset({"text"})


def gives(loader: str, kinds: frozenset[Kind]) -> bool:
    """Whether a loader of that name may give a passage of one of the kinds; of one that is a stranger's it is not known."""
    return not kinds or ":" in loader or not kinds.isdisjoint(_KINDS.get(loader, {"text"}))


def shows_pictures(path: str) -> bool:
    """Whether a document of that name may say something of pictures."""
    return suffix_of(path) in CAPTION_SUFFIXES


FAMILIES = ("text", "pdf", "picture", "video")  # documents by their names


def family_of(path: str) -> str:
    """One of FAMILIES, by the ending of a name."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    return "video" if suffix in VIDEO_SUFFIXES else "pdf" if suffix == ".pdf" else "text"
