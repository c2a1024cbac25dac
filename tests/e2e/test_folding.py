"""One folding for every lane: what is written in one way is found, judged and shown when asked in another."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag

TEXTS = {
    "pl.txt": "Wycieczka do miasta Łódź i zamku w Białymstoku.",
    "da.txt": "Møde i København om udstilling.",
    "de.txt": "Die neue Brücke über den Fluss; der Mietvertrag gilt ab Mai.",
    "ar.txt": "ذَهَبَ أحمد إلى المدرسة الكبيرة",
    "he.txt": "שָׁלוֹם לְכֻלָּם",
    "fa.txt": "سال ۱۴۰۲ خورشیدی",
    "soft.txt": "The hydro\u00adphone lies on the quay\u200bside.",
    "iban.txt": "Bitte auf DE89 3704 0044 0532 0130 00 zahlen.",
    "phone.txt": "Call the plumber: +49 (0)30 1234-5678 during the day.",
    "sum.txt": "The total comes to 12.345,60 EUR.",
    "date.txt": "Handover took place on 17.03.2024 in the afternoon.",
    "noise.txt": "The bakery sells rye bread and oat biscuits on Saturdays.",
}
ASKED = [
    ("Lodz", "pl.txt"), ("KOBENHAVN", "da.txt"), ("Bruecke", "de.txt"), ("Vertrag", "de.txt"),
    ("احمد المدرسه", "ar.txt"), ("שלום", "he.txt"),
    ("1402", "fa.txt"), ("hydrophone quayside", "soft.txt"), ("DE89370400440532013000", "iban.txt"),
    ("030 12345678", "phone.txt"),
    ("12345.60", "sum.txt"), ("2024-03-17", "date.txt"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("folding")
    for name, text in TEXTS.items():
        (base / "corpus").mkdir(exist_ok=True)
        (base / "corpus" / name).write_text(text + "\n")
    rag.build_index(base / "corpus", index=str(base / "index"), backend="lite", ocr="never", jobs=0)
    return base / "index"


@pytest.mark.parametrize(("query", "document"), ASKED)
def test_every_lane_finds_it_first_and_the_snippet_shows_it(folder: Path, query: str, document: str) -> None:
    with rag.open_index(str(folder), backend="lite") as searcher:
        results = searcher.search(query)
        names = {one.number: one.passage.document.path for one in results.candidates}
        first = {stage: names[ranked[0][0]] for stage, ranked in results.stages.items() if ranked}
    assert first == {"dense": document, "lexical": document, "fused": document, "reranked": document}
    assert results.hits[0].document == document
    assert results.hits[0].score >= 0.25


@pytest.mark.parametrize(
    "phrase", ['"hydrophone lies"', '"miasta lodz"', '"mode i kobenhavn"', '"12345.60"', '"DE89370400440532013000"']
)
def test_phrases_fold_too(folder: Path, phrase: str) -> None:
    with rag.open_index(str(folder), backend="lite") as searcher:
        assert len(searcher.query(phrase)) == 1
