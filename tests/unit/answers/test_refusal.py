"""The answer that the files do not tell. Knows texts only."""

from __future__ import annotations

import pytest

from rag.answers.refusal import opened, refused


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        ("NOT IN THE FILES. Nothing on cake.", "Nothing on cake."),
        ("**Not in the files:** nothing.", "nothing."),
        ("not in the files", ""),
        ("NOT_IN_THE_FILES — none", "none"),
        ("It is not in the files.", None),
        ("NOT IN THE BOX", None),
        ("Not in the files of 2020, but in those of 2021, it says so.", None),
    ],
)
def test_a_refusal_is_recognised_by_its_opening(answer: str, rest: str | None) -> None:
    assert refused(answer) == rest


@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("NOT IN THE FILES. Nothing on cake.", "The files do not tell. Nothing on cake."),
        ("Nothing is said of it in the files.", "Nothing is said of it in the files."),
        ("NOT IN THE FILES", "The files do not tell."),
        ("Not", "Not"),
    ],
)
def test_it_is_said_in_plain_words_whatever_the_pieces(answer: str, expected: str, size: int) -> None:
    assert "".join(opened(answer[at : at + size] for at in range(0, len(answer), size))) == expected
