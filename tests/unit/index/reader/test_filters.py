"""What each glob matches, and that filters allow what a check of every passage allows."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.reader.path_globs import glob_to_regex, is_wild, wild_matcher
from rag.index.writer.writer import writing
from rag.types import KINDS, DocumentId, Filters
from tests.unit.index_samples import document, key_of, made, passage, put, snapshot_of, vector_of

PATHS = [
    "a.md",
    "b.pdf",
    "notes/a.md",
    "notes/b/c.md",
    "notes-old/a.md",
    "notes/b/draft/x.png",
    "图/一.png",
    "x[1].md",
    "line\nbreak.md",
]


@pytest.mark.parametrize(
    ("glob", "fits"),
    [
        ("notes", ["notes/a.md", "notes/b/c.md", "notes/b/draft/x.png"]),
        ("notes/", ["notes/a.md", "notes/b/c.md", "notes/b/draft/x.png"]),
        ("./notes/a.md", ["notes/a.md"]),
        ("*.md", ["a.md", "notes/a.md", "notes/b/c.md", "notes-old/a.md", "x[1].md", "line\nbreak.md"]),
        ("/*.md", ["a.md", "x[1].md", "line\nbreak.md"]),
        ("notes/*.md", ["notes/a.md"]),
        ("notes/**/*.md", ["notes/a.md", "notes/b/c.md"]),
        ("**/draft/**", ["notes/b/draft/x.png"]),
        ("**", PATHS),
        ("", PATHS),
        ("图/?.png", ["图/一.png"]),
        ("[ab].*", ["a.md", "b.pdf", "notes/a.md", "notes-old/a.md"]),
        ("[!a-b].md", ["notes/b/c.md"]),
        ("x[[]1].md", ["x[1].md"]),
        ("x[", []),
        ("notes/b/", ["notes/b/c.md", "notes/b/draft/x.png"]),
        ("notes*/", ["notes/a.md", "notes/b/c.md", "notes-old/a.md", "notes/b/draft/x.png"]),
    ],
)
def test_a_glob_matches_these_paths(glob, fits):
    assert [path for path in PATHS if re.compile(glob_to_regex(glob), re.S).fullmatch(path)] == fits
    if any(wildcard in glob for wildcard in "*?["):
        assert list(filter(wild_matcher(glob), PATHS)) == fits


@pytest.mark.parametrize("glob", ["*a" * 40 + "b", "**/" + "*a" * 40 + "b", "**a" * 40 + "b", "**/a/" * 40 + "b"])
def test_no_glob_is_slow_on_an_adversarial_path(glob):
    assert is_wild(glob)
    fits = wild_matcher(glob)
    assert not fits("a" * 250) and not fits("a/" * 2_000 + "a")
    assert fits(glob.replace("**/", "a/").replace("*", "a"))


@pytest.mark.parametrize("glob", ["*.pdf", "notes/", "*harbour*", "**/draft/**", "notes/**/*.md", "20[0-9][0-9]/*"])
def test_usual_globs_are_matched_as_regular_expressions(glob):
    assert not is_wild(glob)


@given(st.text(max_size=30))
def test_every_text_is_a_glob(glob):
    re.compile(glob_to_regex(glob))


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    folder = made(tmp_path_factory.mktemp("filters") / "index")
    with writing(folder) as writer:
        for at, path in enumerate(PATHS):
            put(writer, path, [f"{path} one", f"{path} two"], kind=KINDS[at % 5], modified=1000.0 + at)
        writer.add_root("photos", folder)
        put(writer, "a.md", ["another root"], root="photos", modified=5000.0)
        dated = document("taken.jpg", modified=9000.0)
        writer.put_document(
            dated, digest=b"d", loader="l", passages=[(passage(dated, 0, "x", "image", taken=1003.5), key_of("x"))], path_words=""
        )
        writer.put_vectors([key_of("x")], vector_of(key_of("x"))[None])
        writer.commit()
        writer.remove("docs", "b.pdf")
        writer.commit()
    with snapshot_of(folder) as snapshot:
        yield snapshot


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(kinds=("page", "image")),
        Filters(paths=("notes/", "*.png")),
        Filters(roots=("photos",)),
        Filters(roots=("nowhere",)),
        Filters(documents=(DocumentId("docs", "a.md"), DocumentId("photos", "a.md"), DocumentId("docs", "\ud800"))),
        Filters(after=1003.0, before=1005.0),
        Filters(kinds=("text",), paths=("*.md",), roots=("docs",), before=1006.0),
    ],
)
def test_filters_allow_what_a_check_of_every_passage_allows(snapshot, filters):
    everything = snapshot.passages([number for number, _ in snapshot.nearest(vector_of(b"any key"), 1000)[0]])
    globs = [re.compile(glob_to_regex(glob), re.S) for glob in filters.paths]
    wanted = {
        stored.number
        for stored in everything
        if (not filters.kinds or stored.passage.kind in filters.kinds)
        and (not globs or any(glob.fullmatch(stored.passage.document.path) for glob in globs))
        and (not filters.roots or stored.passage.document.root in filters.roots)
        and (not filters.documents or stored.passage.document in filters.documents)
        and (filters.after is None or stored.dated >= filters.after)
        and (filters.before is None or stored.dated < filters.before)
    }
    allowed = snapshot.matching(filters)
    if filters == Filters():
        assert allowed is None and len(everything) == 18
    else:
        assert set(allowed.numbers.tolist()) == wanted
        assert {number for number, _ in snapshot.nearest(vector_of(b"any key"), 1000, allowed)[0]} == wanted
        assert {number for number, _, _ in snapshot.containing("one two another x", 1000, allowed)} <= wanted


INNER = ["", "letters/a.eml", "letters/a.eml/plan.pdf", "letters/b.txt", "图/é.png", "old.zip/c.eml"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = made(tmp_path_factory.mktemp("packed") / "index")
    with writing(folder) as writer:
        for path in ("mails.zip", "other/more.zip"):
            found = document(path)
            passages = [
                (replace(passage(found, at, inner, "text"), inner=inner), key_of(path + inner)) for at, inner in enumerate(INNER)
            ]
            writer.put_document(found, digest=path.encode(), loader="l", passages=passages, path_words="")
            for _, key in passages:
                writer.put_vectors([key], vector_of(key)[None])
        put(writer, "d.eml", ["a mail of its own"])
        writer.commit()
    with snapshot_of(folder) as snapshot:
        yield snapshot


@pytest.mark.parametrize(
    ("glob", "fits"),
    [
        ("mails.zip", [("mails.zip", inner) for inner in INNER]),
        ("mails.zip/**", [("mails.zip", inner) for inner in INNER[1:]]),
        ("mails.zip/letters", [("mails.zip", inner) for inner in INNER[1:4]]),
        (
            "*.eml",
            [
                *((zipped, inner) for zipped in ("mails.zip", "other/more.zip") for inner in (*INNER[1:3], INNER[5])),
                ("d.eml", ""),
            ],
        ),
        ("*.pdf", [(zipped, INNER[2]) for zipped in ("mails.zip", "other/more.zip")]),
        ("other/**/*.txt", [("other/more.zip", INNER[3])]),
        ("old.zip", []),
        ("letters*", []),
        ("**/old.zip/*", [(zipped, INNER[5]) for zipped in ("mails.zip", "other/more.zip")]),
        ("e\u0301.png", []),
        ("*/e\u0301.png", []),
        ("**/e\u0301.png", [(zipped, INNER[4]) for zipped in ("mails.zip", "other/more.zip")]),
    ],
)
def test_a_path_may_name_a_file_inside_a_document(packed, glob, fits):
    allowed = packed.matching(Filters(paths=(glob,)))
    found = [stored.passage for stored in packed.passages(allowed.numbers.tolist())]
    assert sorted((one.document.path, one.inner) for one in found) == sorted(fits)
    assert {number for number, _ in packed.nearest(vector_of(b"any key"), 1000, allowed)[0]} == set(allowed.numbers.tolist())


def test_a_path_inside_and_a_root_both_hold(packed):
    assert len(packed.matching(Filters(paths=("*.eml",), roots=("nowhere",)))) == 0
    assert len(packed.matching(Filters(paths=("*.pdf",), documents=(DocumentId("docs", "mails.zip"),)))) == 1
