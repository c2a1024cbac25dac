"""Several indexes searched as one: real indexes, comparable and not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import rag
from rag.errors import IndexDamaged, IndexNotFound, NoSuchPassage, WrongRequest
from rag.search.federated import FederatedSearcher, RankedList, merge
from rag.search.pipeline import Results
from tests.unit.api_server import asking

DUES = "Harbour dues were raised by nine percent in the winter.\n"
HALF = {"backend": "tests.unit.half_model:HalfEmbedder", "model": "half"}


def library(folder: Path, name: str, files: dict[str, str], **flags: str) -> Path:
    corpus = folder / f"{name} files"
    corpus.mkdir()
    for file, text in files.items():
        (corpus / file).write_text(text)
    rag.build_index(corpus, index=str(folder / name), **flags)
    return folder / name


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The indexes `port` and `kitchen`, of one model, and `half`, of another."""
    folder = tmp_path_factory.mktemp("indexes")
    library(folder, "port", {"dues.txt": DUES, "pilot.txt": "The pilot boat left the harbour at dawn.\n"})
    library(folder, "kitchen", {"copy.txt": DUES, "soup.txt": "Mussel soup, as the harbour cook made it.\n"})
    library(
        folder, "half", {"crane.txt": "A crane on the quay of the harbour.\n", "dues 2.txt": "Dues, and more dues.\n"}, **HALF
    )
    return folder


def open_several(indexes: Path, *names: str, **flags: str) -> FederatedSearcher:
    opened = rag.open_index(*(str(indexes / name) for name in names), **flags)
    assert isinstance(opened, FederatedSearcher)
    return opened


def test_comparable_indexes_are_one_list_with_the_scores_of_one_index(indexes: Path, tmp_path: Path) -> None:
    both = {"dues.txt": DUES, "pilot.txt": "The pilot boat left the harbour at dawn.\n"}
    both |= {"copy.txt": DUES, "soup.txt": "Mussel soup, as the harbour cook made it.\n"}
    with open_several(indexes, "port", "kitchen") as several, rag.open_index(str(library(tmp_path, "all", both))) as one:
        for question in ("harbour dues", "pilot", "mussel soup in winter"):
            found = several.search(question, fold=False)
            expected = one.search(question, fold=False)
            assert {(hit.document, hit.score, hit.similarity) for hit in found.hits} == {
                (hit.document, hit.score, hit.similarity) for hit in expected.hits
            }
            assert [hit.rank for hit in found.hits] == list(range(1, len(found.hits) + 1))
            assert [number for number, _ in found.stages["dense"]] and found.good == expected.good


def test_every_hit_names_its_index_and_duplicates_fold_across_indexes(indexes: Path) -> None:
    with open_several(indexes, "port", "kitchen") as several:
        apart = several.query("harbour dues", fold=False)
        assert {hit.document: hit.index for hit in apart} == {
            "dues.txt": "port",
            "pilot.txt": "port",
            "copy.txt": "kitchen",
            "soup.txt": "kitchen",
        }
        first = several.query("harbour dues")[0]
        assert (first.document, first.index) == ("dues.txt", "port")
        assert [(one.document, one.index) for one in first.folded] == [("copy.txt", "kitchen")]
        assert several.search("harbour dues").texts()[first.id] == DUES.strip()


def test_documents_of_one_name_in_two_indexes_stay_two(tmp_path: Path) -> None:
    for place, text in (("a", "The harbour in spring."), ("b", "The harbour in autumn.")):
        (tmp_path / place / "files").mkdir(parents=True)
        (tmp_path / place / "files/note.txt").write_text(text)
        rag.build_index(tmp_path / place / "files", index=str(tmp_path / place / place))
    with open_several(tmp_path, "a/a", "b/b") as several:
        hits = several.query("harbour autumn")
        assert [(hit.index, hit.document, hit.snippet) for hit in hits] == [
            ("b", "note.txt", "The harbour in autumn."),
            ("a", "note.txt", "The harbour in spring."),
        ]
        assert several.query("harbour", like=None, paths=[str(tmp_path / "a/files/note.txt")])


def test_filters_apply_to_each_index(indexes: Path) -> None:
    with open_several(indexes, "port", "kitchen", "half") as several:
        assert {hit.document for hit in several.query("harbour dues", paths=["d*.txt"])} == {"dues.txt", "dues 2.txt"}
        assert {hit.index for hit in several.query("harbour dues", roots=["kitchen files", "half files"])} == {"kitchen", "half"}
        assert several.query("harbour", kinds=["page"]) == []
        with pytest.raises(WrongRequest, match="no root is called 'attic'"):
            several.query("harbour", roots=["attic"])


def test_lists_scored_by_the_same_reranker_are_merged_by_score(indexes: Path) -> None:
    with open_several(indexes, "port", "half", reranker="lite") as several:
        hits = several.query("harbour dues", fold=False)
        assert hits[0].document == "dues.txt" and {hit.index for hit in hits} == {"port", "half"}
        assert all(hit.score == hit.rerank_score for hit in hits)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_lists_that_cannot_be_compared_are_merged_by_rank(indexes: Path) -> None:
    with open_several(indexes, "port", "half", reranker="none") as several:
        hits = several.query("harbour dues")
        assert [hit.index for hit in hits] == ["port", "half", "port", "half"]
        assert [hit.score for hit in hits] == pytest.approx([1, 1, 61 / 62, 61 / 62])
        assert hits[2].decided == "rank 2 of port"
        assert len(several.query("harbour dues", top_k=3)) == 3


def test_a_list_without_a_good_match_has_half_the_weight(indexes: Path) -> None:
    with open_several(indexes, "port", "half", reranker="none") as several:
        hits = several.query("harbour dues")
    weak = Results([hit for hit in hits if hit.index == "port"], {}, ("old",), good=False)
    good = Results([hit for hit in hits if hit.index == "half"], {}, (), good=True)
    found = merge([RankedList("port", "one reranker", weak), RankedList("half", "another", good)], top_k=3)
    assert [hit.index for hit in found.hits] == ["half", "half", "port"]
    assert (found.good, found.notes, found.hits[2].score) == (True, ("port: old",), 0.5)


def test_more_like_a_passage_searches_every_index(indexes: Path) -> None:
    with open_several(indexes, "port", "half") as several, rag.open_index(str(indexes / "port")) as port:
        dues = port.query("harbour dues")[0]
        found = several.query(like=dues.id)
        assert dues.id not in {hit.id for hit in found} and {hit.index for hit in found} == {"port", "half"}
        with pytest.raises(NoSuchPassage):
            several.query(like="aaaaaaaaaa")


def test_notes_name_their_index(indexes: Path, tmp_path: Path) -> None:
    gone = library(tmp_path, "gone", {"lost.txt": "The harbour that was lost.\n"})
    (tmp_path / "gone files/lost.txt").unlink()
    for names in ((gone, indexes / "port"), (gone, indexes / "half")):
        with rag.open_index(*map(str, names)) as several:
            notes = several.search("harbour").notes
            assert notes == ("gone: 1 matching file is gone; `rag index` brings the index up to date",)


def test_a_missing_or_damaged_index_is_named(indexes: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="nowhere"):
        open_several(indexes, "port", "nowhere")
    broken = library(tmp_path, "broken", {"a.txt": "The harbour.\n"})
    [segment] = (broken / "segments").glob("*.faiss")
    held = bytearray(segment.read_bytes())
    held[-100] ^= 0xFF
    segment.write_bytes(held)
    with rag.open_index(str(indexes / "port"), str(broken)) as several, pytest.raises(IndexDamaged, match="broken"):
        several.query("harbour")


def test_an_index_given_twice_counts_once_and_two_of_the_same_name_are_refused(indexes: Path, tmp_path: Path) -> None:
    with open_several(indexes, "port", "port") as several:
        assert len(several.query("harbour", fold=False)) == 2
    library(tmp_path, "port", {"a.txt": "The harbour.\n"})
    with pytest.raises(WrongRequest, match="two indexes are called port"):
        rag.open_index(str(indexes / "port"), str(tmp_path / "port"))


def test_the_server_searches_several_indexes(indexes: Path) -> None:
    with asking(indexes / "port", indexes / "kitchen") as api:
        found = api.post("/v1/search", json={"text": "harbour dues", "indexes": ["kitchen", "port"], "fold": False}).json()
        assert found["indexes"] == ["kitchen", "port"] and found["index"] == "kitchen"
        assert {(hit["document"], hit["index"]) for hit in found["hits"]} >= {("dues.txt", "port"), ("copy.txt", "kitchen")}
        assert api.post("/v1/search", json={"text": "harbour", "indexes": ["port", "attic"]}).status_code == 404
        both = api.post("/v1/search", json={"text": "harbour", "index": "port", "indexes": ["port"]})
        assert (both.status_code, both.json()["error"]["what"]) == (400, "both index and indexes are given")


def test_the_command_line_searches_several_indexes(indexes: Path) -> None:
    def query(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rag.cli", "query", *words, "--server", "none"]
        return subprocess.run(command, cwd=indexes, capture_output=True, text=True, check=False, timeout=60)

    done = query("harbour dues", "--index", "./port", "--index", "./kitchen", "--json", "--no-fold")
    assert {(hit["document"], hit["index"]) for hit in json.loads(done.stdout)} >= {("dues.txt", "port"), ("copy.txt", "kitchen")}
    assert "dues.txt  line 1  port  #" in query("harbour dues", "-i", "./port", "-i", "./kitchen").stdout
    assert "attic" in query("x", "-i", "./port", "-i", "./attic").stderr
