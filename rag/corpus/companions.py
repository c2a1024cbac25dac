"""Finds companion files: captions of pictures and subtitles of videos in the same folder.

Knows the names in one folder; opens none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from rag.corpus.file_types import PICTURE_SUFFIXES, SUBTITLE_SUFFIXES, VIDEO_SUFFIXES, suffix_of
from rag.corpus.subtitle_folders import owners_of

CAPTION_BYTES = 2_000  # a longer text beside a picture is also a document of its own


def companions_of(
    entries: Sequence[os.DirEntry[str]], may_accompany: Callable[[os.DirEntry[str]], bool]
) -> dict[str, tuple[str, ...]]:
    """Companion names by picture or video: `a.jpg.txt` and `a.txt` for `a.jpg`; `v.srt` and `v.en.vtt` for `v.mp4`."""
    pictures: dict[str, list[str]] = {}
    videos: dict[str, list[str]] = {}
    texts: list[os.DirEntry[str]] = []
    for entry in entries:
        suffix = suffix_of(entry.name)
        if suffix in PICTURE_SUFFIXES:
            pictures.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
        elif suffix in VIDEO_SUFFIXES:
            videos.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
        elif suffix == ".txt" or suffix in SUBTITLE_SUFFIXES:
            texts.append(entry)
    if not pictures and not videos:
        return {}
    companions: dict[str, list[str]] = {}
    picture_names = {name for group in pictures.values() for name in group}
    for name in (entry.name for entry in texts if may_accompany(entry)):
        stem = name.rpartition(".")[0]
        if name.lower().endswith(".txt"):
            owners = [stem] if stem in picture_names else pictures.get(stem, [])
        else:
            owners = list(owners_of(stem, videos))
        for owner in owners:
            companions.setdefault(owner, []).append(name)
    return {owner: tuple(names) for owner, names in companions.items()}


def is_short(entry: os.DirEntry[str]) -> bool:
    """Whether a companion is only that, and not also a document of its own."""
    try:
        return suffix_of(entry.name) in SUBTITLE_SUFFIXES or entry.stat().st_size <= CAPTION_BYTES
    except OSError:  # gone since the folder was listed
        return False
