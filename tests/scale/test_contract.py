"""The laws of `Moment` and `IndexWriter`, for every place where an index may be kept, against brute force."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexFailure, IndexNotFound
from rag.index import INDEXES
from rag.index.room import Moment, Room
from rag.types import CaptionOf, DocumentId, Filters, Kind
from tests.scale.conftest import ROOMS, room_at
from tests.scale.oracle import Oracle
from tests.unit.index_samples import FINGERPRINT, document, key_of, passage, put, unit_rows, vector_of

WORDS = ("harbour", "crane", "tide", "invoice", "pilot", "anchor", "rope", "buoy", "ledger", "storm", "潮汐表", "Brücke")
KINDS: tuple[Kind, ...] = ("text", "page", "image", "screenshot", "frame")


def test_every_place_of_an_index_is_tested() -> None:
    assert set(ROOMS) == set(INDEXES)


def text_of(number: int) -> str:
    random = np.random.default_rng(number)
    return " ".join([*random.choice(WORDS[:10], 6), f"unique{number}", *WORDS[10:][: number % 3]])


def filled(room: Room, documents: int = 60) -> Oracle:
    """Documents of three passages each, in folders, kinds and dates that repeat; some replaced and removed again."""
    oracle = Oracle()
    room.create(FINGERPRINT, {"passage_characters": "1200"})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        writer.commit()
        for number in range(documents):
            path = f"folder{number % 4}/sub/file{number}.{('txt', 'pdf', 'png')[number % 3]}"
            asked = {"words": f"folder{number % 4} file{number}", "kind": KINDS[number % 5], "modified": 1000.0 + number}
            put(writer, path, ["to be replaced", text_of(10_000 + number)], **asked)
            if number % 7 == 0:
                writer.commit()
            texts = [text_of(3 * number + at) for at in range(3)]
            put(writer, path, texts, stamp="2", **asked)
            oracle.put(path, texts, **asked)
        put(writer, "gone.txt", ["this goes away"])
        writer.commit()
        writer.remove("docs", "gone.txt")
        writer.commit()
    return oracle


@pytest.fixture(scope="module", params=ROOMS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Room, Oracle]:
    room = room_at(request.param, tmp_path_factory.mktemp(request.param))
    return room, filled(room)


def places(moment: Moment, numbers: list[int]) -> list[tuple[str, str, int]]:
    return [(one.passage.document.root, one.passage.document.path, one.passage.ordinal) for one in moment.passages(numbers)]


FILTERS = (
    Filters(),
    Filters(kinds=("page", "frame")),
    Filters(after=1010.0, before=1030.0),
    Filters(paths=("folder2",)),
    Filters(paths=("*.pdf",)),
    Filters(paths=("folder[13]/**/file1*.txt", "*9.png")),
    Filters(roots=("docs",), kinds=("image",), after=1020.0),
    Filters(documents=(DocumentId("docs", "folder1/sub/file1.pdf"),)),
    Filters(paths=("nothing/here",)),
)


def allowed_by(wanted: Filters):
    from rag.index.reader.path_globs import matcher

    fits = matcher(wanted.paths) if wanted.paths else lambda _: True
    return lambda one: (
        (not wanted.kinds or one.passage.kind in wanted.kinds)
        and (wanted.after is None or one.modified >= wanted.after)
        and (wanted.before is None or one.modified < wanted.before)
        and (not wanted.documents or one.passage.document in wanted.documents)
        and fits(one.passage.document.path)
    )


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_the_nearest_are_those_of_brute_force(built: tuple[Room, Oracle], wanted: Filters) -> None:
    room, oracle = built
    queries = unit_rows(3, 5)
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        within = moment.matching(wanted)
        for query, found in zip(queries, moment.nearest_by_kind(queries, 20, 4, within), strict=True):
            truth = oracle.nearest(query, allowed_by(wanted))
            np.testing.assert_allclose([score for _, score in found][:20], [score for _, score in truth[:20]], atol=1e-5)
            assert places(moment, [number for number, _ in found[:20]]) == [place for place, _ in truth[:20]]
            by_place = dict(truth)
            for place, (_, score) in zip(places(moment, [number for number, _ in found]), found, strict=True):
                assert abs(by_place[place] - score) < 1e-5
            for kind in KINDS:
                of_kind = oracle.nearest(query, lambda one, kind=kind: one.passage.kind == kind and allowed_by(wanted)(one))[:4]
                assert {place for place, _ in of_kind} <= set(places(moment, [number for number, _ in found]))


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
@pytest.mark.parametrize("words", ["harbour crane", "storm storm pilot", "ledger", "folder anchor"])
def test_words_are_scored_as_by_brute_force(built: tuple[Room, Oracle], wanted: Filters, words: str) -> None:
    room, oracle = built
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        found = moment.containing(words, 200, moment.matching(wanted))
        truth = oracle.containing(words, allowed_by(wanted))
        scores = dict(zip(places(moment, [number for number, _, _ in found]), (score for _, score, _ in found), strict=True))
        assert scores.keys() == truth.keys()
        for place, score in truth.items():
            assert scores[place] == pytest.approx(score, abs=2e-4)
        assert [score for _, score, _ in found] == sorted((score for _, score, _ in found), reverse=True)


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ('"unique77"', lambda text: "unique77" in text),
        ('"crane tide"', lambda text: "crane tide" in text),
        ("harbour -crane", lambda text: "crane" not in text),
        ('"潮汐表"', lambda text: "潮汐表" in text),
        ("uniq* harbour", lambda text: True),
    ],
)
def test_phrases_and_excluded_words_are_exact(built: tuple[Room, Oracle], words: str, holds) -> None:
    room, oracle = built
    expected = {one.place for one in oracle.all() if holds(one.passage.text)}
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        within = moment.meeting(words)
        found = moment.nearest_by_kind(unit_rows(1, 1), 1_000, 0, within)[0]
        assert set(places(moment, [number for number, _ in found])) == expected
        assert {number for number, _, _ in moment.containing(words, 1_000, within)} <= {number for number, _ in found}


def test_a_word_is_found_by_how_it_begins_and_read_as_another_where_no_passage_holds_it(built: tuple[Room, Oracle]) -> None:
    room, _ = built
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        assert len(moment.containing("unique17*", 100)) == 11  # unique17 and unique170 … unique179
        assert moment.corrections("harbuor") == {"harbuor": "harbour"}
        assert moment.containing("harbuor", 5) != []


def test_a_passage_is_found_by_its_id_with_what_is_around_it(built: tuple[Room, Oracle]) -> None:
    room, _ = built
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        [(number, _, _)] = moment.containing("unique76", 1)
        [stored] = moment.passages([number])
        assert moment.by_id(stored.id) == stored and moment.by_id("nosuchid00") is None
        assert stored.file == Path("/corpus") / stored.passage.document.path
        assert [one.passage.ordinal for one in moment.neighbours(number)] == [0, 2]
        assert moment.outlines([number])[0].document == (room.name, "docs", stored.passage.document.path, "")
        assert moment.vectors([number])[0] @ vector_of(key_of(stored.passage.text)) == pytest.approx(1, abs=1e-3)


def test_counts_are_of_live_documents_only(built: tuple[Room, Oracle]) -> None:
    room, oracle = built
    with closing(room.open("auto")) as opened:
        status = opened.status()
    assert status.documents == 60 and sum(status.passages.values()) == len(oracle.all()) == 180
    assert status.suffixes == {".pdf": 20, ".png": 20, ".txt": 20} and status.roots == {"docs": Path("/corpus")}
    assert list(room.check(read_data=True)) == []


def test_a_document_waits_for_its_vectors_and_its_older_version_stays(room: Room) -> None:
    room.create(FINGERPRINT, {})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.txt", ["old words"])
        writer.commit()
        found = document("a.txt", stamp="2")
        fresh = [(passage(found, at, text), key_of(text)) for at, text in enumerate(("new words", "more words"))]
        writer.put_document(found, digest=b"2", loader="text 1", passages=fresh, path_words="")
        writer.put_vectors([key_of("new words")], unit_rows(1, 1))
        writer.commit()
        assert writer.waiting_documents == 1 and texts(room) == ["old words"]
        assert list(writer.stamps("docs")) == [("a.txt", "1")]
    with room.writing() as writer:  # as after a kill: the vector that came is not asked for again
        assert writer.known([key_of("new words"), key_of("more words")]) == {key_of("new words")}
        writer.put_document(found, digest=b"2", loader="text 1", passages=fresh, path_words="")
        writer.put_vectors([key_of("more words")], unit_rows(1, 2))
        writer.commit()
        assert texts(room) == ["more words", "new words"]


def texts(room: Room) -> list[str]:
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        found = moment.nearest_by_kind(unit_rows(1, 0), 1_000, 0)[0]
        return sorted(one.passage.text for one in moment.passages([number for number, _ in found]))


NAMES = (
    "it's.txt",
    'a "quoted" name.txt',
    "back\\slash.txt",
    "100%_sure~.txt",
    "line\nbreak.txt",
    "raw\udcff.txt",
    "潮汐/é.txt",
    "']] or 1.txt",
)


def test_any_name_a_file_may_have(room: Room) -> None:
    room.create(FINGERPRINT, {})
    with room.writing() as writer:
        writer.add_root('ro"ot\\', Path("/corpus/it's"))
        for number, name in enumerate(NAMES):
            put(writer, name, [f"text {number}"], root='ro"ot\\')
        writer.commit()
        expected = sorted(NAMES, key=lambda one: one.encode("utf-8", "surrogateescape"))
        assert [path for path, _ in writer.stamps('ro"ot\\')] == expected
        assert writer.remove('ro"ot\\', NAMES[1]) and not writer.remove('ro"ot\\', "nothing")
        writer.commit()
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        for number, name in enumerate(NAMES):
            within = moment.matching(Filters(documents=(DocumentId('ro"ot\\', name),), roots=('ro"ot\\',)))
            found = moment.nearest_by_kind(unit_rows(1, 0), 10, 0, within)[0]
            held = [one.passage.document.path for one in moment.passages([one for one, _ in found])]
            assert held == ([] if number == 1 else [name])
        assert moment.roots() == {'ro"ot\\': Path("/corpus/it's")}
        found = moment.nearest_by_kind(unit_rows(1, 0), 10, 0, moment.matching(Filters(paths=("back*",))))[0]
        assert len(found) == 1


def test_a_twin_gives_its_passages_with_their_keys(room: Room) -> None:
    room.create(FINGERPRINT, {})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.txt", ["one", "two"])
        for _ in ("waiting for the commit", "committed"):
            twin = writer.twin(key_of("one\ntwo"), "text 1")
            assert twin is not None and twin.id == DocumentId("docs", "a.txt")
            assert [(one.text, key) for one, key in twin.passages] == [("one", key_of("one")), ("two", key_of("two"))]
            assert writer.twin(key_of("one\ntwo"), "text 2") is None and writer.twin(b"other", "text 1") is None
            assert writer.digest(DocumentId("docs", "a.txt")) == key_of("one\ntwo")
            writer.commit()


def test_a_picture_of_which_something_else_is_said_is_read_again(room: Room) -> None:
    room.create(FINGERPRINT, {})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "crane.png", ["a crane"], kind="image")
        put(writer, "page.md", ["see the crane"])
        writer.commit()
        assert writer.pictures.put_captions("docs", "page.md", [CaptionOf("crane.png", "The old crane")]) == {"crane.png"}
        writer.pictures.put_recognised(b"k" * 16, "B4")
        writer.commit()
    with room.writing() as writer:
        assert dict(writer.stamps("docs")) == {"crane.png": "", "page.md": "1"}
        assert writer.pictures.captions_for("docs", "crane.png") == ["The old crane"]
        with closing(writer.pictures.open_recognised()) as words:
            assert words.find(b"k" * 16) == "B4" and words.find(b"other") is None
        put(writer, "crane.png", ["a crane"], kind="image", caption="The old crane", stamp="7")
        writer.commit()
    with room.writing() as writer:
        assert dict(writer.stamps("docs")) == {"crane.png": "7", "page.md": "1"}


def test_skipped_files_settings_counts_and_roots_are_kept(room: Room) -> None:
    room.create(FINGERPRINT, {"clues": "ocr"})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        writer.add_root("more", Path("/more"))
        assert not writer.memory.read_again({"text": 1})
        put(writer, "a.txt", ["one"])
        put(writer, "b.txt", ["two"], root="more")
        writer.put_skipped(document("bad.pdf"), 'is "broken"')
        writer.put_unread(key_of("one"), ["page 3: is broken"])
        writer.memory.keep_setting("ignore", '["gitignore"]')
        writer.memory.keep_ignored("docs", {"hidden": 2})
        writer.kept.write("quarantine.json", "{}")
        writer.commit()
        writer.remove_root("more")
        writer.commit()
    with closing(room.open("auto")) as opened:
        status = opened.status()
        assert [(str(one.document), one.reason) for one in status.skipped] == [("docs/bad.pdf", 'is "broken"')]
        assert [(str(one.document), one.reason) for one in status.unread] == [("docs/a.txt", "page 3: is broken")]
        assert dict(status.ignored) == {"hidden": 2} and status.roots == {"docs": Path("/corpus")}
        assert opened.settings == {"clues": "ocr", "ignore": '["gitignore"]'} and status.documents == 1
    with room.writing() as writer:
        assert writer.kept.read("quarantine.json") == "{}" and writer.kept.read("other") == ""
        assert list(writer.stamps("docs", "bad.pdf")) == [("bad.pdf", "1")]
        with pytest.raises(IndexFailure, match="no root called"):
            list(writer.stamps("more"))


@pytest.mark.parametrize("seed", range(3))
def test_a_random_history_ends_as_its_last_versions(room: Room, seed: int) -> None:
    random = np.random.default_rng(seed)
    room.create(FINGERPRINT, {})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        writer.commit()
    expected: dict[str, list[str]] = {}
    for _ in range(4):  # runs
        with room.writing() as writer:
            committed, since = dict(expected), dict(expected)
            for _ in range(int(random.integers(5, 25))):
                path = f"file{random.integers(8)}.txt"
                match int(random.integers(6)):
                    case 0:
                        assert writer.remove("docs", path) == (since.pop(path, None) is not None)
                    case 1:
                        writer.put_skipped(document(path), "is broken")
                        since[path] = []
                    case 2:
                        writer.commit()
                        committed = dict(since)
                    case _:
                        since[path] = [text_of(int(random.integers(40))) for _ in range(int(random.integers(1, 4)))]
                        put(writer, path, since[path], stamp=str(random.integers(1_000)))
            if random.integers(2):
                writer.commit()
                committed = since
            expected = committed
        assert texts(room) == sorted(text for each in expected.values() for text in each)
        with room.writing() as writer:
            assert [path for path, _ in writer.stamps("docs")] == sorted(expected) if expected else True
    assert list(room.check(read_data=True)) == []


def test_what_is_not_there_says_so(room: Room) -> None:
    assert not room.exists()
    with pytest.raises(IndexNotFound):
        room.fingerprint()
    room.create(FINGERPRINT, {})
    assert room.exists() and room.fingerprint() == FINGERPRINT
    with pytest.raises(IndexFailure, match="already an index"):
        room.create(FINGERPRINT, {})
