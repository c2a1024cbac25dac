"""What people do to folders between runs, and all of an index that depends on nothing but the files. Knows no room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

import rag
from rag.index.room import Moment

QUERIES: tuple[dict[str, Any], ...] = (
    {"text": "harbour crane"},
    {"text": "red ferry", "kinds": ["image"]},
    {"text": "tide buoy", "paths": ["a/**"]},
    {"text": '"harbour tide" -crane'},
    {"text": "harb* Brücke 潮汐"},
    {"text": "lighthuose", "whole": True},
)
_WORDS = ("harbour", "crane", "ferry", "lighthouse", "buoy", "tide", "Brücke", "潮汐表", "harbour tide")
_COLOURS = ((200, 30, 30), (30, 30, 200), (30, 160, 60))
_RULES = ("*.csv", "/a/", "p1.*", "!n1.csv", "b/", "sub?")
_COUNTS = ("documents", "suffixes", "folders", "passages", "unread_count", "roots")
NEAR = 1e-6  # of scores
_KEPT = "always.rst"  # a root without any file is taken for a disk that is not there

_folders = st.sampled_from(("", "a/", "a/b/", "c/ü's/"))
_texts = st.lists(st.sampled_from(_WORDS), max_size=4).map(" ".join)
_which = st.integers(0, 30)
_notes = st.builds("{}n{}{}".format, _folders, st.integers(0, 3), st.sampled_from((".txt", ".csv", ".org")))
_pictures = st.builds("{}p{}.png".format, _folders, st.integers(0, 2))
_shown = st.lists(st.tuples(_texts, st.sampled_from(("", "../", "/", "/a/")), st.integers(0, 2)), max_size=3)
_captions = st.builds("{}p{}{}".format, _folders, st.integers(0, 2), st.sampled_from((".txt", ".png.txt")))
_broken = st.builds("{}x{}{}".format, _folders, st.integers(0, 1), st.sampled_from((".pdf", ".png", ".docx")))
DEEDS = st.one_of(
    st.tuples(st.just("write"), _notes, _texts),
    st.tuples(st.just("draw"), _pictures, st.sampled_from(_COLOURS)),
    st.tuples(st.just("show"), st.builds("{}d{}.md".format, _folders, st.integers(0, 1)), _shown),
    st.tuples(st.just("caption"), _captions, _texts),
    st.tuples(st.just("damage"), _broken),
    st.tuples(st.just("mend"), _folders),
    st.tuples(st.just("ignore"), _folders, st.lists(st.sampled_from(_RULES), max_size=2)),
    st.tuples(st.just("delete"), _which),
    st.tuples(st.just("move"), _which, _folders),
    st.tuples(st.just("copy"), _which, _folders),
    st.tuples(st.just("swap"), _which, _which),
    st.tuples(st.just("touch"), _which, st.integers(1, 10**9)),
    st.tuples(st.just("move_folder"), st.permutations(("a", "c", "a/b", "e"))),
)  # fmt: skip


def begin(root: Path) -> None:
    """Makes a folder with the file that nobody deletes."""
    root.mkdir(parents=True)
    (root / _KEPT).write_text(f"the harbour of {root.name} at all times\n")


def do(root: Path, deed: tuple[Any, ...]) -> None:
    """Does one of DEEDS to a folder; nothing where there is nothing to do it to."""
    name, *given = deed
    _HOW[name](root, *given)


def _write(root: Path, name: str, words: str) -> None:
    _place(root, name).write_text(f"* {words}\n{words}\n" if words else "")


def _draw(root: Path, name: str, colour: tuple[int, int, int]) -> None:
    Image.new("RGB", (48, 32), colour).save(_place(root, name))


def _show(root: Path, name: str, shown: list[tuple[str, str, int]]) -> None:
    lines = [f"![{words}]({where}p{number}.png)\n" for words, where, number in shown]
    _place(root, name).write_text("# Fleet\n\n" + "\n".join(lines))


def _caption(root: Path, name: str, words: str) -> None:
    _place(root, name).write_text(words)


def _damage(root: Path, name: str) -> None:
    _place(root, name).write_bytes(
        {".pdf": b"%PDF-1.7\nbroken", ".png": b"\x89PNG\r\n\x1a\nbroken", ".docx": b"PK\x03\x04"}[Path(name).suffix]
    )


def _mend(root: Path, folder: str) -> None:
    for file in root.glob(f"{folder}x?.png"):
        Image.new("RGB", (48, 32), _COLOURS[0]).save(file)


def _ignore(root: Path, folder: str, rules: list[str]) -> None:
    _place(root, f"{folder}.ragignore").write_text("\n".join(rules) + "\n")


def _delete(root: Path, which: int) -> None:
    for file in _some(root, which):
        file.unlink()


def _move(root: Path, which: int, folder: str) -> None:
    for file in _some(root, which):
        file.replace(_place(root, folder + file.name))


def _copy(root: Path, which: int, folder: str) -> None:
    for file in _some(root, which):
        place = _place(root, f"{folder}copy{file.suffix}")
        if place != file:
            shutil.copy(file, place)


def _swap(root: Path, which: int, other: int) -> None:
    for one, two in [(*_some(root, which), *_some(root, other))] if _some(root, which) != _some(root, other) else []:
        held = one.with_name("held")
        one.rename(held)
        two.rename(one)
        held.rename(two)


def _touch(root: Path, which: int, when: int) -> None:
    for file in _some(root, which):
        os.utime(file, (when, when))


def _move_folder(root: Path, names: list[str]) -> None:
    there, here = root / names[0], root / names[1]
    if there.is_dir() and not here.exists() and there not in here.parents:
        here.parent.mkdir(exist_ok=True)
        there.rename(here)


_HOW: dict[str, Callable[..., None]] = {
    "write": _write, "draw": _draw, "show": _show, "caption": _caption, "damage": _damage, "mend": _mend, "ignore": _ignore,
    "delete": _delete, "move": _move, "copy": _copy, "swap": _swap, "touch": _touch, "move_folder": _move_folder,
}  # fmt: skip


def files(root: Path) -> list[Path]:
    """The files that deeds may change."""
    return sorted(file for file in root.rglob("*") if file.is_file() and file.name not in (_KEPT, ".ragignore"))


def _some(root: Path, which: int) -> list[Path]:
    found = files(root)
    return [found[which % len(found)]] if found else []


def _place(root: Path, name: str) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def contents(searcher: rag.Searcher) -> dict[str, Any]:
    """All that an index holds and answers, but for how it came about."""
    with searcher.index.snapshot() as moment:
        numbers = moment.sample(10_000, np.random.default_rng(0))
        stored = moment.passages(numbers)
        vectors = moment.vectors(numbers)
        paths = sorted(moment.document_paths())
        counted = moment.document_frequencies(("harbour", "潮汐表", "lighthouse", "nowhere"))
    status = searcher.status()
    return {
        "passages": sorted(
            (one.passage.document, one.passage.ordinal, one.id, one.passage, one.dated, str(one.file), row.tobytes())
            for one, row in zip(stored, vectors, strict=True)
        ),
        "paths": paths,
        "words": counted,
        "status": {name: getattr(status, name) for name in _COUNTS},
        "skipped": sorted(status.skipped, key=repr),
        "unread": sorted(status.unread, key=repr),
        "ignored": {reason: count for reason, count in status.ignored.items() if count},
        **{str(asked): _found(searcher, asked) for asked in QUERIES},
    }  # fmt: skip


def _found(searcher: rag.Searcher, asked: dict[str, Any]) -> dict[str, Any]:
    """What every stage finds, with scores; where places of a lane have one score, only which they are: what comes after the lanes
    goes by ranks, and equal scores are ordered by when their documents were read.
    """
    results = searcher.search(**asked, top_k=200, candidates=500)
    with searcher.index.snapshot() as moment:
        stages = {stage: _scores(moment, ranked) for stage, ranked in results.stages.items()}
    found: dict[str, Any] = {"notes": results.notes, "good": results.good, "total": results.total}
    if any(map(_has_equal, (stages["dense"], stages["lexical"]))):
        return found | {lane: stages[lane] for lane in ("dense", "lexical")} | {"fused": sorted(stages["fused"])}
    return (
        found
        | stages
        | {
            "hits": {hit.id: hit.score for hit in results.hits},
            "members": {hit.id: (len(hit.members), len(hit.folded)) for hit in results.hits},
        }
    )


def _scores(moment: Moment, ranked: list[tuple[int, float]]) -> dict[str, float]:
    places = [one.id for one in moment.passages([number for number, _ in ranked])]
    return {place: score for place, (_, score) in zip(places, ranked, strict=True)}


def _has_equal(scores: dict[str, float]) -> bool:
    """Whether two are so near that computing them in another order may exchange them."""
    ordered = sorted(scores.values())
    return any(after - before < 2 * NEAR for before, after in pairwise(ordered))


def is_same(found: Any, expected: Any) -> bool:
    """Whether these are equal, scores to `NEAR`."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(is_same(found[key], value) for key, value in expected.items())
    if isinstance(expected, float) and isinstance(found, float):
        return abs(found - expected) <= NEAR
    return bool(found == expected)
