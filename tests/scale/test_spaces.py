"""Further vector spaces, wherever the index is kept: added, filled, followed, searched and dropped; others stay as they are."""

from __future__ import annotations

from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexFailure, IndexLocked, IndexReplaced
from rag.index.milvus.fill_turn import MilvusFillTurn
from rag.index.milvus.room import MilvusRoom
from rag.index.room import Room
from rag.types import DocumentId, Filters, Fingerprint
from tests.scale.test_commit_rule import Killed, killing, revived
from tests.unit.index.writer.test_spaces import OTHER, OTHER_DIM, TEXTS, THIRD, filled
from tests.unit.index_samples import DIM, FINGERPRINT, document, key_of, passage, put, vector_of


def lacking(room: Room, fingerprint: Fingerprint = OTHER) -> list[str]:
    """The texts that a space lacks, in the order in which they would be made."""
    with room.writing() as writer:
        space = writer.spaces.named(fingerprint.model)
        assert space is not None
        return [stored.passage.text for stored in writer.spaces.passages(writer.spaces.missing(space))]


def best(room: Room, text: str, k: int = 3, *, within: Filters | None = None, space: int = 0) -> list[str]:
    """The texts of the nearest passages, of which the first must be that very text."""
    fingerprint = {0: FINGERPRINT, 1: OTHER, 2: THIRD}[space]
    with closing(room.open("auto")) as opened, opened.snapshot() as moment:
        allowed = moment.matching(within) if within is not None else None
        found = moment.nearest_by_kind(vector_of(key_of(text), fingerprint.dim)[None], k, 0, allowed, space)[0]
        return [stored.passage.text for stored in moment.passages([number for number, _ in found])]


def shares(room: Room) -> dict[str, int]:
    with closing(room.open("auto")) as opened:
        return {space.name: space.passages for space in opened.status().spaces}


@pytest.fixture
def made(room: Room) -> Room:
    """Ten documents of three passages, of one model."""
    room.create(FINGERPRINT, {"passage_characters": "1200"})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        for at in range(10):
            put(writer, f"{at}.md", TEXTS[3 * at : 3 * at + 3])
        writer.commit()
    return room


@pytest.fixture
def two(made: Room) -> Room:
    """The same with a second model that has all of it."""
    with made.writing() as writer:
        assert filled(writer) == 30
        writer.commit()
    return made


def test_a_space_is_searched_beside_the_first_and_changes_nothing_of_it(made: Room) -> None:
    before = [best(made, text, 30) for text in ("text 7", "text 20")]
    with made.writing() as writer:
        assert filled(writer, most=10) == 10
        writer.commit()
    assert shares(made) == {"other": 10} and [(one.name, one.fingerprint) for one in made.spaces()] == [("other", OTHER)]
    assert len(best(made, "text 7", 30, space=1)) == 10
    with made.writing() as writer:
        assert filled(writer) == 20 and filled(writer) == 0
        writer.commit()
    assert shares(made) == {"other": 30} and lacking(made) == []
    assert best(made, "text 7", space=1)[0] == best(made, "text 7")[0] == "text 7"
    assert [best(made, text, 30) for text in ("text 7", "text 20")] == before


def test_the_nearest_in_a_space_are_those_of_brute_force_with_their_scores(two: Room) -> None:
    with closing(two.open("auto")) as opened, opened.snapshot() as moment:
        query = vector_of(key_of("anything"), OTHER_DIM)
        found = moment.nearest_by_kind(query[None], 7, 0, None, 1)[0]
        texts = [stored.passage.text for stored in moment.passages([number for number, _ in found])]
        rows = {text: float(vector_of(key_of(text), OTHER_DIM).astype(np.float16).astype(np.float32) @ query) for text in TEXTS}
        assert texts == sorted(rows, key=lambda text: -rows[text])[:7]
        assert [score for _, score in found] == pytest.approx([rows[text] for text in texts], abs=1e-6)
        numbers = [number for number, _ in found]
        held, vectors = moment.vectors_in(1, numbers)
        assert held == numbers and vectors.shape == (7, OTHER_DIM)
        np.testing.assert_allclose(vectors[2], vector_of(key_of(texts[2]), OTHER_DIM), atol=1e-3)


def test_filters_hold_in_every_space_and_what_it_lacks_is_not_found(two: Room) -> None:
    with two.writing() as writer:
        put(writer, "new.md", ["not filled"])
        writer.commit()
    wanted = Filters(paths=("3.md", "new.md"))
    assert set(best(two, "text 0", 30, within=wanted, space=1)) == {"text 9", "text 10", "text 11"}
    assert set(best(two, "text 0", 30, within=wanted)) == {"text 9", "text 10", "text 11", "not filled"}
    with closing(two.open("auto")) as opened, opened.snapshot() as moment:
        both = [
            number for number, _ in moment.nearest_by_kind(vector_of(key_of("text 9"))[None], 30, 0, moment.matching(wanted))[0]
        ]
        held, vectors = moment.vectors_in(1, both)
        assert len(held) == len(vectors) == 3 and len(both) == 4
    assert lacking(two) == ["not filled"] and shares(two) == {"other": 30}


def test_words_that_a_query_demands_hold_in_every_space(two: Room) -> None:
    with closing(two.open("auto")) as opened, opened.snapshot() as moment:
        allowed = moment.meeting('"text 4"')
        found = moment.nearest_by_kind(vector_of(key_of("text 0"), OTHER_DIM)[None], 30, 2, allowed, 1)[0]
        assert [stored.passage.text for stored in moment.passages([number for number, _ in found])] == ["text 4"]


def test_the_most_recent_contents_come_first_and_shared_ones_once(room: Room) -> None:
    room.create(FINGERPRINT, {})
    with room.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "old.md", ["one", "two"])
        put(writer, "new.md", ["three", "one"], modified=5000.0)
        writer.commit()
        space = writer.spaces.add("other", OTHER, {})
        numbers = writer.spaces.missing(space)
        texts = [stored.passage.text for stored in writer.spaces.passages(numbers)]
        assert sorted(texts) == ["one", "three", "two"] and texts[2] == "two"
        one = numbers[texts.index("one")]
        assert sorted(str(each.passage.document) for each in writer.spaces.sharing(one, 9)) == ["docs/new.md", "docs/old.md"]
        assert len(writer.spaces.sharing(one, 1)) == 1 and one in writer.spaces.sharing_numbers(one)
        assert writer.spaces.stamp(one) == "1"
        assert filled(writer) == 3
        writer.commit()
    assert shares(room) == {"other": 4}
    assert best(room, "one", 2, space=1) == ["one", "one"]


def test_a_vector_follows_its_content_to_new_versions_copies_and_other_names(two: Room) -> None:
    with two.writing() as writer:
        put(writer, "0.md", ["text 1", "a new line", "text 2"], stamp="2")
        put(writer, "copy.md", TEXTS[3:6])
        put(writer, "moved.md", TEXTS[6:9])
        writer.remove("docs", "2.md")
        writer.commit()
    assert lacking(two) == ["a new line"] and shares(two) == {"other": 30 - 1 + 3}
    assert best(two, "text 7", 1, within=Filters(paths=("moved.md",)), space=1) == ["text 7"]
    assert best(two, "text 4", 2, space=1) == ["text 4", "text 4"]
    with two.writing() as writer:
        assert filled(writer) == 1
        writer.commit()
    assert best(two, "a new line", 1, space=1) == ["a new line"]


def test_a_dropped_space_leaves_the_other_as_it_was_and_its_number_is_not_given_again(two: Room) -> None:
    with two.writing() as writer:
        assert filled(writer, THIRD, most=5) == 5
        writer.commit()
        space = writer.spaces.named("other")
        assert space is not None
        writer.spaces.drop(space)
        assert writer.spaces.named("other") is None
        writer.commit()
    assert shares(two) == {"third": 5} and best(two, "text 7")[0] == "text 7"
    with closing(two.open("auto")) as opened, opened.snapshot() as moment:
        assert [(each.name, each.number) for each in moment.spaces] == [("third", 2)]
    with two.writing() as writer:
        assert filled(writer) == 30  # a space of the same name begins anew
        writer.commit()
        assert [(each.name, each.number) for each in writer.spaces.all()] == [("third", 2), ("other", 3)]


def test_settings_of_a_space_are_kept_and_what_is_not_committed_is_not(made: Room) -> None:
    with made.writing() as writer:
        space = writer.spaces.add("other", OTHER, {"url": '"http://one"'})
        writer.commit()
        writer.spaces.keep_settings(space, {"url": '"http://two"'})
        writer.commit()
        assert filled(writer) == 30
    assert [each.settings for each in made.spaces()] == [{"url": '"http://two"'}]
    assert shares(made) == {"other": 0} and len(lacking(made)) == 30


def test_one_fills_at_a_time_and_others_write_meanwhile(two: Room) -> None:
    with two.filling() as turn:
        with pytest.raises(IndexLocked), two.filling():
            pass
        space = turn.writer.spaces.named("other")
        assert space is not None and turn.writer.spaces.missing(space) == []
        if isinstance(turn, MilvusFillTurn):  # in a folder others wait until it steps aside: tests/e2e/test_stepping_aside.py
            assert not turn.has_news()
            with two.writing() as writer:
                put(writer, "late.md", ["came late"])
                writer.commit()
            assert turn.has_news()
        turn.step_aside()
        assert not turn.has_news()
        assert len(turn.writer.spaces.missing(space)) == isinstance(turn, MilvusFillTurn)
    two.wait_for_turn()


def test_a_run_that_did_not_see_the_vector_of_a_copy_leaves_it_to_be_followed(milvus: MilvusRoom) -> None:
    """A fill and a run at the same time: the content has a vector, one of its passages has no row."""
    milvus.create(FINGERPRINT, {})
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.md", ["shared"])
        space = writer.spaces.add("other", OTHER, {})
        writer.commit()
    with milvus.filling() as turn:
        numbers = turn.writer.spaces.missing(space)
        turn.writer.spaces.put(space, numbers, vector_of(key_of("shared"), OTHER_DIM)[None])
        with milvus.writing() as writer:
            put(writer, "b.md", ["shared"])
            writer.commit()
            writer.remove("docs", "a.md")
            writer.commit()
        turn.writer.commit()
        assert best(milvus, "shared", 5, space=1) == ["shared"]
        turn.step_aside()
        assert turn.writer.spaces.missing(space) == []


def test_a_fill_whose_model_is_dropped_meanwhile_forgets_its_vectors(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.md", TEXTS[:3])
        space = writer.spaces.add("other", OTHER, {})
        writer.commit()
    with milvus.filling() as turn, closing(milvus.open("auto")) as opened, opened.snapshot() as moment:
        numbers = turn.writer.spaces.missing(space)
        turn.writer.spaces.put(space, numbers, np.stack([vector_of(key_of(text), OTHER_DIM) for text in TEXTS[:3]]))
        with milvus.writing() as writer:
            writer.spaces.drop(space)
            writer.commit()
        turn.writer.commit()
        assert turn.has_news()
        from rag.errors import MovedOn

        with pytest.raises(MovedOn):
            moment.nearest_by_kind(vector_of(key_of("text 0"), OTHER_DIM)[None], 3, 0, None, space.number)
        turn.step_aside()
        assert turn.writer.spaces.all() == ()
    assert not [name for name in milvus.engine.collections() if name.startswith(f"{milvus.name}_space")]


def test_rows_that_no_document_names_are_swept_from_every_space(milvus: MilvusRoom) -> None:
    from rag.index.milvus.engine import NEWEST
    from rag.index.milvus.schema import SPACE_FIELDS, space_collection
    from rag.index.milvus.upkeep import sweep

    milvus.create(FINGERPRINT, {})
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.md", TEXTS[:3])
        writer.commit()
        assert filled(writer) == 3
        writer.commit()
    rows = space_collection(milvus.name, 1)
    [row, *_] = milvus.engine.every(rows, "", (*SPACE_FIELDS, "vector"), NEWEST)
    gone = row | {"key": row["key"].replace(row["version"], "f" * 32), "version": "f" * 32, "number": 1}
    gone["vector"] = vector_of(key_of("gone"), OTHER_DIM).astype(np.float16)
    milvus.engine.upsert(rows, [gone])
    assert set(best(milvus, "gone", 9, space=1)) == set(TEXTS[:3])
    assert sweep(milvus.engine, milvus.name, milvus.spaces()) == 1
    assert milvus.engine.count(rows, 'key != ""', NEWEST) == 3
    assert list(milvus.check(read_data=True)) == []


def test_documents_that_are_read_anew_keep_what_they_had_where_the_new_version_waits(two: Room) -> None:
    """The older version stays, in every space, until the vectors of the newer one are there."""
    with two.writing() as writer:
        newer = document("0.md", stamp="2")
        texts = ["text 1", "waits for its vector"]
        passages = [(passage(newer, at, text), key_of(text)) for at, text in enumerate(texts)]
        writer.put_document(newer, digest=key_of("x"), loader="text 1", passages=passages, path_words="")
        writer.commit()
        assert best(two, "text 0", 1, space=1) == ["text 0"]
        writer.put_vectors([key_of(texts[1])], vector_of(key_of(texts[1]))[None])
        writer.commit()
    assert best(two, "text 0", 1, within=Filters(documents=(DocumentId("docs", "0.md"),)), space=1) == ["text 1"]
    assert lacking(two) == ["waits for its vector"] and DIM == 16


def test_a_kill_at_any_write_leaves_every_vector_with_its_content_and_the_next_fill_completes_it(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.md", TEXTS[:2])
        put(writer, "gone.md", TEXTS[2:3])
        writer.commit()
        assert filled(writer) == 3
        writer.commit()

    def change(stamp: int) -> None:
        with milvus.writing() as writer:
            put(writer, "a.md", [TEXTS[1], f"new {stamp}"], stamp=str(stamp))
            put(writer, "copy.md", TEXTS[:1], stamp=str(stamp))
            if stamp % 2:
                writer.remove("docs", "gone.md")
            else:
                put(writer, "gone.md", TEXTS[2:3], stamp=str(stamp))
            writer.commit()
            filled(writer)
            writer.commit()

    change(1)
    for step in count(1):
        killing(milvus.engine, step, after=False)
        try:
            change(2 * step)
        except Killed:
            pass
        else:  # there is no write with that number any more
            revived(milvus.engine)
            break
        revived(milvus.engine)
        with closing(milvus.open("auto")) as opened, opened.snapshot() as moment:
            found = moment.nearest_by_kind(np.ones((1, OTHER_DIM), np.float32), 100, 0, None, 1)[0]
            held, rows = moment.vectors_in(1, [number for number, _ in found])
            for one, row in zip(moment.passages(held), rows, strict=True):
                np.testing.assert_allclose(row, vector_of(key_of(one.passage.text), OTHER_DIM), atol=1e-3)
        change(2 * step + 1)
        assert lacking(milvus) == [] and best(milvus, f"new {2 * step + 1}", 1, space=1)
        with closing(milvus.open("auto")) as opened:
            status = opened.status()
            assert sum(status.passages.values()) == 3 == status.spaces[0].passages
    assert step > 8


def test_a_space_takes_the_place_of_the_first_and_the_others_stay(two: Room) -> None:
    def ids() -> set[str]:
        with closing(two.open("auto")) as opened, opened.snapshot() as moment:
            numbers = moment.sample(1_000, np.random.default_rng(1))
            return {stored.id for stored in moment.passages(numbers)}

    with two.writing() as writer:
        assert filled(writer, THIRD, most=5) == 5
        writer.remove("docs", "9.md")
        put(writer, "new.md", ["new", "text 1"])
        writer.commit()
        other = writer.spaces.named("other")
        assert other is not None
        with pytest.raises(IndexFailure, match="1 contents have no vector in other yet"):
            writer.put_space_first(other)
        assert filled(writer) == 1
        writer.commit()
    before = ids()
    assert len(before) == 29
    with closing(two.open("auto")) as opened:
        with opened.snapshot():
            pass
        with two.writing() as writer:
            writer.put_space_first(other)
            writer.memory.keep_setting("kept", "true")
            writer.commit()
        opened.look_again()
        with pytest.raises(IndexReplaced), opened.snapshot():
            pass
    assert two.fingerprint() == OTHER and (two.settings()["model"], two.settings()["kept"]) == ('"other"', "true")
    assert [(one.name, one.number) for one in two.spaces()] == [("third", 2)] and ids() == before
    with closing(two.open("auto")) as opened, opened.snapshot() as moment:
        found = moment.nearest_by_kind(vector_of(key_of("text 7"), OTHER_DIM)[None], 3, 0)[0]
        assert moment.passages([found[0][0]])[0].passage.text == "text 7" and found[0][1] == pytest.approx(1, abs=2e-3)
        [(number, share, _)] = moment.containing('"text 7"', 1)
        assert moment.passages([number])[0].passage.text == "text 7" and share > 0
        assert list(moment.roots()) == ["docs"] and moment.status().spaces[0].passages == 6  # one content is of two documents
        third = moment.nearest_by_kind(vector_of(key_of("text 1"), THIRD.dim)[None], 30, 0, None, 2)[0]
        assert len(third) == 6
    with two.writing() as writer:
        later = document("later.md")
        passages = [(passage(later, 0, "text 2"), key_of("text 2"))]
        writer.put_document(later, digest=key_of("later"), loader="text 1", passages=passages, path_words="")
        writer.put_vectors([key_of("text 2")], vector_of(key_of("text 2"), OTHER_DIM)[None])
        writer.commit()
        assert filled(writer, THIRD) in (23, 24)  # a folder has given its contents other keys
        writer.commit()
    assert list(two.check(read_data=True)) == []
