"""The operators of a query: what they mean, and what remains for a model to read."""

import pytest

from rag.text.query_syntax import literal, spoken, understand


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("harbour crane", "harbour crane"),
        ('"harbour crane" at night', "harbour crane at night"),
        ('harbour -draft -"old plan"', "harbour"),
        ("harb* crane", "harb crane"),
        ("-draft", ""),
        ("state-of-the-art a - b -5 degrees", "state-of-the-art a - b -5 degrees"),
        ("  spaces  stay ", "  spaces  stay "),
        ('an unfinished "quote', 'an unfinished "quote'),
    ],
)
def test_what_a_model_reads(words, read):
    assert spoken(words) == read


@pytest.mark.parametrize("words", ['say "harbour crane" -draft', 'the "quote', "harb* - -x"])
def test_a_literal_text_has_no_operators(words):
    parsed = understand(literal(words))
    assert not parsed.unwanted and not parsed.demanded
    assert not any(unit.prefix for unit in parsed.units)
    assert {term for unit in understand(words).units for term in unit.terms} <= {
        term for unit in parsed.units for term in unit.terms
    } | {"harb"}


def test_units_of_a_query():
    question = understand('"harbour crane" KeyError -INV-44* -draft')
    assert [unit.terms for unit in question.demanded] == [("harbour", "crane")]
    assert [unit.whole for unit in question.units] == ["", "keyerror"]
    assert [unit.phrases for unit in question.unwanted] == [('"inv 44" *', '"inv44" *'), ('"draft"',)]
