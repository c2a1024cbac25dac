"""Spans: every visible character kept, in order, within the limit, with the lines it stands on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.text.chunking import LINED, PROSE, Heading, Rendering, cut, passages_of
from rag.loaders.text.passage_content import text_content
from rag.types import Context, DocumentId, Lines, Passage, Sheet

ALPHABET = st.sampled_from([*"ab.。！ \t\n\n,，é好#-'\"", "word", "sentence. ", "\n\n", "句子。", "\u3000"])
TEXTS = st.lists(ALPHABET, max_size=200).map("".join)


@st.composite
def headed(draw: st.DrawFn) -> tuple[str, list[Heading]]:
    text = draw(TEXTS)
    starts = [at for at, line in _line_starts(text) if line.strip()]
    chosen = sorted(draw(st.sets(st.sampled_from(starts)))) if starts else []
    return text, [Heading(at, draw(st.integers(1, 4)), f"h{at}", lines=draw(st.integers(0, 2))) for at in chosen]


def _line_starts(text: str) -> list[tuple[int, str]]:
    starts, at = [], 0
    for line in text.split("\n"):
        starts.append((at, line))
        at += len(line) + 1
    return starts


@settings(max_examples=300, deadline=None)
@given(headed(), st.integers(1, 60), st.sampled_from([PROSE, LINED]), st.sampled_from([0, 10]))
def test_no_text_is_lost_and_every_span_is_bounded(given_text, limit, breaks, joined):
    text, headings = given_text
    spans = list(cut(text, limit, headings, breaks, joined))
    assert "".join("".join(span.text for span in spans).split()) == "".join(text.split())
    assert all(0 < len(span.text) <= limit and not span.text.isspace() for span in spans)


@settings(max_examples=300, deadline=None)
@given(headed(), st.integers(5, 60))
def test_lines_are_those_the_span_stands_on(given_text, limit):
    text, headings = given_text
    lines = text.split("\n")
    last = 0
    for span in cut(text, limit, headings):
        standing = "\n".join(lines[span.lines.start - 1 : span.lines.end])
        assert "".join(span.text.split()) in "".join(standing.split())
        assert last <= span.lines.start <= span.lines.end
        assert lines[span.lines.start - 1].strip() and lines[span.lines.end - 1].strip()
        last = span.lines.end


def test_sections_are_cut_apart_and_know_the_headings_above():
    text = "# A\n\n## B\npara one.\nmore.\n\n\npara two\n## C\n\nlast\n"
    headings = [Heading(0, 1, "A"), Heading(text.index("## B"), 2, "B"), Heading(text.index("## C"), 2, "C")]
    spans = list(cut(text, 200, headings))
    assert [(span.text, span.lines, span.heading) for span in spans] == [
        ("# A\n\n## B\npara one.\nmore.\n\npara two", Lines(1, 8), "A › B"),
        ("## C\n\nlast", Lines(9, 11), "A › C"),
    ]


def test_a_long_paragraph_is_cut_after_a_sentence_also_in_chinese():
    english = "The first sentence is here. The second one is a little longer. And a third."
    assert [span.text for span in cut(english, 70)] == [
        "The first sentence is here. The second one is a little longer.",
        "And a third.",
    ]
    chinese = "第一句话在这里。第二句话稍微长一点！第三句？"
    assert [span.text for span in cut(chinese, 20)] == ["第一句话在这里。第二句话稍微长一点！", "第三句？"]


def test_words_are_cut_only_where_there_is_no_other_place():
    assert [span.text for span in cut("alpha beta gamma", 11)] == ["alpha beta", "gamma"]
    assert [span.text for span in cut("x" * 25, 10)] == ["x" * 10, "x" * 10, "x" * 5]
    assert [span.text for span in cut("a=1;bcd=2;efghij", 9)] == ["a=1;bcd=", "2;efghij"]


def test_one_line_of_a_million_characters_keeps_its_line():
    spans = list(cut("word " * 200_000 + "\nend", 1200))
    assert 800 < len(spans) < 1000
    assert {span.lines for span in spans[:-1]} == {Lines(1, 1)} and spans[-1].lines == Lines(1, 2)


def test_short_definitions_join_their_neighbours():
    text = "def a(): pass\ndef b(): pass\ndef c(): pass\n"
    headings = [Heading(text.index(f"def {name}"), 1, name, lines=0) for name in "abc"]
    assert [(span.text, span.heading) for span in cut(text, 100, headings, LINED, joined=20)] == [
        ("def a(): pass\ndef b(): pass", ""),
        ("def c(): pass", "c"),
    ]


def test_passages_count_from_zero_and_an_empty_rendering_is_refused():
    document = DocumentId("docs", "a.txt")
    passages = list(passages_of(document, Rendering("one\n\ntwo", title="T"), Limits(passage_characters=5)))
    assert [(one.ordinal, one.text, one.locator, one.context.title) for one in passages] == [
        (0, "one", Lines(1, 1), "T"),
        (1, "two", Lines(3, 3), "T"),
    ]
    with pytest.raises(UnreadableDocument, match="contains no text"):
        list(passages_of(document, Rendering("\n \n"), Limits()))


@pytest.mark.parametrize(
    ("text", "context", "content"),
    [
        ("plain", Context(), "plain"),
        ("## Install\nrun it", Context(heading="Guide › Install"), "Guide\n## Install\nrun it"),
        ("run it", Context(heading="Guide › Install"), "Guide › Install\nrun it"),
        ("a | b", Context(sheet="Budget"), "Budget\na | b"),
    ],
)
def test_content_names_what_stands_above(text, context, content):
    passage = Passage(DocumentId("r", "d"), 0, Sheet("x"), "text", "text", text=text, context=context)
    assert text_content(passage).text == content
    assert text_content(passage).modality == "text"
