"""The sample corpus: what it promises is there, its judgements point at real places, its broken files are broken.

Knows files and libraries; knows nothing of the search.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pypdfium2
import pytest
from openpyxl import load_workbook
from PIL import Image
from pillow_heif import register_heif_opener
from pptx import Presentation

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CORPUS = SAMPLES / "corpus"
BROKEN = SAMPLES / "broken"
PICTURES = {".jpg", ".png", ".webp", ".avif", ".heic", ".tiff"}
VIDEOS = {".mp4", ".mkv", ".webm"}
QUERIES: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLES / "queries.jsonl").read_text(encoding="utf-8").splitlines()
]
JUDGEMENTS = [(query["id"], judgement) for query in QUERIES for judgement in query["relevant"]]


@cache
def corpus_files() -> tuple[Path, ...]:
    return tuple(sorted(file for file in CORPUS.rglob("*") if file.is_file()))


def with_suffix(*suffixes: str) -> list[Path]:
    return [file for file in corpus_files() if file.suffix in suffixes]


@cache
def line_count(document: str) -> int:
    raw = (CORPUS / document).read_bytes()
    try:
        return len(raw.decode("utf-8").splitlines())
    except UnicodeDecodeError:
        return len(raw.decode("gb18030").splitlines())


@cache
def page_count(document: str) -> int:
    with pypdfium2.PdfDocument(CORPUS / document) as pdf:
        return len(pdf)


@cache
def duration(document: str) -> float:
    with av.open(str(CORPUS / document)) as container:
        assert container.duration is not None
        return container.duration / av.time_base


def tags(name: str) -> list[dict[str, Any]]:
    return [query for query in QUERIES if name in query["tags"]]


def test_the_corpus_holds_what_the_readme_counts() -> None:
    archive = [file for file in corpus_files() if "archive" in file.relative_to(CORPUS).parts]
    screenshots = [file for file in with_suffix(".png") if file.parent.name == "screenshots"]
    pictures = [file for file in with_suffix(*PICTURES) if file.parent.name != "screenshots"]
    texts = [file for file in corpus_files() if file not in archive and file.suffix not in PICTURES | VIDEOS | {".pdf", ".srt"}]
    assert (len(archive), len(screenshots), len(with_suffix(".pdf")), len(with_suffix(*VIDEOS))) == (200, 10, 5, 4)
    assert len(pictures) >= 14
    assert len(texts) >= 12
    assert {".docx", ".pptx", ".xlsx", ".html", ".eml", ".ipynb", ".py", ".sql", ".md", ".txt"} <= {file.suffix for file in texts}
    assert {".jpg", ".png", ".webp", ".avif", ".heic", ".tiff"} == {file.suffix for file in pictures}


def test_the_samples_stay_small() -> None:
    files = [file for file in SAMPLES.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert sum(file.stat().st_size for file in files) < 12_000_000


def test_every_picture_decodes_and_one_is_stored_on_its_side() -> None:
    register_heif_opener()
    for file in with_suffix(*PICTURES):
        with Image.open(file) as picture:
            picture.load()
    with Image.open(CORPUS / "photos" / "IMG_2057.jpg") as forest:
        assert (forest.size, forest.getexif()[0x0112]) == ((1280, 854), 6)


def test_the_scan_has_no_text_layer_and_the_report_has_different_words_on_every_page() -> None:
    with pypdfium2.PdfDocument(CORPUS / "scans" / "scan_0007.pdf") as scan:
        assert [page.get_textpage().get_text_range() for page in scan] == ["", ""]
    with pypdfium2.PdfDocument(CORPUS / "reports" / "annual-report-2025.pdf") as report:
        texts = {page.get_textpage().get_text_range()[:200] for page in report}
        assert len(texts) == len(report) == 24


@pytest.mark.parametrize("file", with_suffix(*VIDEOS), ids=lambda file: file.name)
def test_videos_are_short_and_have_a_keyframe_every_two_seconds(file: Path) -> None:
    assert 10 <= duration(file.relative_to(CORPUS).as_posix()) <= 40
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        keys = [
            float(packet.pts * stream.time_base)
            for packet in container.demux(stream)
            if packet.is_keyframe and packet.pts is not None
        ]
    assert max(after - before for before, after in pairwise(keys)) <= 2.05


def test_fifty_queries_over_all_kinds() -> None:
    kinds = Counter(query["tags"][0] for query in QUERIES)
    assert len({query["id"] for query in QUERIES}) == len(QUERIES) == 50
    assert all(kinds[kind] >= 6 for kind in ("text", "page", "image", "screenshot", "frame"))
    assert kinds.keys() == {"text", "page", "image", "screenshot", "frame", "unanswerable"}
    least = {"neutral": 12, "paraphrase": 6, "unanswerable": 3, "chinese": 4, "typo": 2, "identifier": 2, "picture-query": 4}
    assert {name: len(tags(name)) >= count for name, count in least.items()} == dict.fromkeys(least, True)


def test_unanswerable_queries_have_no_answer_and_the_others_have_a_full_one() -> None:
    for query in QUERIES:
        best = max((judgement["grade"] for judgement in query["relevant"]), default=0)
        assert best == (0 if "unanswerable" in query["tags"] else 3), query["id"]
        assert query["query"] or query["image"], query["id"]


@pytest.mark.parametrize("query", [query for query in QUERIES if "image" in query], ids=lambda query: query["id"])
def test_query_pictures_exist_and_are_not_in_the_corpus(query: dict[str, Any]) -> None:
    picture = (SAMPLES / query["image"]).read_bytes()
    assert picture
    assert all(file.read_bytes() != picture for file in with_suffix(*PICTURES))


@pytest.mark.parametrize(("name", "judgement"), JUDGEMENTS, ids=[f"{name}-{place}" for place, (name, _) in enumerate(JUDGEMENTS)])
def test_every_judgement_points_at_a_real_place(name: str, judgement: dict[str, Any]) -> None:
    document, locator = judgement["document"], judgement["locator"]
    assert (CORPUS / document).is_file()
    assert not document.startswith("archive/")
    assert judgement["grade"] in (1, 2, 3)
    match locator:
        case {"page": int(number)}:
            assert 1 <= number <= page_count(document)
        case {"slide": int(number)}:
            assert 1 <= number <= len(Presentation(str(CORPUS / document)).slides)
        case {"sheet": str(sheet)}:
            assert sheet in load_workbook(CORPUS / document, read_only=True).sheetnames
        case {"start": start, "end": end}:
            assert 0 <= start < end <= duration(document) + 0.1
        case {"line_start": int(first), "line_end": int(last)}:
            assert 1 <= first <= last <= line_count(document)
        case _:
            assert locator == {}


def test_neutral_answers_have_no_caption_and_a_name_without_words() -> None:
    shown = "".join(file.read_text(encoding="utf-8") for file in with_suffix(".md", ".html"))
    for query in tags("neutral"):
        main = next(judgement["document"] for judgement in query["relevant"] if judgement["grade"] == 3)
        file = CORPUS / main
        assert not Path(f"{file}.txt").exists(), main
        assert not file.with_suffix(".txt").exists(), main
        assert file.name not in shown, main
        asked = {word.casefold() for word in query["query"].split() if len(word) > 3}
        assert not asked & set(file.stem.casefold().replace("_", " ").split()), main


def test_broken_files_are_broken() -> None:
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(BROKEN / "cut-in-the-post.pdf")
    for name in ("empty.png", "not-a-picture.jpg"):
        with pytest.raises(Image.UnidentifiedImageError):
            Image.open(BROKEN / name)
    with pytest.raises(av.error.InvalidDataError):
        av.open(str(BROKEN / "no-index.mp4"))
    assert (BROKEN / "empty.png").stat().st_size == 0


def test_the_bomb_is_small_on_disk_and_huge_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    file = BROKEN / "poster-huge.png"
    assert file.stat().st_size < 500_000
    with Image.open(file) as bomb:
        assert (bomb.size, bomb.mode) == ((20_000, 20_000), "1")
