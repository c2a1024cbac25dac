"""Citations in every form that models write them. Knows texts only."""

from __future__ import annotations

import pytest

from rag.answers.citations import Citation, Said, bare, sentences, shortened


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('It sails at 8. [1 "sails at 08:15"]', [Said("It sails at 8.", (Citation(1, ("sails at 08:15",)),))]),
        ('It sails at 8 [1 "at 08:15"].', [Said("It sails at 8.", (Citation(1, ("at 08:15",)),))]),
        ("A [1][2]. B [3].", [Said("A.", (Citation(1), Citation(2))), Said("B.", (Citation(3),))]),
        ('A [1 "x", 2 “y”].', [Said("A.", (Citation(1, ("x",)), Citation(2, ("y",))))]),
        ('A [1: "x ] y" "z"].', [Said("A.", (Citation(1, ("x ] y", "z")),))]),
        ("A [source 2, 3].", [Said("A.", (Citation(2), Citation(3)))]),
        ("渡轮八点开船。【1】票在船上买。[2]", [Said("渡轮八点开船。", (Citation(1),)), Said("票在船上买。", (Citation(2),))]),
        ("It was 3.5 m, e.g. on p. 8 [1]. Then more.", [Said("It was 3.5 m, e.g. on p. 8.", (Citation(1),)), Said("Then more.")]),
        ("- one [1]\n- two [2]", [Said("- one", (Citation(1),)), Said("- two", (Citation(2),))]),
        ("See [1](http://evil/?q=secret) and [note].", [Said("See [1](http://evil/?q=secret) and [note].")]),
        ("In [2026] it was built.", [Said("In [2026] it was built.")]),
        ("One. \n[1]", [Said("One.", (Citation(1),))]),
        ("", []),
    ],
)
def test_each_sentence_has_the_citations_in_it_and_after_it(answer: str, expected: list[Said]) -> None:
    assert sentences(answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('It sails at 8. [1 "sails at 08:15"]', "It sails at 8. [1]"),
        ('A ghost [77 "boo"]. Yes [2].', "A ghost. Yes [2]."),
        ('Twice [1 "a", 1 "b", 9].', "Twice [1]."),
        ("![seen](http://evil/x.png) [look](http://evil/?q=1) here", "seen look here"),
        ("a[0] = b[3:5]; [note]", "a[0] = b[3:5]; [note]"),
        ("An open [1 bracket", "An open [1 bracket"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_person_sees_numbers_of_sources_that_exist_whatever_the_pieces(answer: str, expected: str, size: int) -> None:
    pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
    assert bare(answer, (1, 2)) == expected
    assert "".join(shortened(pieces, (1, 2))) == expected


def test_text_that_is_no_citation_is_not_held_back() -> None:
    seen = []
    for piece in shortened(iter(["It sails ", "at 8 ", '[1 "sai', 'ls"]', " and on"]), (1,)):
        seen.append(piece)
    assert seen[0] == "It sails" and "".join(seen) == "It sails at 8 [1] and on"
