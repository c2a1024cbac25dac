"""Further vector spaces: added, filled, searched, compacted, repaired, dropped, put first; the others stay as they are."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexFailure, IndexReplaced
from rag.index.catalog.index_folder import fingerprint_of, settings_of
from rag.index.reader.open_index import open_index
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.upkeep.repair import repair
from rag.index.writer.writer import Writer, writing
from rag.types import Fingerprint
from tests.unit.index_samples import FINGERPRINT, key_of, made, put, snapshot_of, vector_of

OTHER_DIM = 24
OTHER = Fingerprint("other", "1", OTHER_DIM, "", "plain")
THIRD = Fingerprint("third", "1", 8, "", "plain")
TEXTS = [f"text {number}" for number in range(30)]


def filled(writer: Writer, fingerprint: Fingerprint = OTHER, most: int = 1000) -> int:
    """Fills the space of that model with vectors of the texts; returns how many were new."""
    space = writer.spaces.named(fingerprint.model) or writer.spaces.add(fingerprint.model, fingerprint, {"model": '"other"'})
    numbers = writer.spaces.missing(space)[:most]
    texts = [stored.passage.text for stored in writer.spaces.passages(numbers)]
    rows = np.stack([vector_of(key_of(text), fingerprint.dim) for text in texts]) if texts else np.empty((0, fingerprint.dim))
    return writer.spaces.put(space, numbers, rows)


def two_spaces(folder: Path) -> Path:
    made(folder, {f"{at}.md": TEXTS[3 * at : 3 * at + 3] for at in range(10)})
    with writing(folder) as writer:
        assert filled(writer) == 30
        writer.commit()
    return folder


def bytes_of(folder: Path, space: int) -> dict[str, bytes]:
    import apsw

    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    question = "SELECT number FROM segments WHERE ended IS NULL AND space = ?"
    names = [f"{number:06d}.faiss" for (number,) in connection.execute(question, (space,))]
    return {name: (folder / "segments" / name).read_bytes() for name in names}


def best(folder: Path, text: str, space: int = 0) -> list[str]:
    with snapshot_of(folder) as snapshot:
        dim = OTHER_DIM if space else 16
        found = snapshot.nearest(vector_of(key_of(text), dim)[None], 3, space=space)[0]
        assert found[0][1] == pytest.approx(1, abs=2e-3)
        return [stored.passage.text for stored in snapshot.passages([number for number, _ in found])]


def sound(folder: Path) -> bool:
    return check_structure(folder) == [] and check_bytes(folder) == []


def test_a_space_is_searched_beside_the_first_and_changes_nothing_of_it(tmp_path):
    folder = made(tmp_path / "index", {f"{at}.md": TEXTS[3 * at : 3 * at + 3] for at in range(10)})
    before = bytes_of(folder, 0)
    with snapshot_of(folder) as snapshot:
        answers = snapshot.nearest(vector_of(key_of("text 7"))[None], 30)
    with writing(folder) as writer:
        assert filled(writer, most=10) == 10
        writer.commit()
    with snapshot_of(folder) as snapshot:
        assert [(space.name, space.fingerprint) for space in snapshot.spaces] == [("other", OTHER)]
        assert len(snapshot.nearest(vector_of(key_of("text 7"), OTHER_DIM)[None], 30, space=1)[0]) == 10
        (counts,) = snapshot.status().spaces
        assert (counts.name, counts.passages) == ("other", 10) and counts.bytes == 81 + 10 * 2 * OTHER_DIM
    with writing(folder) as writer:
        assert filled(writer) == 20 and filled(writer) == 0
        writer.commit()
    assert best(folder, "text 7", space=1)[0] == best(folder, "text 7")[0] == "text 7"
    with snapshot_of(folder) as snapshot:
        assert snapshot.nearest(vector_of(key_of("text 7"))[None], 30) == answers
        held, rows = snapshot.vectors_in(1, [3, 1, 999])
        assert held == [3, 1]
        np.testing.assert_allclose(rows[1], vector_of(key_of("text 0"), OTHER_DIM), atol=1e-3)
    assert bytes_of(folder, 0) == before and sound(folder)


def test_filters_hold_in_every_space(tmp_path):
    from rag.types import Filters

    folder = two_spaces(tmp_path / "index")
    with writing(folder) as writer:
        put(writer, "new.md", ["not filled"])
        writer.commit()
    with snapshot_of(folder) as snapshot:
        allowed = snapshot.matching(Filters(paths=("3.md", "new.md")))
        found = snapshot.nearest_by_kind(vector_of(key_of("text 0"), OTHER_DIM)[None], 30, 2, allowed, space=1)[0]
        texts = {stored.passage.text for stored in snapshot.passages([number for number, _ in found])}
        assert texts == {"text 9", "text 10", "text 11"}


def test_the_most_recent_contents_come_first_and_shared_ones_once(tmp_path):
    folder = made(tmp_path / "index", {"old.md": ["one", "two"]})
    with writing(folder) as writer:
        put(writer, "new.md", ["three", "one"], modified=5000.0)
        writer.commit()
        space = writer.spaces.add("other", OTHER, {})
        numbers = writer.spaces.missing(space)
        texts = [stored.passage.text for stored in writer.spaces.passages(numbers)]
        assert sorted(texts) == ["one", "three", "two"] and texts[2] == "two"
        one = numbers[texts.index("one")]
        assert [str(stored.passage.document) for stored in writer.spaces.sharing(one, 9)] == ["docs/old.md", "docs/new.md"]


def test_compacting_the_first_space_leaves_the_bytes_of_the_other(tmp_path):
    folder = two_spaces(tmp_path / "index")
    kept = bytes_of(folder, 1)
    with writing(folder) as writer:
        put(writer, "more.md", ["and more"])
        writer.commit()
        put(writer, "more.md", ["and even more"])
        writer.commit()
        writer.compact()
    assert bytes_of(folder, 1) == kept and sound(folder)
    with writing(folder) as writer:
        writer.remove("docs", "0.md")
        writer.commit()
        assert filled(writer) == 1
        writer.commit()
        first = bytes_of(folder, 0)
        put(writer, "last.md", ["last"])
        writer.commit()
        assert filled(writer) == 1
        writer.commit()
    with writing(folder) as writer:
        done = writer.compact()
        assert (done.passages, done.before, done.after) == (3, 5, 2)  # the first space has two segments, the other three
    assert bytes_of(folder, 0).keys().isdisjoint(first) and sound(folder)
    for text in ("text 4", "and even more", "last"):
        assert best(folder, text, space=1)[0] == best(folder, text)[0] == text


def test_small_segments_of_a_space_are_merged_as_they_are_made(tmp_path):
    folder = made(tmp_path / "index", {f"{at}.md": [f"text {at}"] for at in range(40)})
    first = bytes_of(folder, 0)
    with writing(folder) as writer:
        for _ in range(40):
            assert filled(writer, most=1) == 1
            writer.commit()
    assert len(bytes_of(folder, 1)) < 32 and bytes_of(folder, 0) == first
    assert best(folder, "text 39", space=1)[0] == "text 39" and sound(folder)


def test_a_dropped_space_leaves_the_other_as_it_was_and_its_files_go(tmp_path):
    folder = two_spaces(tmp_path / "index")
    kept, gone = bytes_of(folder, 0), bytes_of(folder, 1)
    with writing(folder) as writer:
        space = writer.spaces.named("other")
        assert space is not None
        writer.spaces.drop(space)
        writer.commit()
    with writing(folder) as writer:
        assert not any((folder / "segments" / name).exists() for name in gone)
        writer.compact()
        assert writer.spaces.all() == ()
        assert filled(writer) == 30  # a space of the same name begins anew, under another number
        writer.commit()
        assert [space.number for space in writer.spaces.all()] == [2]
    assert bytes_of(folder, 0) == kept and sound(folder)


def test_damage_in_a_space_ends_no_document(tmp_path):
    folder = two_spaces(tmp_path / "index")
    kept = bytes_of(folder, 0)
    (name,) = bytes_of(folder, 1)
    file = folder / "segments" / name
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    (finding,) = check_bytes(folder)
    assert name in finding and "it holds vectors of docs/0.md, docs/1.md, docs/2.md and 7 more" in finding
    done = repair(folder)
    assert done.documents == () and any("30 vectors of other are made again" in said for said in done.done)
    assert bytes_of(folder, 0) == kept and sound(folder)
    with writing(folder) as writer:
        assert filled(writer) == 30
        writer.commit()
    assert best(folder, "text 7", space=1)[0] == "text 7" and sound(folder)


def test_a_space_takes_the_place_of_the_first_without_a_vector_written(tmp_path):
    folder = two_spaces(tmp_path / "index")
    with writing(folder) as writer:
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
    kept, third = bytes_of(folder, 1), bytes_of(folder, 2)
    with open_index(folder) as index:
        with index.snapshot() as snapshot:
            ids = {stored.id for stored in snapshot.passages(list(snapshot.live.numbers))}
        with writing(folder) as writer:
            writer.put_space_first(other)
        with pytest.raises(IndexReplaced), index.snapshot():
            pass
    assert fingerprint_of(folder) == OTHER and settings_of(folder)["model"] == '"other"'
    assert bytes_of(folder, 0) == kept and bytes_of(folder, 2) == third and sound(folder)
    with snapshot_of(folder) as snapshot:
        assert [(space.name, space.number) for space in snapshot.spaces] == [("third", 2)]
        (number, score), *_ = snapshot.nearest(vector_of(key_of("text 7"), OTHER_DIM)[None], 3)[0]
        assert snapshot.passages([number])[0].passage.text == "text 7" and score == pytest.approx(1, abs=2e-3)
        assert {stored.id for stored in snapshot.passages(list(snapshot.live.numbers))} == ids
        assert snapshot.status().spaces[0].passages == 6  # of five contents, one of which two documents have
    with writing(folder) as writer:
        writer.compact()
        assert filled(writer, THIRD) == 23
        writer.commit()
    assert sound(folder)


KILL = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
import rag.index.vectors.vector_store as module
from rag.index.writer.writer import writing
from tests.unit.index.writer.test_spaces import filled
if {at!r} == "segment":
    module.record_segment = lambda *rest: os.kill(os.getpid(), signal.SIGKILL)
with writing(Path({folder!r})) as writer:
    assert filled(writer, most=10) == 10
    if {at!r} == "commit":
        os.kill(os.getpid(), signal.SIGKILL)
    writer.commit()
"""


@pytest.mark.parametrize("at", ["segment", "commit"])
def test_a_kill_while_a_space_is_filled_leaves_the_last_commit(tmp_path, at):
    folder = made(tmp_path / "index", {f"{at}.md": TEXTS[3 * at : 3 * at + 3] for at in range(10)})
    with writing(folder) as writer:
        assert filled(writer, most=10) == 10
        writer.commit()
    before = bytes_of(folder, 0) | bytes_of(folder, 1)
    script = KILL.format(here=str(Path.cwd()), folder=str(folder), at=at)
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    with writing(folder) as writer:
        assert bytes_of(folder, 0) | bytes_of(folder, 1) == before
        assert filled(writer) == 20
        writer.commit()
    assert best(folder, "text 29", space=1)[0] == "text 29" and sound(folder)


def test_an_index_made_before_spaces_takes_one(tmp_path):
    from rag.index.upkeep.migration import bring_up_to_date
    from tests.unit.index.catalog.test_format import unpacked

    folder = unpacked(tmp_path / "index", 3)
    before = {file.name: file.read_bytes() for file in (folder / "segments").iterdir()}
    assert bring_up_to_date(folder)
    with writing(folder) as writer:
        assert filled(writer) == 5
        writer.commit()
    assert fingerprint_of(folder) == FINGERPRINT and best(folder, "five", space=1)[0] == "five" and sound(folder)
    assert before.items() <= {file.name: file.read_bytes() for file in (folder / "segments").iterdir()}.items()
