"""Pictures of evidence: encoded once, read again when their file has changed, bounded in memory. Knows files and passages."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import rag
from rag.answers.pictures import KeptPictures, Picture, pictures_of
from rag.decoding.ask_pool import AskPool
from rag.limits import Limits
from rag.search.searcher import Searcher
from rag.types import DocumentId, Passage, StoredPassage, Whole


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[AskPool]:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("nothing")
    index = str(tmp_path / "indexes/x")
    rag.build_index(tmp_path / "notes", index=index, ocr="never")
    with rag.open_index(index, ocr="never") as searcher:
        assert isinstance(searcher, Searcher)
        yield searcher.files


def stored(file: Path) -> StoredPassage:
    return StoredPassage(1, "id", Passage(DocumentId("r", file.name), 0, Whole(), "image", "image"), file, 0.0)


def colour(picture: Picture | None) -> tuple[int, ...]:
    assert picture is not None
    kind, _, data = picture.url.partition(",")
    assert kind == "data:image/jpeg;base64"
    shown = Image.open(BytesIO(b64decode(data)))
    assert shown.size == (picture.width, picture.height)
    found = shown.getpixel((5, 5))
    assert isinstance(found, tuple)
    return tuple(round(value / 50) for value in found)


def test_a_picture_is_kept_until_its_file_changes(tmp_path: Path, pool: AskPool) -> None:
    file, last = tmp_path / "p.png", KeptPictures()
    Image.new("RGB", (80, 60), (250, 0, 0)).save(file)
    [first] = pictures_of([stored(file)], Limits(), pool, last)
    assert colour(first) == (5, 0, 0)
    [again] = pictures_of([stored(file)], Limits(), pool, last)
    assert again is first  # neither read nor encoded
    Image.new("RGB", (80, 60), (0, 250, 0)).save(file)
    os.utime(file, ns=(1, 1))
    [changed] = pictures_of([stored(file)], Limits(), pool, last)
    assert colour(changed) == (0, 5, 0)
    [small] = pictures_of([stored(file)], replace(Limits(), max_pixels=1_200), pool, last)
    assert small is not None and small.width * small.height <= 1_200


def test_a_file_that_is_gone_or_is_none_any_more_has_no_picture(tmp_path: Path, pool: AskPool) -> None:
    file, other, last = tmp_path / "p.png", tmp_path / "q.png", KeptPictures()
    Image.new("RGB", (80, 60), (250, 0, 0)).save(file)
    other.write_text("not a picture")
    found = pictures_of([replace(stored(other), number=2), stored(file)], Limits(), pool, last)
    assert found[0] is None and colour(found[1]) == (5, 0, 0)
    file.unlink()
    assert pictures_of([stored(file)], Limits(), pool, last) == [None]


def test_those_that_were_not_asked_for_longest_go_first() -> None:
    kept = KeptPictures(most=20)
    one, two, three = (Picture(letter * 8, 1, 1) for letter in "abc")
    kept.put("one", one)
    kept.put("two", two)
    assert kept.get("one") is one
    kept.put("three", three)
    assert [kept.get(name) for name in ("one", "two", "three")] == [one, None, three]
    kept.put("large", Picture("x" * 21, 1, 1))
    assert kept.get("large") is None
