"""The judged sets of a folder and the samples, each with an index made by the write path.

Knows judged sets and where indexes are kept between runs; knows no measure.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.evaluation.beir import is_beir
from rag.evaluation.corpus import index_documents
from rag.evaluation.judged import JudgedSet, PassageRef
from rag.evaluation.open_set import open_set
from rag.indexing.build import build_index
from rag.search.searcher import Searcher
from rag.types import Whole

TOP = Path(__file__).parents[3]
KEPT = TOP / ".work/bench/quality"
READ_ONLY = ("search", "cli", "api", "mcp", "media", "evaluation")  # packages that write nothing into an index


@dataclass(frozen=True)
class Indexed:
    """A judged set, its index, and how many seconds that took; 0 where it was kept."""

    judged: JudgedSet
    index: Path
    seconds: float


def sets_of(folder: Path) -> list[Path]:
    """Every `*.jsonl`, `*.jsonl.gz` and BEIR folder directly in a folder."""
    if is_beir(folder):
        return [folder]
    files = [path for path in sorted(folder.iterdir()) if path.name.endswith((".jsonl", ".jsonl.gz")) or is_beir(path)]
    if not files:
        raise SystemExit(f"{folder} has no judged collections\n  → put *.jsonl, *.jsonl.gz or folders in the form of BEIR there")
    return files


def indexed_set(path: Path) -> Indexed:
    """The set with an index of its documents, kept as long as the set and the code that writes are the same."""
    judged = open_set(path)
    if judged.documents is None:
        raise SystemExit(f"{path} has no documents of its own\n  → measure it with `rag eval --index`")
    folder = KEPT / f"{judged.name}-{_state(path)}"
    if (folder / "index").is_dir():
        return Indexed(judged, folder / "index", 0.0)
    _forget(judged.name)
    started = time.perf_counter()
    making = folder.with_name(f"{folder.name}.making")
    index_documents(judged, making)
    return Indexed(judged, _done(making, folder), time.perf_counter() - started)


def indexed_samples() -> Indexed:
    """The samples of the project: files of every kind, with judged places."""
    judged = open_set(TOP / "samples/queries.jsonl")
    folder = KEPT / f"samples-{_state(TOP / 'samples/corpus')}"
    if (folder / "index").is_dir():
        return Indexed(judged, folder / "index", 0.0)
    _forget("samples")
    started = time.perf_counter()
    making = folder.with_name(f"{folder.name}.making")
    build_index(TOP / "samples/corpus", index=str(making / "index"))
    return Indexed(judged, _done(making, folder), time.perf_counter() - started)


def _done(making: Path, folder: Path) -> Path:
    """The index under its final name, brought up to date: its files stand at another path now, which costs no model call."""
    making.rename(folder)
    if (folder / "corpus").is_dir():
        build_index(folder / "corpus", index=str(folder / "index"))
    return folder / "index"


def texts_of(searcher: Searcher) -> Iterator[tuple[PassageRef, str]]:
    """The words that the index holds of every passage, with its place: what a baseline is given where files are no texts."""
    with searcher.index.snapshot() as snapshot:
        for one in snapshot.passages(snapshot.live.numbers.tolist()):
            passage = one.passage
            yield (
                PassageRef(passage.document.path, passage.locator, passage.inner),
                f"{passage.context.title}\n{passage.context.heading}\n{passage.caption}\n{passage.text}",
            )


def documents_of(judged: JudgedSet) -> Iterator[tuple[PassageRef, str]]:
    """The documents of a set, as its baselines get them."""
    for one in judged.documents() if judged.documents else ():
        yield PassageRef(one.path, Whole()), one.text


def _state(path: Path) -> str:
    """Differs where the set or the code that writes differs."""
    sources = [file for file in sorted((TOP / "rag").rglob("*.py")) if file.relative_to(TOP / "rag").parts[0] not in READ_ONLY]
    inputs: Sequence[Path] = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in (*sources, *inputs):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _forget(name: str) -> None:
    """Removes the indexes of other states of a set."""
    for old in KEPT.glob(f"{name}-*"):
        shutil.rmtree(old)
