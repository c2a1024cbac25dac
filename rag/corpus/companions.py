"""Which files of a folder speak for others beside them: captions of pictures, subtitles of videos.

Knows the names in one folder; opens none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from rag.corpus.file_types import PICTURE_SUFFIXES, SUBTITLE_SUFFIXES, VIDEO_SUFFIXES, suffix_of

CAPTION_BYTES = 2_000  # a longer text beside a picture is a document of its own as well


def companions_of(
    entries: Sequence[os.DirEntry[str]], may_speak: Callable[[os.DirEntry[str]], bool]
) -> dict[str, tuple[str, ...]]:
    """Which names lie beside which picture or video: `a.jpg.txt` and `a.txt` for `a.jpg`; `v.srt`, `v.en.vtt` for `v.mp4`."""
    pictures: dict[str, list[str]] = {}
    videos: dict[str, list[str]] = {}
    beside: list[os.DirEntry[str]] = []
    for entry in entries:
        suffix = suffix_of(entry.name)
        if suffix in PICTURE_SUFFIXES:
            pictures.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
        elif suffix in VIDEO_SUFFIXES:
            videos.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
        elif suffix == ".txt" or suffix in SUBTITLE_SUFFIXES:
            beside.append(entry)
    if not pictures and not videos:
        return {}
    found: dict[str, list[str]] = {}
    shown = {name for group in pictures.values() for name in group}
    for name in (entry.name for entry in beside if may_speak(entry)):
        stem = name.rpartition(".")[0]
        if name.lower().endswith(".txt"):
            owners = [stem] if stem in shown else pictures.get(stem, [])
        else:
            owners = videos.get(stem) or videos.get(stem.rpartition(".")[0], [])
        for owner in owners:
            found.setdefault(owner, []).append(name)
    return {owner: tuple(names) for owner, names in found.items()}


def is_short(entry: os.DirEntry[str]) -> bool:
    """Whether a companion is nothing but that: no document of its own."""
    try:
        return suffix_of(entry.name) in SUBTITLE_SUFFIXES or entry.stat().st_size <= CAPTION_BYTES
    except OSError:  # gone since the folder was listed
        return False
