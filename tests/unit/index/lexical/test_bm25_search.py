"""The lexical lane: what people type finds what they mean, and nothing they type is an error."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.index.writer.writer import writing
from rag.types import Filters
from tests.unit.index_samples import made, put, snapshot_of

TEXTS = {
    "cranes.md": "The harbour cranes were running at night",
    "crane.md": "A crane at the lake, and the harbour far away",
    "harbour.md": "harbour harbour harbour master of the night",
    "invoice.md": "Invoice INV-4421 for the van RE16 TGK, e-mail sent",
    "code.py": "raise KeyError in snake_case of parseHTTPRequest",
    "library.md": "北京大学的图书馆在哪里",
    "ship.md": "船在港口。学",
    "cafe.md": "Café Zürich, ＦＵＬＬ width",
    "stop.md": "to be or not to be, that is what it is",
}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    folder = made(tmp_path_factory.mktemp("lexical") / "index")
    with writing(folder) as writer:
        for path, text in TEXTS.items():
            put(writer, path, [text], words=path.replace(".", " "))
        put(writer, "photo.jpg", ["xyzzy"], caption="two boats beside a lighthouse", words="photo jpg")
        for at in range(30):
            put(writer, f"filler{at}.md", [f"the common words of a filler number{at}"], words="filler md")
        writer.commit()
    with snapshot_of(folder) as snapshot:
        yield snapshot


def found(snapshot, words, k=5, **options):
    within = snapshot.meeting(words, options.pop("within", None))
    numbers = [number for number, _, _ in snapshot.containing(words, k, within, **options)]
    return [stored.passage.document.path for stored in snapshot.passages(numbers)]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("harbour crane", "cranes.md"),
        ("run cranes", "cranes.md"),
        ("INV-4421", "invoice.md"),
        ("inv4421", "invoice.md"),
        ("inv 4421", "invoice.md"),
        ("4421", "invoice.md"),
        ("RE16 TGK", "invoice.md"),
        ("re16tgk", "invoice.md"),
        ("RE16", "invoice.md"),
        ("email", "invoice.md"),
        ("KeyError", "code.py"),
        ("keyerror", "code.py"),
        ("error", "code.py"),
        ("snake_case", "code.py"),
        ("snake", "code.py"),
        ("parseHttpRequest", "code.py"),
        ("http", "code.py"),
        ("code.py", "code.py"),
        ("大学", "library.md"),
        ("图书馆", "library.md"),
        ("北京大学在哪里？", "library.md"),
        ("馆", "library.md"),
        ("船", "ship.md"),
        ("学", "ship.md"),
        ("cafe zurich", "cafe.md"),
        ("full", "cafe.md"),
        ("lighthouse", "photo.jpg"),
        ("to be or not to be", "stop.md"),
        ("what is the cranes", "cranes.md"),
    ],
)
def test_the_first_hit(snapshot, words, first):
    assert found(snapshot, words)[0] == first


def test_a_single_character_is_found_wherever_it_stands(snapshot):
    assert set(found(snapshot, "学")) == {"library.md", "ship.md"}


def test_the_share_of_the_query_that_a_passage_contains(snapshot):
    answer = snapshot.containing("harbour crane night", 5)
    paths = found(snapshot, "harbour crane night")
    assert paths[0] == "cranes.md" and set(paths) == {"cranes.md", "crane.md", "harbour.md"}
    shares = {path: share for path, (_, _, share) in zip(paths, answer, strict=True)}
    assert shares["cranes.md"] == pytest.approx(1.0)
    assert 0.6 < shares["crane.md"] < 0.72 and 0.6 < shares["harbour.md"] < 0.72
    [(_, _, share)] = snapshot.containing("crane qqqq", 1)
    assert 0.3 < share < 0.5  # an unknown word counts as missing


def test_function_words_have_no_share_beside_other_words(snapshot):
    assert [share for _, _, share in snapshot.containing("qqqq in the night of zzzz", 5)] == pytest.approx([0.25, 0.25], abs=0.05)
    only_little = snapshot.containing("that is not the qqqq", 3)
    assert only_little and {share for _, _, share in only_little} == {0.0}
    assert snapshot.containing("to be or not to be", 1)[0][2] == pytest.approx(1.0)


def test_the_words_of_a_phrase_must_be_adjacent(snapshot):
    assert found(snapshot, '"harbour cranes"') == ["cranes.md"]
    assert found(snapshot, '"harbour cranes" lake') == ["cranes.md"]
    assert found(snapshot, 'lake "harbour cranes" night -lake') == ["cranes.md"]
    assert found(snapshot, '"图书馆"') == ["library.md"]
    assert found(snapshot, "“harbour master”") == ["harbour.md"]


def test_a_phrase_in_no_passage_is_not_found(snapshot):
    assert found(snapshot, '"lake harbour"') == []
    assert found(snapshot, '"lake harbour" cranes') == []


def test_prefixes(snapshot):
    assert set(found(snapshot, "harb*")) == {"cranes.md", "crane.md", "harbour.md"}
    assert found(snapshot, "INV-44*") == ["invoice.md"]
    assert found(snapshot, "inv44*") == ["invoice.md"]
    assert found(snapshot, "running*") == ["cranes.md"]
    assert found(snapshot, "lightho*") == ["photo.jpg"]
    assert found(snapshot, "qqqq*") == []
    assert set(found(snapshot, "harb* -cran*")) == {"harbour.md"}
    assert found(snapshot, "*") == []


def test_excluded_words(snapshot):
    assert found(snapshot, "harbour -crane") == ["harbour.md"]
    assert found(snapshot, 'harbour -"harbour master" -lake') == ["cranes.md"]
    assert found(snapshot, "-harbour") == []
    assert found(snapshot, "船 -图书馆") == ["ship.md"]
    assert found(snapshot, "学 -图书馆") == ["ship.md"]
    assert found(snapshot, "INV-4421") == ["invoice.md"]


def test_unknown_words_do_not_hide_the_known_ones(snapshot):
    assert set(found(snapshot, "qqqq harbour zzzz")) == {"cranes.md", "crane.md", "harbour.md"}


def test_columns(snapshot):
    assert found(snapshot, "lighthouse", columns=("text", "path")) == []
    assert found(snapshot, "photo", columns=("path",)) == ["photo.jpg"]
    assert found(snapshot, "photo", columns=("text", "caption")) == []
    with pytest.raises(ValueError, match="colour"):
        snapshot.containing("a", 1, columns=("colour",))


def test_filters_come_before_the_search(snapshot):
    late = snapshot.matching(Filters(paths=("filler29.md",)))
    assert found(snapshot, "common words", k=1, within=late) == ["filler29.md"]
    assert found(snapshot, "harbour", within=late) == []


def test_k_and_the_order_of_ties(snapshot):
    numbers = [number for number, _, _ in snapshot.containing("filler common", 20)]
    assert len(numbers) == 20 and numbers == sorted(numbers)
    assert snapshot.containing("filler", 0) == []


def test_frequencies(snapshot):
    counts, passages = snapshot.document_frequencies(["Harbours", "common", "学", "KeyError", "INV-4421", "qqqq", "!"])
    assert counts == {"Harbours": 3, "common": 30, "学": 2, "KeyError": 1, "INV-4421": 1, "qqqq": 0, "!": 0}
    assert passages == 40


def test_frequencies_follow_changes_and_removals(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["harbour night"], "b.md": ["harbour"]})
    with writing(folder) as writer:
        put(writer, "a.md", ["morning"])
        writer.commit()
    with snapshot_of(folder) as snapshot:
        assert snapshot.document_frequencies(["harbour", "night", "morning"]) == ({"harbour": 1, "night": 0, "morning": 1}, 2)
        assert found(snapshot, "harbour") == ["b.md"]
        assert found(snapshot, "night") == []


SYNTAX = st.text(alphabet=st.sampled_from(list("abcAB12 \"'*()-+:^{}[]NEAR,.;\\/%_“”北学é\x00\ud800")), max_size=60)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.one_of(SYNTAX, st.text(max_size=60)))
def test_no_text_is_an_error(snapshot, words):
    within = snapshot.meeting(words)
    for number, score, share in snapshot.containing(words, 5, within):
        assert number > 0 and 0 < score < 1 and 0 <= share <= 1


def test_a_word_of_a_stored_passage_is_always_answered(snapshot):
    for text in TEXTS.values():
        assert snapshot.containing(text, 3) != []
