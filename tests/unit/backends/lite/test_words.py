"""Surfaces, terms, stems, rarity and spelling of the lite models."""

import pytest

from rag.backends.lite.spelling import distance, respelled
from rag.backends.lite.stems import stem
from rag.backends.lite.words import features, placed, shares, surfaces, weighted, word
from rag.text.idf import COMMONEST, UNSEEN, background, rarity


@pytest.mark.parametrize(
    ("one", "others"),
    [
        ("run", ["runs", "running", "ran"]),
        ("harbor", ["harbour", "harbours"]),
        ("analyze", ["analyse", "analysed", "analysing", "analyzing"]),
        ("organization", ["organisation", "organisations"]),
        ("city", ["cities"]),
        ("box", ["boxes"]),
        ("hope", ["hoping", "hoped"]),
        ("hop", ["hopping", "hopped"]),
        ("schedule", ["scheduled", "scheduling", "schedules"]),
        ("travel", ["travelled", "traveling"]),
        ("center", ["centre", "centres"]),
        ("gray", ["grey"]),
        ("child", ["children"]),
        ("march", ["mar"]),
    ],
)
def test_forms_of_a_word_have_one_stem(one, others):
    assert [stem(other) for other in others] == [one] * len(others)


@pytest.mark.parametrize(
    "kept", ["red", "string", "glass", "bus", "status", "ceiling", "four", "exercise", "data", "привет", "x2"]
)
def test_words_without_an_inflection_stay_as_they_are(kept):
    assert stem(kept) == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000 and 1,234,567.50", ["1000", "and", "1234567.50", "1234567", "50"]),
        ("on 2024-03-05", ["on", "2024", "march", "5"]),
        ("2024:03:05", ["2024", "march", "5"]),
        ("2024年3月5日", ["2024", "march", "5"]),
        ("12月", ["december"]),
        ("Café ﬁnds", ["cafe", "find"]),
        ("e-mail", ["email", "e", "mail"]),
        ("GitHub's", ["github", "git", "hub"]),
        ("getUserName", ["getusername", "get", "user", "name"]),
        ("state-of-the-art", ["state", "of", "the", "art"]),
        ("don't", ["dont"]),
        ("C++ C#", ["c++", "c#"]),
        ("港口吊车", ["港口", "口吊", "吊车"]),
        ("猫 sat", ["猫", "sat"]),
        ("１２ ＡＢＣ", ["12", "abc"]),
        ("カタカナ", ["カタ", "タカ", "カナ"]),
        ("\udcff … —", []),
    ],
)
def test_terms_of_a_text(text, expected):
    assert list(placed(text)) == expected


def test_pieces_have_the_position_of_their_compound():
    assert placed("use e-mail now") == {"use": [0], "email": [1], "e": [1], "mail": [1], "now": [2]}


def test_a_long_key_is_one_word():
    assert word("aB3" * 200).pieces == ()


def test_rarer_words_have_a_higher_rarity():
    ordered = ["the", "home", "picture", "harbour", "zebra"]
    assert [rarity(term) for term in ordered] == sorted(rarity(term) for term in ordered)
    assert rarity("the") == COMMONEST
    assert rarity("zyxwv") == UNSEEN
    assert rarity("的") < rarity("学习") < rarity("港口") < rarity("鑫龘")
    assert rarity("12") < rarity("2024") < rarity("93847561")
    assert len(background()) > 60_000


def test_a_pair_across_two_words_counts_little():
    assert shares(word("港口天气")) == [1.0, 0.15, 1.0]
    assert shares(word("学习")) == [1.0]


def test_features_have_unit_length_and_typos_share_some():
    for term in ("invoice", "12345", "港口", "a", "привет"):
        assert sum(weight**2 for weight in features(term)[1]) == pytest.approx(1)
    right, wrong, other = (dict(zip(*features(term), strict=True)) for term in ("invoice", "invioce", "zebra"))
    assert sum(right[each] * wrong[each] for each in right.keys() & wrong.keys()) > 0.05
    assert not right.keys() & other.keys()


def test_features_are_the_same_on_every_machine():
    assert features("cat")[0] == [3065240963, 3735119352, 3869936156, 1150423272, 919765475, 126092515, 710316901]


def test_weights_of_a_compound_and_of_a_run():
    assert dict(weighted("e-mail"))["email"] == pytest.approx(0.7 * rarity("email"))
    assert dict(weighted("港口"))["港"] == pytest.approx(0.3 * rarity("港"))


def test_only_unlisted_words_are_respelled():
    assert respelled("recieve the invioce on Monday") == "receive invoice"
    assert respelled("harbours colours 港口 zqxjv") == ""


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("invoice", "invioce", 1),
        ("invoice", "involve", 2),
        ("abc", "abc", 0),
        ("abc", "xyz", 3),
        ("a", "abcdef", 3),
        ("ca", "abc", 3),
    ],
)
def test_distance_counts_a_swap_once_and_stops_at_its_limit(one, other, edits):
    assert distance(one, other, 2) == edits


def test_hostile_text_takes_no_time_to_split():
    assert len(surfaces("a-" * 50_000)) == 1
    assert len(surfaces("1," * 50_000)) == 50_000
    assert len(surfaces("港" * 100_000)) == 1
