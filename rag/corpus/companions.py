"""Finds companion files: captions of pictures, subtitles of videos, and what photo programs and exports write beside both.

Knows the names in one folder; opens none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from rag.corpus.entries import Entry
from rag.corpus.file_types import PICTURE_SUFFIXES, SUBTITLE_SUFFIXES, VIDEO_SUFFIXES, suffix_of
from rag.corpus.subtitle_folders import owners_of

CAPTION_BYTES = 2_000  # a longer text beside a picture is also a document of its own
_SIDECAR_BYTES = 1_000_000  # so is a larger sidecar
_SIDECARS = frozenset({".xmp", ".json"})
_TAKEOUT = ".supplemental-metadata"  # Google Takeout cuts it, and the name before it, to 46 characters
_TAKEOUT_LENGTH = 46
_NUMBERED = re.compile(r"(.+)(\.[^.()]+)\((\d+)\)")  # `photo.jpg(1).json` is that of `photo(1).jpg`


def companions_of(entries: Sequence[Entry], may_accompany: Callable[[Entry], bool]) -> dict[str, tuple[str, ...]]:
    """Companion names by picture or video.

    `a.jpg.txt` and `a.txt` for `a.jpg`; `v.srt` and `v.en.vtt` for `v.mp4`; `a.jpg.xmp`, `a.xmp` and `a.jpg.json` for both.
    """
    pictures: dict[str, list[str]] = {}
    videos: dict[str, list[str]] = {}
    texts: list[Entry] = []
    for entry in entries:
        suffix = suffix_of(entry.name)
        if suffix in PICTURE_SUFFIXES:
            pictures.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
        elif suffix in VIDEO_SUFFIXES:
            videos.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
        elif suffix == ".txt" or suffix in SUBTITLE_SUFFIXES or suffix in _SIDECARS:
            texts.append(entry)
    if not texts or not (pictures or videos):
        return {}
    companions: dict[str, list[str]] = {}
    names = _Names(pictures, videos)
    for entry in texts:
        owners = names.owners(entry.name)
        if owners and may_accompany(entry):
            for owner in owners:
                companions.setdefault(owner, []).append(entry.name)
    return {owner: tuple(names) for owner, names in companions.items()}


class _Names:
    """The names of pictures and videos in one folder, by their stems."""

    def __init__(self, pictures: Mapping[str, list[str]], videos: Mapping[str, list[str]]) -> None:
        self._pictures, self._videos = pictures, videos
        self._shown = {name for group in pictures.values() for name in group}
        self._all = self._shown | {name for group in videos.values() for name in group}
        self._cut = {name[:_TAKEOUT_LENGTH]: name for name in self._all if len(name) > _TAKEOUT_LENGTH}

    def owners(self, name: str) -> list[str]:
        """The pictures or videos that a text belongs to."""
        stem, _, suffix = name.rpartition(".")
        match suffix.lower():
            case "txt":
                return [stem] if stem in self._shown else self._pictures.get(stem, [])
            case "xmp":
                return [stem] if stem in self._all else [*self._pictures.get(stem, ()), *self._videos.get(stem, ())]
            case "json":
                return self._exported(stem)
        return list(owners_of(stem, self._videos))

    def _exported(self, stem: str) -> list[str]:
        """`a.jpg.json`, Google Takeout's `a.jpg.supplemental-metadata.json`, cut or numbered; edited copies share it."""
        stem, number = (f"{match[1]}{match[2]}", match[3]) if (match := _NUMBERED.fullmatch(stem)) else (stem, "")
        stem = stem.removesuffix(_cut_marks(stem))
        before, dot, suffix = stem.rpartition(".")
        named = f"{before}({number}){dot}{suffix}" if number else stem
        edited = f"{before}-edited{f'({number})' if number else ''}{dot}{suffix}"
        return [one for one in (named, self._cut.get(stem, ""), edited) if one in self._all]


def _cut_marks(stem: str) -> str:
    """What is left of Takeout's mark at the end of a stem: `.supplemental-me`, `.su`, or nothing."""
    at = stem.rfind(".s")
    return stem[at:] if at > 0 and _TAKEOUT.startswith(stem[at:]) else ""


def is_short(entry: Entry) -> bool:
    """Whether a companion is only that, and not also a document of its own."""
    suffix = suffix_of(entry.name)
    try:
        return suffix in SUBTITLE_SUFFIXES or entry.stat().st_size <= (_SIDECAR_BYTES if suffix in _SIDECARS else CAPTION_BYTES)
    except OSError:  # gone since the folder was listed
        return False
