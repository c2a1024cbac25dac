"""Every structure in an open index finds what `exact` finds, with segments, ended rows, filters and kinds; derived files."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rag.errors import WrongRequest
from rag.index import STRUCTURES
from rag.index.catalog.index_folder import create
from rag.index.locations import warm_up
from rag.index.reader.open_index import open_index
from rag.index.vectors import structures
from rag.index.vectors.verified_rows import VerifiedRows
from rag.index.writer.writer import writing
from rag.types import KINDS, Filters, Fingerprint
from tests.unit.index_samples import document, key_of, passage, snapshot_of

DIM = 320
APPROXIMATE = [name for name in STRUCTURES if name != "exact"]


def clustered(count: int, seed: int) -> np.ndarray:
    centres = np.random.default_rng(0).standard_normal((40, DIM))
    random = np.random.default_rng(seed)
    rows = centres[random.integers(0, 40, count)] + 0.7 * random.standard_normal((count, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Two large segments and a small one; every seventh document is removed; kinds alternate, images are rare."""
    folder = tmp_path_factory.mktemp("structures") / "index"
    create(folder, Fingerprint("model", "1", DIM, "", "plain"), {})
    with writing(folder) as writer:
        writer.add_root("docs", Path("/corpus"))
        for commit, documents in enumerate((60, 50, 2)):
            for at in range(documents):
                name = f"{commit}/{at}.md"
                found = document(name)
                kinds = [KINDS[2] if at % 20 == 0 else KINDS[(at + place) % 2] for place in range(50)]
                keyed = [(passage(found, place, "", kind), key_of(f"{name} {place}")) for place, kind in enumerate(kinds)]
                writer.put_document(found, digest=key_of(name), loader="l", passages=keyed, path_words="")
                writer.put_vectors([key for _, key in keyed], clustered(50, commit * 100 + at))
            writer.commit()
        for at in range(0, 50, 7):
            writer.remove("docs", f"0/{at}.md")
        writer.commit()
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(structures, "SMALL", 1000)
    return Path(shutil.copytree(made, tmp_path / "index"))


def agreement(found, wanted) -> float:
    shared = [len({n for n, _ in one} & {n for n, _ in other}) / len(other) for one, other in zip(found, wanted, strict=True)]
    return float(np.mean(shared))


@pytest.mark.parametrize("name", APPROXIMATE)
@pytest.mark.parametrize("filters", [None, Filters(paths=("1/",)), Filters(kinds=("image",)), Filters(paths=("0/1.md",))])
def test_every_structure_finds_what_exact_finds(folder, name, filters):
    queries = clustered(12, 999)
    with snapshot_of(folder, "exact") as exact, snapshot_of(folder, name) as other:
        allowed = exact.matching(filters) if filters else None
        wanted = exact.nearest(queries, 10, allowed)
        found = other.nearest(queries, 10, other.matching(filters) if filters else None)
        assert agreement(found, wanted) >= (0.97 if name == "ivf" else 0.99)
        known = [dict(each) for each in wanted]
        for one, scores in zip(found, known, strict=True):
            assert [n for n, _ in one] == [n for n, _ in sorted(one, key=lambda pair: (-pair[1], pair[0]))]
            shared = [(score, scores[number]) for number, score in one if number in scores]
            np.testing.assert_allclose(*zip(*shared, strict=True), atol=1e-6)
        paths = {stored.passage.document.path for stored in other.passages([n for each in found for n, _ in each])}
        assert paths.isdisjoint(f"0/{at}.md" for at in range(0, 50, 7))


def test_many_segments_rescore_no_more_rows_than_one(folder, monkeypatch):
    taken = []
    take = VerifiedRows.take
    monkeypatch.setattr(VerifiedRows, "take", lambda rows, chosen: taken.append(len(chosen)) or take(rows, chosen))
    with snapshot_of(folder, "exact") as exact, snapshot_of(folder, "coarse") as snapshot:
        wanted, found = exact.nearest(clustered(1, 12), 20), snapshot.nearest(clustered(1, 12), 20)
        assert agreement(found, wanted) >= 0.99
        assert len(taken) == 2 and sum(taken) == 75 * snapshot._cache._structures[1]._rescore_factor


@pytest.mark.parametrize("name", STRUCTURES)
def test_ten_allowed_passages_are_all_found(folder, name):
    with snapshot_of(folder, name) as snapshot:
        allowed = snapshot.matching(Filters(paths=("0/1.md", "2/0.md")))
        found = snapshot.nearest(clustered(3, 5), 200, allowed)
        assert [sorted(number for number, _ in each) for each in found] == [allowed.numbers.tolist()] * 3 and len(allowed) == 100


@pytest.mark.parametrize("name", STRUCTURES)
def test_one_search_gives_every_kind_its_best(folder, name):
    """It equals a search of everything merged with one search per kind."""
    query = clustered(1, 31)
    with snapshot_of(folder, name) as snapshot:
        for filters in (Filters(), Filters(paths=("1/",))):
            allowed = snapshot.matching(filters)
            joined = dict(snapshot.nearest(query, 30, allowed)[0])
            for kind in ("text", "page", "image"):
                joined |= dict(snapshot.nearest(query, 12, snapshot.matching(Filters(kinds=(kind,), paths=filters.paths)))[0])
            found = snapshot.nearest_by_kind(query, 30, 12, allowed)[0]
            assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
            assert len(set(dict(found)) & set(joined)) >= 0.97 * len(joined)
            assert [number for number, _ in found[:5]] == [number for number, _ in snapshot.nearest(query, 5, allowed)[0]]
        assert snapshot.nearest_by_kind(query, 30, 12, snapshot.matching(Filters(paths=("nowhere/",)))) == [[]]


@pytest.mark.parametrize("name", APPROXIMATE)
def test_a_derived_file_is_built_once_and_rebuilt_where_it_is_damaged(folder, name):
    query = clustered(2, 77)
    with open_index(folder, name) as index, index.snapshot() as snapshot:
        first = snapshot.nearest(query, 10)
        assert [remark.split(" was built")[0] for remark in index.remarks()] == [f"000001.{name}", f"000002.{name}"]
        assert index.remarks() == ()
    file = folder / "segments" / f"000001.{name}"
    whole = file.read_bytes()
    with open_index(folder, name) as index, index.snapshot() as snapshot:
        assert (snapshot.nearest(query, 10), index.remarks()) == (first, ())
    random = np.random.default_rng(1)
    for at in (
        0,
        5,
        9,
        40,
        len(whole) - 1,
        len(whole) - 30,
        *random.integers(0, len(whole), 20 if name == "coarse" else 4).tolist(),
    ):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(random.integers(8))
        file.write_bytes(damaged)
        with snapshot_of(folder, name) as snapshot:
            assert snapshot.nearest(query, 10) == first
        assert file.read_bytes() == whole
    for length in (0, 1, 19, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with snapshot_of(folder, name) as snapshot:
            assert snapshot.nearest(query, 10) == first
        assert file.read_bytes() == whole


@pytest.mark.parametrize("name", APPROXIMATE)
def test_a_derived_file_of_other_vectors_is_not_used(folder, name):
    with snapshot_of(folder, name) as snapshot:
        first = snapshot.nearest(clustered(2, 77), 10)
    segments = folder / "segments"
    (segments / f"000001.{name}").write_bytes((segments / f"000002.{name}").read_bytes())
    with snapshot_of(folder, name) as snapshot:
        assert snapshot.nearest(clustered(2, 77), 10) == first


@pytest.mark.parametrize("name", APPROXIMATE)
def test_where_the_derived_file_cannot_be_written_rows_are_scanned(folder, name):
    with snapshot_of(folder, "exact") as exact:
        wanted = exact.nearest(clustered(2, 77), 10)
    (folder / "segments" / f"000001.{name}").mkdir()
    with open_index(folder, name) as index, index.snapshot() as snapshot:
        assert [n for n, _ in snapshot.nearest(clustered(2, 77), 10)[0]] == [n for n, _ in wanted[0]]
        said = f"000001.{name} cannot be written (Is a directory), so 3,000 vectors are scanned one by one"
        assert index.remarks()[0] == said


def test_the_structure_follows_the_size_unless_it_is_named():
    chosen = structures.structure_for
    assert chosen("auto", 90_000, 100_000) == "exact"
    assert chosen("auto", 90_000, 100_001) == "coarse"
    assert chosen("auto", 1_000_000, 4_000_001) == "ivf"
    assert chosen("auto", 9_999, 3_000_000) == "exact"
    assert chosen("exact", 1_000_000, 3_000_000) == "exact"
    assert chosen("coarse", 20_000, 20_000) == "coarse"


def test_an_unknown_structure_is_refused(folder):
    with pytest.raises(WrongRequest, match="hnsw"):
        open_index(folder, "hnsw")


def test_warm_up_builds_what_the_first_search_needs(folder, monkeypatch):
    monkeypatch.setenv("RAG_SEARCH", "coarse")
    for file in (folder / "segments").glob("*.coarse"):
        file.unlink()
    said = warm_up(folder)
    assert len(said) == len(list((folder / "segments").glob("*.coarse"))) > 0 and "was built once for all searches" in said[0]
    assert warm_up(folder) == ()
    with open_index(folder, "coarse") as index, index.snapshot() as snapshot:
        snapshot.nearest(clustered(1, 5), 10)
        assert index.remarks() == ()
