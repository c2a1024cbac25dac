"""What photos show, in words: on the samples' photos, whose subjects are known, and on pictures that show nothing."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rag.loaders.picture.seen import seen_words

PHOTOS = Path(__file__).parents[4] / "samples" / "corpus" / "photos"


def seen(name: str) -> set[str]:
    return set(seen_words(np.asarray(Image.open(PHOTOS / name).convert("RGB"))).split())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gull-head.jpg", {"lighthouse", "灯塔", "tower"}),
        ("burst/IMG_3001.jpg", {"sailboat", "boat", "船", "sea", "海"}),
        ("DSC_0113.jpg", {"car", "汽车", "road", "vehicle"}),
    ],
)
def test_a_photo_is_named_by_what_it_shows_and_by_broader_words(name: str, words: set[str]) -> None:
    assert words <= seen(name)


def test_broader_words_need_more_than_a_guess() -> None:
    assert "animal" not in seen("gull-head.jpg") | seen("DSC_0113.jpg")


def test_the_words_do_not_depend_on_the_threads() -> None:
    pixels = np.asarray(Image.open(PHOTOS / "gull-head.jpg").convert("RGB"))
    assert seen_words(pixels, threads=1) == seen_words(pixels, threads=2)


def test_a_plain_picture_shows_no_animal_no_person_and_no_vehicle() -> None:
    words = set(seen_words(np.full((60, 80, 3), 128, np.uint8)).split())
    assert not words & {"animal", "person", "vehicle", "dog", "car"}


def test_every_term_has_words_in_two_languages_and_classes_that_exist() -> None:
    here = files("rag.loaders.picture")
    classes = here.joinpath("classes.txt").read_text("utf-8").splitlines()
    assert (len(classes), classes[207], classes[978]) == (1000, "golden retriever", "seashore")
    rows = [line.split("\t") for line in here.joinpath("seen_terms.tsv").read_text("utf-8").splitlines()]
    named = {english: members for english, _, members in rows}
    assert len(named) == len(rows)
    for english, chinese, members in rows:
        assert english.isascii()
        assert all(ord(letter) > 0x2E7F or letter == " " for letter in chinese)
        for one in members.split():
            first, _, last = one.partition("-")
            assert 0 <= int(first) <= int(last or first) < 1000
    assert named["dog"].startswith("151-268")
    assert "978" in named["beach"].split()
