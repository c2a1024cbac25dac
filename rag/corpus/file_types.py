"""File families by suffix, and the kinds of passages each family gives.

Knows names only; `rag.loaders.detect` looks at bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from rag.types import KINDS, Kind

SHOWN_BY: Mapping[Kind, frozenset[str]] = {  # loaders, by the kind of a passage
    "page": frozenset({"pdf", "djvu", "xps"}),
    "image": frozenset({"picture"}),
    "screenshot": frozenset({"picture"}),
    "frame": frozenset({"video"}),
}
PAGE_SUFFIXES = frozenset({".pdf", ".djvu", ".djv", ".xps", ".oxps"})
RAW_SUFFIXES = frozenset(  # of cameras; the picture for showing inside them is read
    {".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".pef", ".srw", ".3fr", ".erf", ".rw2", ".raf", ".orf"}
)
PICTURE_SUFFIXES = RAW_SUFFIXES | {
    *(".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".psd", ".psb")
}
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m4v", ".mts", ".m2ts"})
ARCHIVE_SUFFIXES = frozenset({".zip", ".cbz", ".tar", ".tgz", ".tbz", ".tbz2", ".txz"})
SUBTITLE_SUFFIXES = frozenset({".srt", ".vtt", ".ass", ".ssa", ".sub", ".lrc", ".sbv", ".smi", ".ttml", ".dfxp"})
PACKED_SUFFIXES = frozenset({".gz", ".bz2", ".xz", ".lzma", ".zst", ".svgz"})  # one file, packed
CATALOG_FILE = "catalog.sqlite"  # marks an index folder, which is never part of a corpus
CAPTION_SUFFIXES = frozenset(  # of formats that show pictures with an alt text
    {".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".html", ".htm", ".xhtml", ".ipynb"}
)


def suffix_of(name: str) -> str:
    """The suffix of a name in lower case, with its dot; "" where there is none, also for `.bashrc`."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def unpacked_name(name: str) -> str:
    """The name or path of the file inside a packed one: `notes.txt` of `notes.txt.gz`; the same name where it is not packed."""
    suffix = suffix_of(name)
    if suffix not in PACKED_SUFFIXES:
        return name
    return name[:-1] if suffix == ".svgz" else name[: -len(suffix)]


_KINDS: dict[str, frozenset[Kind]] = {  # by loader; all others give text
    "picture": frozenset({"image", "screenshot"}),
    "pdf": frozenset({"page"}),
    "djvu": frozenset({"page"}),
    "xps": frozenset({"page"}),
    "video": frozenset({"frame"}),
    "archive": frozenset(KINDS),
}


def is_asked_for(path: str, kinds: frozenset[Kind]) -> bool:
    """Whether a document of that name can give a passage of one of `kinds`; no kinds means all."""
    return not kinds or not kinds.isdisjoint(kinds_of(path))


def kinds_of(path: str) -> frozenset[Kind]:
    """The kinds of passages that a document of that name can give; only reading tells a screenshot from another image."""
    suffix = suffix_of(unpacked_name(path))
    if suffix in PICTURE_SUFFIXES:
        return _KINDS["picture"]
    if suffix in PAGE_SUFFIXES:
        return _KINDS["pdf"]
    if suffix in ARCHIVE_SUFFIXES:
        return _KINDS["archive"]
    return _KINDS["video"] if suffix in VIDEO_SUFFIXES else frozenset({"text"})


def gives(loader: str, kinds: frozenset[Kind]) -> bool:
    """Whether the loader can give a passage of one of `kinds`; True for a plugin (`module:Class`), where it is unknown."""
    return not kinds or ":" in loader or not kinds.isdisjoint(_KINDS.get(loader, {"text"}))


def shows_pictures(path: str) -> bool:
    """Whether a document of that name can contain captions of pictures."""
    return suffix_of(unpacked_name(path)) in CAPTION_SUFFIXES


FAMILIES = ("text", "pdf", "picture", "video")  # of documents, by name


def family_of(path: str) -> str:
    """One of FAMILIES, by the suffix of the name."""
    suffix = PurePosixPath(unpacked_name(path)).suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    return "video" if suffix in VIDEO_SUFFIXES else "pdf" if suffix in PAGE_SUFFIXES else "text"
