"""Whose subtitles a file holds: by its name beside a video, or by a folder `Subs` beside it.

Knows names; opens no file. What lies in such a folder belongs to the video it names or, where there is one video, to that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from rag.corpus.entries import Entry, Scan
from rag.corpus.file_types import SUBTITLE_SUFFIXES, VIDEO_SUFFIXES, suffix_of
from rag.text.language_names import language_named

FOLDERS = frozenset({"subs", "sub", "subtitles", "subtitle", "captions"})
_MOST_FILES = 5_000  # looked at in one such folder
_TAGS = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,2}|forced|sdh|cc|hi|full|default|signs|songs|commentary", re.IGNORECASE)
_TAIL = re.compile(r"[ ._-]*[\[(]?([A-Za-z]{2,12})[\])]?$")  # `film_en`, `film (English)`

Videos = Mapping[str, Sequence[str]]  # names by stem
MayAccompany = Callable[[str, Entry], bool]  # is given the folder, with its "/" below the one looked at


def owners_of(stem: str, videos: Videos) -> Sequence[str]:
    """The videos that a subtitle file belongs to, by its name without its suffix: `v`, `v.en`, `v.en.forced`, `v_en`."""
    if stem in videos:
        return videos[stem]
    shorter, _, tag = stem.rpartition(".")
    if shorter in videos:
        return videos[shorter]
    for _ in range(3):
        if not shorter or (not _TAGS.fullmatch(tag) and not language_named(tag)):
            break
        if shorter in videos:
            return videos[shorter]
        shorter, _, tag = shorter.rpartition(".")
    tail = _TAIL.search(stem)
    return videos.get(stem[: tail.start()], ()) if tail and language_named(tail[1]) else ()


def in_subtitle_folders(
    entries: Sequence[Entry], may_accompany: MayAccompany, scan: Scan = os.scandir
) -> Iterator[tuple[str, str]]:
    """(video, subtitle file as a path below the folder of `entries`) for each file in a subtitle folder beside videos."""
    holders = [entry for entry in entries if entry.name.lower() in FOLDERS and entry.is_dir(follow_symlinks=False)]
    if not holders:
        return
    videos: dict[str, list[str]] = {}
    for entry in entries:
        suffix = suffix_of(entry.name)
        if suffix in VIDEO_SUFFIXES:
            videos.setdefault(entry.name[: -len(suffix)], []).append(entry.name)
    for holder in holders if videos else []:
        yield from _held(holder.path, holder.name + "/", videos, may_accompany, scan)


def taken_from_above(folder: str, below_root: str, scan: Scan = os.scandir) -> frozenset[str]:
    """The names in a folder that are subtitles of a video above it; `below_root` is its path below the root, with "/" at its end.

    Whether the video may have them was asked where it lies.
    """
    parts = below_root.rstrip("/").split("/")
    taken: set[str] = set()
    for depth in (1, 2):
        if len(parts) >= depth and parts[-depth].lower() in FOLDERS:
            inside = "".join(part + "/" for part in parts[-depth:])
            above = folder.rstrip("/").removesuffix(inside.rstrip("/"))
            with suppress(OSError), scan(above or ".") as listing:
                found = in_subtitle_folders(list(listing), lambda _, entry: True, scan)
                taken |= {path.removeprefix(inside) for _, path in found if path.startswith(inside)}
    return frozenset(name for name in taken if "/" not in name)


def _held(
    path: str, inside: str, videos: Videos, may_accompany: MayAccompany, scan: Scan, only: str = ""
) -> Iterator[tuple[str, str]]:
    try:
        with scan(path) as listing:
            entries = sorted(islice(listing, _MOST_FILES), key=lambda entry: entry.name)
    except OSError:
        return
    lone = next(iter(videos)) if len(videos) == 1 else ""
    for entry in entries:
        stem, _, _ = entry.name.rpartition(".")
        if suffix_of(entry.name) in SUBTITLE_SUFFIXES and may_accompany(inside, entry):
            for owner in videos.get(only) or owners_of(stem, videos) or videos.get(lone, ()):
                yield owner, inside + entry.name
        elif not only and entry.name in videos and entry.is_dir(follow_symlinks=False):
            yield from _held(entry.path, f"{inside}{entry.name}/", videos, may_accompany, scan, only=entry.name)
