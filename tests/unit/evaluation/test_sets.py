"""Judged sets in every form: what is read, and what is said of a line that cannot be."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rag.errors import WrongRequest
from rag.evaluation.judged import JudgedSet, Judgement
from rag.evaluation.open_set import open_set
from rag.types import Page, Whole

COLLECTION = """\
{"document": "d1.txt", "text": "lift of a wing"}
{"document": "notes/d2.txt", "text": "shock waves"}
{"query": "7", "text": "what lifts a wing", "relevant": {"d1.txt": 2, "notes/d2.txt": 0}}
"""


def written(folder: Path, name: str, *lines: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines), "utf-8")
    return file


def graded(found: JudgedSet) -> dict[str, dict[str, int]]:
    return {query.id: {one.document: one.grade for one in query.judgements} for query in found.queries}


def beir(folder: Path) -> Path:
    written(folder, "corpus.jsonl", '{"_id": "MED-10", "title": "Statin", "text": "use"}', '{"_id": "a/b", "text": "x"}')
    written(folder, "queries.jsonl", '{"_id": "PLAIN-2", "text": "do statins help"}', '{"_id": "PLAIN-3", "text": "not judged"}')
    written(folder, "qrels/test.tsv", "query-id\tcorpus-id\tscore", "PLAIN-2\tMED-10\t2", "PLAIN-2\ta/b\t0")
    written(folder, "qrels/train.tsv", "query-id\tcorpus-id\tscore", "PLAIN-3\tMED-10\t1")
    return folder


def test_queries_of_ours_with_places(tmp_path: Path) -> None:
    line = '{"id": "1", "query": "a", "relevant": [{"document": "a", "locator": {"page": 2, "inner": "b.pdf"}}], "tags": ["t"]}'
    found = open_set(written(tmp_path, "queries.jsonl", line))
    [query] = found.queries
    assert query.judgements == (Judgement("a", Page(2), 1, "b.pdf"),)
    assert (query.id, query.words, query.tags, found.of_documents, found.documents) == ("1", "a", {"t"}, False, None)


def test_a_collection_brings_its_documents_gzipped_or_not(tmp_path: Path) -> None:
    plain = written(tmp_path, "wings.jsonl", COLLECTION)
    packed = tmp_path / "wings.jsonl.gz"
    packed.write_bytes(gzip.compress(COLLECTION.encode()))
    for file in (plain, packed):
        found = open_set(file)
        assert (found.name, graded(found), found.of_documents) == ("wings", {"7": {"d1.txt": 2, "notes/d2.txt": 0}}, True)
        assert found.documents is not None
        assert [(one.path, one.text) for one in found.documents()] == [
            ("d1.txt", "lift of a wing"),
            ("notes/d2.txt", "shock waves"),
        ]


def test_of_judgements_of_people_the_last_of_a_place_counts(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "thumbs.jsonl",
        '{"query": "dues", "document": "a.pdf", "locator": {"page": 2}, "grade": 1}',
        '{"query": "dues", "document": "b.md", "grade": 1, "when": "2026-11-29"}',
        '{"query": "dues", "document": "a.pdf", "locator": {"page": 2}, "grade": 0}',
        '{"query": "cranes", "document": "c.md", "grade": 0}',
    )
    found = open_set(file)
    assert graded(found) == {"dues": {"a.pdf": 0, "b.md": 1}, "cranes": {"c.md": 0}}
    assert [query.is_answerable for query in found.queries] == [True, False]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"query": "no id", "relevant": []}', "line 2: 'id' is missing"),
        ("{", "line 2: is not JSON"),
        ("[1]", "line 2: is not a JSON object"),
        ('{"id": "1", "query": "again", "relevant": []}', "line 2: the id 1 is used twice"),
        ('{"id": "2", "query": "a", "relevant": [{"document": "a", "grade": "x"}]}', "line 2: the grade 'x'"),
        ('{"document": "../a.txt", "text": "a"}', "line 2: the document '../a.txt' is not a path below a folder"),
        ('{"_id": "1", "text": "a"}', "line 2: is neither a query"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, said: str) -> None:
    file = written(tmp_path, "queries.jsonl", '{"id": "1", "query": "a", "relevant": []}', line)
    with pytest.raises(WrongRequest, match=said):
        open_set(file)


def test_a_folder_of_beir(tmp_path: Path) -> None:
    folder = beir(tmp_path / "nfcorpus")
    found = open_set(folder)
    assert (found.name, graded(found)) == ("nfcorpus", {"PLAIN-2": {"MED-10": 2, "a/b": 0}})
    assert found.queries[0].words == "do statins help"
    assert found.documents is not None
    documents = {one.path: one.text for one in found.documents()}
    assert documents == {"MED-10.txt": "Statin\n\nuse", "a%2Fb.txt": "x"}
    assert [found.identity(path) for path in ("MED-10.txt", "sub/MED-10.md", "a%2Fb.txt", "other.txt")] == [
        *("MED-10", "MED-10", "a/b", "other.txt")
    ]
    assert graded(open_set(folder, split="train")) == {"PLAIN-3": {"MED-10": 1}}
    with pytest.raises(WrongRequest, match="has no split 'dev'") as raised:
        open_set(folder, split="dev")
    assert raised.value.remedy == "name one with --split: test, train"


def test_trec_qrels_with_topics(tmp_path: Path) -> None:
    qrels = written(tmp_path, "qrels.txt", "301 0 FBIS3-1 1", "301 0 FBIS3-2 -1", "302 0 FBIS3-1 2")
    topics = written(
        tmp_path,
        "topics.txt",
        *("<top>", "<num> Number: 301", "<title> International Organized", "Crime", "<desc> Description: no", "</top>"),
        *("<top>", "<num>302</num>", "<title>Polio</title>", "</top>"),
    )
    found = open_set(qrels, topics=topics)
    assert graded(found) == {"301": {"FBIS3-1": 1, "FBIS3-2": 0}, "302": {"FBIS3-1": 2}}
    assert [query.words for query in found.queries] == ["International Organized Crime", "Polio"]
    covid = written(
        tmp_path, "t.xml", '<topics><topic number="301"><query>a</query></topic>', '<topic number="302"><query>b</query></topic>'
    )
    assert [query.words for query in open_set(qrels, topics=covid).queries] == ["a", "b"]
    lines = written(tmp_path, "t.tsv", "301\ta b", "302\tc")
    assert [query.words for query in open_set(qrels, topics=lines).queries] == ["a b", "c"]
    with pytest.raises(WrongRequest, match="judges the query 302, which is not in"):
        open_set(qrels, topics=written(tmp_path, "few.tsv", "301\ta b"))


def test_a_path_that_is_no_set_says_what_would_be(tmp_path: Path) -> None:
    with pytest.raises(WrongRequest, match="no such file"):
        open_set(tmp_path / "none.jsonl")
    with pytest.raises(WrongRequest, match=r"needs queries\.jsonl and qrels"):
        open_set(tmp_path)
    with pytest.raises(WrongRequest, match="is not a JSON Lines file") as raised:
        open_set(written(tmp_path, "qrels.txt", "1 0 a 1"))
    assert raised.value.remedy == "if it holds TREC qrels, name its topics with --topics"
    with pytest.raises(WrongRequest, match="--split has no meaning"):
        open_set(written(tmp_path, "q.jsonl", COLLECTION), split="test")


def test_a_whole_document_is_judged_without_a_locator(tmp_path: Path) -> None:
    found = open_set(written(tmp_path, "q.jsonl", '{"id": "1", "query": "a", "relevant": [{"document": "a.pdf"}]}'))
    assert found.queries[0].judgements == (Judgement("a.pdf", Whole(), 1),)
