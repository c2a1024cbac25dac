"""The words that people see in the documents of tests/coverage_set are found in their passages, in the order they are read."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.coverage_set.converters import BEST
from tests.coverage_set.documents import SAMPLES
from tests.coverage_set.measure import held_and_wanted, in_order, tokens
from tests.coverage_set.reading import passages_text

FORMATS = sorted({sample.format for sample in SAMPLES})


@pytest.fixture(scope="session")
def shares(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """How many of the words of all documents of a format are held, and how many there are; "" for all of them."""
    folder = tmp_path_factory.mktemp("set")
    found = defaultdict[str, list[tuple[int, int]]](list)
    for sample in SAMPLES:
        file = folder / sample.name
        file.write_bytes(sample.make())
        counts = held_and_wanted(sample, passages_text(file))
        for name in (sample.format, ""):
            found[name].append(counts)
    return {name: (sum(held for held, _ in ones), sum(wanted for _, wanted in ones)) for name, ones in found.items()}


def test_nearly_all_words_are_held(shares: dict[str, tuple[int, int]]) -> None:
    held, wanted = shares[""]
    assert len(SAMPLES) >= 40 and wanted > 1000
    assert held >= 0.97 * wanted


@pytest.mark.parametrize("name", FORMATS)
def test_no_converter_holds_more_of_a_format(name: str, shares: dict[str, tuple[int, int]]) -> None:
    held, wanted = shares[name]
    assert held / wanted >= BEST[name] - 0.01


def test_every_format_is_compared() -> None:
    assert set(BEST) == set(FORMATS)


def test_words_count_once_and_in_their_order() -> None:
    assert tokens("Ein Ge\u00adsetz, 17.5 % – №7 港湾") == ["ein", "gesetz", "17", "5", "no7", "港", "湾"]
    assert in_order(["a", "b", "c"], ["c", "a", "x", "b"]) == 2
    assert in_order(["a", "a", "b"], ["a", "b"]) == 2
    assert in_order(["a"], []) == in_order([], ["a"]) == 0
