"""Any sequence of additions, changes, removals, moves, copies, kills, compactions and repairs, compared with a dict and NumPy."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rag.index.catalog.index_folder import create
from rag.index.reader import columns, members
from rag.index.reader.open_index import open_index
from rag.index.reader.snapshot import Snapshot
from rag.index.upkeep import compaction
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.upkeep.repair import repair
from rag.index.writer.writer import Writer, writing
from tests.faults.operations import OTHER, fill_some, other_vector
from tests.faults.states import LONG
from tests.unit.index_samples import FINGERPRINT, document, key_of, passage, put, snapshot_of, unit_rows, vector_of

PATHS = st.sampled_from([f"{folder}{name}.md" for folder in ("", "notes/", "ü/") for name in "abcd"])
TEXTS = st.lists(st.sampled_from([f"word{at} common" for at in range(12)]), min_size=1, max_size=4)
QUERIES = unit_rows(3, 5)
Model = dict[str, tuple[str, ...]]  # the texts of each document's passages


class Killed(Exception):
    """Simulates a kill within the test's process: nothing after it is done."""


class AnIndex(RuleBasedStateMachine):
    """Every rule is a run of its own; a killed run leaves its last commit."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.folder = self.place / "index"
        create(self.folder, FINGERPRINT, {})
        with writing(self.folder) as writer:
            writer.add_root("docs", Path("/corpus"))
            writer.commit()
        self.model: Model = {}
        self.filled: set[str] | None = None  # texts with a vector in the further space; None: there is none
        self.reader = ExitStack()  # closes the snapshot that is held
        self.held: tuple[Snapshot, Model] | None = None
        self.kept = open_index(self.folder)  # reads of every commit what has changed since the last that it saw

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.reader.close()
            self.kept.close()
            shutil.rmtree(self.place)

    @rule(path=PATHS, texts=TEXTS)
    def put(self, path: str, texts: list[str]) -> None:
        with writing(self.folder) as writer:
            put(writer, path, texts)
            writer.commit()
        self.model[path] = tuple(texts)

    @rule(documents=st.dictionaries(PATHS, TEXTS, max_size=5), gone=st.sets(PATHS, max_size=3))
    def change_much_in_one_commit(self, documents: dict[str, list[str]], gone: set[str]) -> None:
        with writing(self.folder) as writer:
            for path, texts in documents.items():
                put(writer, path, texts)
            for path in gone:
                assert writer.remove("docs", path) == (path in self.model or path in documents)
            writer.commit()
        self.model = {
            path: each for path, each in (self.model | {p: tuple(t) for p, t in documents.items()}).items() if path not in gone
        }

    @rule(data=st.data(), place=PATHS, stays=st.booleans())
    @precondition(lambda self: self.model)
    def move_or_copy(self, data: st.DataObject, place: str, stays: bool) -> None:
        source = data.draw(st.sampled_from(sorted(self.model)))
        texts = self.model[source]
        with writing(self.folder) as writer:
            twin = writer.twin(key_of("\n".join(texts)), "text 1")
            assert twin is not None, "a stored document must be found, so that no model is called"
            _take_over(writer, place, twin.passages)
            if not stays and source != place:
                writer.remove("docs", source)
            writer.commit()
        self.model[place] = texts
        if not stays and source != place:
            del self.model[source]

    @rule(documents=st.dictionaries(PATHS, TEXTS, max_size=4), gone=PATHS, vectors=st.booleans(), garbage=st.booleans())
    def killed(self, documents: dict[str, list[str]], gone: str, vectors: bool, garbage: bool) -> None:
        """Changes without a commit; perhaps their vectors were committed, perhaps a segment was half written."""
        try:
            with writing(self.folder) as writer:
                if vectors:
                    keys = sorted({key_of(text) for each in documents.values() for text in each})
                    writer.put_vectors(keys, np.array([vector_of(key) for key in keys]))
                    writer.commit()
                for path, texts in documents.items():
                    put(writer, path, texts)
                writer.remove("docs", gone)
                raise Killed
        except Killed:
            pass
        if garbage:
            (self.folder / "segments" / "000999.faiss").write_bytes(b"half")
            (self.folder / "segments" / "001000.faiss.new").write_bytes(b"half")

    @rule(most=st.integers(1, 9), killed=st.booleans())
    def fill(self, most: int, killed: bool) -> None:
        """Gives some contents a vector in the further space; perhaps the run is killed before its commit."""
        try:
            with writing(self.folder) as writer:
                if writer.spaces.named(OTHER.model) is None:
                    writer.spaces.add(OTHER.model, OTHER, {})
                    writer.commit()
                    self.filled = set()
                assert self.filled is not None
                fill_some(writer, most)
                if killed:
                    raise Killed
                writer.commit()
        except Killed:
            return
        with snapshot_of(self.folder) as snapshot:
            self.filled |= _held(snapshot)

    @rule()
    @precondition(lambda self: self.filled is not None)
    def drop(self) -> None:
        with writing(self.folder) as writer:
            space = writer.spaces.named(OTHER.model)
            assert space is not None
            writer.spaces.drop(space)
            writer.commit()
        self.filled = None

    @rule()
    @precondition(lambda self: self.filled is not None and self.model)
    def exchange_models(self) -> None:
        """The further model gets every content and takes the first one's place; then that one is added and comes back."""
        with writing(self.folder) as writer:
            fill_some(writer, 1000)
            _put_first(writer, OTHER.model)
        with snapshot_of(self.folder) as snapshot:
            texts = [text for each in self.model.values() for text in each]
            expected = sorted(float(other_vector(text).astype(np.float16) @ QUERIES[0]) for text in texts)
            found = sorted(score for _, score in snapshot.nearest(QUERIES[:1], 1000)[0])
            np.testing.assert_allclose(found, expected, atol=1e-3)
            assert snapshot.spaces == ()
        with writing(self.folder) as writer:
            space = writer.spaces.add(FINGERPRINT.model, FINGERPRINT, {})
            stored = writer.spaces.passages(writer.spaces.missing(space))
            rows = np.array([vector_of(key_of(one.passage.text)) for one in stored])
            writer.spaces.put(space, [one.number for one in stored], rows)
            _put_first(writer, FINGERPRINT.model)
        with snapshot_of(self.folder) as snapshot:
            _compare(snapshot, self.model)
        with writing(self.folder) as writer:  # anew, since contents have other keys now, and a text is one content in this test
            for path in self.model:
                writer.remove("docs", path)
            writer.commit()
            for path, texts in self.model.items():
                put(writer, path, texts)
            writer.commit()
        self.filled = None

    @rule()
    def compact(self) -> None:
        with writing(self.folder) as writer:
            writer.compact()
            assert writer.compact().passages == 0

    @rule()
    def repair_what_is_sound(self) -> None:
        assert repair(self.folder).done == ()

    @rule()
    def hold_a_snapshot(self) -> None:
        """A snapshot keeps its generation, whatever is committed and compacted before the next one is taken."""
        self.reader.close()
        snapshot = self.reader.enter_context(snapshot_of(self.folder))
        self.held = (snapshot, dict(self.model))
        _compare(snapshot, self.model)

    @invariant()
    def answers(self) -> None:
        if not hasattr(self, "folder"):
            return
        assert check_structure(self.folder) == [] and check_bytes(self.folder) == []
        with snapshot_of(self.folder) as snapshot:
            _compare(snapshot, self.model)
            _compare_space(snapshot, self.model, self.filled)
        with self.kept.snapshot() as snapshot:
            _compare(snapshot, self.model)
            _compare_space(snapshot, self.model, self.filled)
        if self.held:
            snapshot, model = self.held
            rows = [vector_of(key_of(text)).astype(np.float16) for texts in model.values() for text in texts]
            expected = sorted(float(row @ QUERIES[0]) for row in rows)
            found = sorted(score for _, score in snapshot.nearest(QUERIES[:1], 1000)[0])
            np.testing.assert_allclose(found, expected, atol=1e-3)


def _put_first(writer: Writer, model: str) -> None:
    writer.commit()
    space = writer.spaces.named(model)
    assert space is not None and not writer.spaces.missing(space)
    writer.put_space_first(space)


def _take_over(writer: Writer, path: str, passages) -> None:
    found = document(path)
    texts = [each.text for each, _ in passages]
    taken = [(passage(found, at, text), key) for at, (text, (_, key)) in enumerate(zip(texts, passages, strict=True))]
    writer.put_document(found, digest=key_of("\n".join(texts)), loader="text 1", passages=taken, path_words="")


def _compare(snapshot: Snapshot, model: Model) -> None:
    """Documents, passages, both lanes and the word counts equal those of the model."""
    for query, hits in zip(QUERIES, snapshot.nearest(QUERIES, 1000), strict=True):
        stored = snapshot.passages([number for number, _ in hits])
        texts: dict[str, dict[int, str]] = {}
        for one, (_, score) in zip(stored, hits, strict=True):
            texts.setdefault(one.passage.document.path, {})[one.passage.ordinal] = one.passage.text
            assert abs(score - float(vector_of(key_of(one.passage.text)).astype(np.float16) @ query)) < 1e-3
        assert {path: tuple(each[at] for at in sorted(each)) for path, each in texts.items()} == model
        scores = [score for _, score in hits]
        assert scores == sorted(scores, reverse=True)
    words = ("common", "word3", "nowhere")
    frequencies, total = snapshot.document_frequencies(words)
    everything = [text.split() for each in model.values() for text in each]
    assert total == len(everything)
    assert frequencies == {word: sum(word in text for text in everything) for word in words}
    assert len(snapshot.containing("word3", 1000)) == frequencies["word3"]


def _held(snapshot: Snapshot) -> set[str]:
    """The texts that have a vector in the further space."""
    (space,) = snapshot.spaces
    hits = snapshot.nearest(QUERIES[:1], 1000, space=space.number)[0]
    return {one.passage.text for one in snapshot.passages([number for number, _ in hits])}


def _compare_space(snapshot: Snapshot, model: Model, filled: set[str] | None) -> None:
    """The further space holds the passages whose text was filled, by the vectors of its model, and no other."""
    assert (filled is None) == (snapshot.spaces == ())
    if filled is None:
        return
    (space,) = snapshot.spaces
    hits = snapshot.nearest(QUERIES[:1], 1000, space=space.number)[0]
    stored = snapshot.passages([number for number, _ in hits])
    found = {(one.passage.document.path, one.passage.ordinal) for one in stored}
    held = {text for text in filled if any(one.passage.text == text for one in stored)}
    assert found == {(path, at) for path, texts in model.items() for at, text in enumerate(texts) if text in held}
    for one, (_, score) in zip(stored, hits, strict=True):
        assert one.passage.text in filled
        assert abs(score - float(other_vector(one.passage.text).astype(np.float16) @ QUERIES[0])) < 1e-3


compaction.MERGE_FROM, compaction.MIN_ENDED = 4, 6  # so that short runs compact on their own
columns.WORTH_KEEPING, members.WORTH_KEEPING = 10, 3  # and write what is derived
TestAnIndex = AnIndex.TestCase
TestAnIndex.settings = settings(
    max_examples=1000 if LONG else 10,
    stateful_step_count=50 if LONG else 20,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
)
