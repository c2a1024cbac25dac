"""Whatever happened to folders and to the runs before, an index in Milvus is the one that a clean build into a folder makes."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

import rag
from rag.errors import WrongRequest
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.schema import COLLECTIONS, collection
from rag.index.milvus.upkeep import sweep
from rag.indexing.spaces import add_model
from tests.e2e.broken_off import IN_MILVUS, WRITE_PATH, broken_off
from tests.scale.histories import DEEDS, begin, contents, do, files, is_same
from tests.unit.half_model import DIM as HALF

CHANGING = (*WRITE_PATH, *IN_MILVUS)  # code that Ctrl-C and death come into
_deeds = st.lists(st.tuples(st.integers(0, 3), DEEDS), min_size=1, max_size=5)
_engines: dict[str, Path] = {}  # one core for all histories: it starts in seconds, and an index in it in hundredths of one


class AHistory(RuleBasedStateMachine):
    """Two folders of a user, and an index of one or both in Milvus. Every whole run is compared with a clean build."""

    @initialize(deeds=_deeds, part=st.booleans())
    def begins(self, deeds: list[Any], part: bool) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.roots = [self.place / "corpus", self.place / "second"]
        self.known = [self.roots[0]]  # to the index
        for root in self.roots:
            begin(root)
        self._does(deeds)
        self.address = f"milvus-lite://{_engines.setdefault('place', Path(tempfile.mkdtemp()))}/index.db"
        self.room = MilvusRoom(self.address)
        if self.room.address.file.exists():
            for which in COLLECTIONS:
                self.room.engine.drop(collection(self.room.name, which))
        if part:  # a root of its own, which the root above takes over
            begin(self.roots[0] / "k")
            self._indexes(self.roots[0] / "k")
        self._indexes(*self.known)
        self._adds_models()
        self.kept = rag.open_index(self.address, ocr="never")

    def _adds_models(self) -> None:
        """None: the index is of one model."""

    def teardown(self) -> None:
        if hasattr(self, "kept"):
            with closing(self.kept):
                self.runs()
            shutil.rmtree(self.place)

    @rule(deeds=_deeds)
    def lives(self, deeds: list[Any]) -> None:
        self._does(deeds)
        self.runs()

    @rule(deeds=_deeds, line=st.integers(1, 4000), how=st.sampled_from(("stopped", "killed")), more=_deeds)
    def is_broken_off(self, deeds: list[Any], line: int, how: str, more: list[Any]) -> None:
        self._does(deeds)
        with broken_off(line, how, CHANGING):
            self._indexes(*self.known)
        self._does(more)

    @rule()
    @precondition(lambda self: len(self.known) == 1)
    def gets_a_second_root(self) -> None:
        self.known = list(self.roots)
        self.runs()

    @rule(deeds=_deeds)
    def runs_over_a_part(self, deeds: list[Any]) -> None:
        self._does(deeds)
        if (self.roots[0] / "a").is_dir():
            self._indexes(self.roots[0] / "a")

    @rule(which=st.integers(0, 30))
    def forgets(self, which: int) -> None:
        """A document, a folder or a root is forgotten: what stays is what it was; the next run brings it back."""
        self.runs()
        found = [*files(self.roots[0]), self.roots[0] / "a", *self.known[1:]]
        asked = found[which % len(found)]
        self._is_as_clean(forgotten=asked)
        if asked in self.known:
            self.known.remove(asked)

    @rule()
    def is_swept(self) -> None:
        sweep(self.room.engine, self.room.name, older_than=-60)
        self.runs()

    def runs(self) -> None:
        """A whole run: the next one has nothing to do, and what is found is what a clean build finds."""
        self._indexes(*self.known)
        again = self._indexes(*self.known)
        assert (again.indexed, again.reused, again.moved, again.removed, again.embedded) == (0, 0, 0, 0, 0), again
        self._is_as_clean()

    def _is_as_clean(self, forgotten: Path | None = None) -> None:
        clean = self.place / "clean"
        shutil.rmtree(clean, ignore_errors=True)
        rag.build_index(*self.known, index=clean, ocr="never", jobs=0)
        if forgotten is not None:
            counts = [_forget(forgotten, index) for index in (self.address, str(clean))]
            assert counts[0] == counts[1], forgotten
        assert list(self.room.check(read_data=True)) == []
        self.kept.index.look_again()
        with rag.open_index(clean, ocr="never") as ours, rag.open_index(self.address, ocr="never") as anew:
            expected = contents(ours)
            for searcher in (anew, self.kept):
                found = contents(searcher)
                for what in expected:
                    assert is_same(found[what], expected[what]), (what, found[what], expected[what])

    def _does(self, deeds: list[Any]) -> None:
        for which, deed in deeds:
            do(self.roots[which == 3], deed)

    def _indexes(self, *folders: Path) -> rag.Report:
        return rag.build_index(*folders, index=self.address, ocr="never", jobs=0)


class AHistoryOfTwoModels(AHistory):
    """The same with a further model, whose vectors begin as those of the first: each must be with its content."""

    def _adds_models(self) -> None:
        add_model(self.address, backend="tests.unit.half_model:HalfEmbedder", jobs=0)

    def _is_as_clean(self, forgotten: Path | None = None) -> None:
        if forgotten is not None:
            _forget(forgotten, self.address)
        assert list(self.room.check(read_data=True)) == []
        with closing(self.room.open("auto")) as opened, opened.snapshot() as moment:
            numbers = moment.sample(10_000, np.random.default_rng(1))
            held, further = moment.vectors_in(1, numbers)
            np.testing.assert_allclose(further[:, :HALF], moment.vectors(held)[:, :HALF], atol=1e-3)
            lacking = moment.passages(sorted(set(numbers) - set(held)))
            assert [str(one.passage.document) for one in lacking if one.passage.kind == "text"] == []
            assert moment.status().spaces[0].passages == len(held)


def _forget(path: Path, index: str) -> int:
    try:
        return rag.remove_documents(str(path), index)
    except WrongRequest:  # it was not read: a caption, or left out
        return 0


def _try(histories: int, steps: int, *, repeatable: bool, of: type[AHistory] = AHistory) -> None:
    run_state_machine_as_test(
        of,
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            derandomize=repeatable,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_an_index_in_milvus_is_that_of_a_clean_build_into_a_folder() -> None:
    _try(8, 8, repeatable=True)


@pytest.mark.long
def test_it_is_after_many_histories_too() -> None:
    _try(40, 14, repeatable=False)


def test_a_further_model_follows_what_happens() -> None:
    _try(3, 6, repeatable=True, of=AHistoryOfTwoModels)


@pytest.mark.long
def test_it_follows_many_histories_too() -> None:
    _try(15, 12, repeatable=False, of=AHistoryOfTwoModels)
