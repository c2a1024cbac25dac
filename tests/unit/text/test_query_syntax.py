"""The operators of a query: what they mean, and what remains for a model to read."""

import pytest

from rag.text.query_syntax import literal, spoken, stresses, understand, unquoted


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
    assert [unit.whole for unit in question.units] == ["", "keyerror", ""]
    assert [unit.beside for unit in question.units] == [False, False, True]  # the compound as one term counts once more
    assert [unit.phrases for unit in question.unwanted] == [('"inv 44" *', '"inv44" *'), ('"draft"',)]


def test_every_word_counts_as_often_as_it_is_said():
    question = understand("harbour cranes, the harbour and its crane at the harbour")
    assert dict(zip((unit.terms[0] for unit in question.units), question.times, strict=True)) == {
        "harbour": 3, "crane": 2, "the": 2, "and": 1, "it": 1, "at": 1,
    }  # fmt: skip


def test_a_short_query_with_a_number_is_also_one_phrase():
    assert [unit.phrases for unit in understand("RE16 TGK").units if unit.beside] == [('"re16"',), ('"re 16 tgk"',)]
    assert not [unit for unit in understand("crane TGK").units if unit.beside]
    assert not [unit for unit in understand("why is berth 7 closed to the ferry today").units if unit.beside]


def test_words_joined_by_hyphens_count_one_by_one_and_side_by_side():
    question = understand("hidden-line algorithms")
    assert [(unit.phrases, unit.beside) for unit in question.units] == [
        (('"hidden"',), False), (('"line"',), False), (('"hiddenlin"', '"hidden line"'), True), (('"algorithm"',), False),
        (('"hiddenlin"',), True),
    ]  # fmt: skip
    for compound in ("x-ray", "INV-44", "key_error", "KeyError", "2024-05-01"):
        assert len([unit for unit in understand(compound).units if not unit.beside]) == 1


def test_abbreviations_with_dots_are_function_words():
    assert [unit.weak for unit in understand("sorting, e.g. heaps").units] == [False, True, False]
    assert [unit.weak for unit in understand("Daten, z.B. Bilder").units] == [False, True, False]


def test_quotes_in_a_long_question_stress_words():
    question = 'How can one check that a module "matches" the contexts in which other programs use its exported procedures?'
    assert stresses(question) and not stresses(unquoted(question))
    assert not stresses('"harbour crane" at night')
    assert not stresses('which of the harbour reports of that year name the "floating crane" at all')


def test_quotes_can_be_dropped_and_exclusions_stay():
    assert unquoted('who said "no harbour" -draft -"old plan"') == 'who said no harbour -draft -"old plan"'
    assert unquoted("harb* a - b") == "harb* a - b"
