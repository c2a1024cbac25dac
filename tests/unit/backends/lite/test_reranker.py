"""The lite reranker on hand-made cases."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rag.backends.lite.attributes import ATTRIBUTES as ALL
from rag.backends.lite.embedder import ATTRIBUTES, LiteEmbedder
from rag.backends.lite.matching import asks, match
from rag.backends.lite.reranker import LiteReranker, likeness
from rag.types import Content

FILLER = "The committee met on several occasions and agreed about the budget of the coming year. " * 4
RED = np.full((40, 60, 3), (205, 25, 25), np.uint8)
BLUE = np.full((40, 60, 3), (20, 40, 200), np.uint8)


def text(words):
    return Content("text", text=words)


def image(*pixels, clues=""):
    return Content("image", pixels=pixels, clues=clues)


def scored(query, *passages):
    asked = text(query) if isinstance(query, str) else query
    return LiteReranker().score(asked, [text(each) if isinstance(each, str) else each for each in passages])


# Query, then passages from the best to the worst.
CASES = [
    ("harbour crane maintenance schedule", "The maintenance schedule for the harbor cranes.", "The train schedule changed."),
    ("harbour crane", "The harbour crane is old.", f"A crane. {FILLER} The harbour.", "A crane is a bird.", FILLER),
    ("recieve invioce", "You will receive an invoice by mail.", "An invoice.", "Hello."),
    ("running shoes", "Shoes for runs on rough ground.", "He runs a shop.", "A bench."),
    ("how do I reset the router password", "To reset the password of your router, hold the button.", "How do I get there? Ask."),
    ("colour analysis", "The colors were analysed.", "The colour of the wall.", "Prices rose."),
    ("1,000 euros in 2024", "It cost 1000 euros in 2024.", "It cost 300 euros in 2023.", "It was cheap."),
    ("photos from March 2024", image(clues="2024-03-15 10:22"), image(clues="2023-07-15 10:22"), "Bread"),
    ("GitHub token", "Create a github token.", "A token of thanks.", "Tea"),
    ("user name setting", "The userName setting", "The setting", "Tea"),
    ("e-mail server", "The email server is down.", "The server of the bar.", "Tea"),
    ("machine learning", "An introduction to machine learning.", "Learning to use the sewing machine.", "Cooking"),
    ("translation of the contract", "The contract was translated by Anna.", "The contract ended.", "Nothing"),
    ("reccipt total", "Total on the receipt: 12.50", "Total eclipse", "Moon"),
    ("机器学习", "机器学习是人工智能的一个分支。", "学习中文很有意思。", "今天天气很好。"),
    ("学习", "我们在学习机器翻译。", "今天天气很好。"),
    ("港口吊车维修计划", "港口的吊车每年春天都有维修计划。", "吊车维修", "计划明天去旅游"),
    ("会议预算", "明天下午在会议室讨论预算。", "会议取消了。", "树叶黄了。"),
    ("猫", "桌子上有一只猫。", "桌子上有一只狗。"),
    ("2024年3月的发票", "这是2024年3月15日的发票。", "这是2023年的发票。", "苹果很甜。"),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_the_better_answer_scores_higher(case):
    scores = scored(*case)
    assert all(above > below for above, below in pairwise(scores)), scores
    assert scores[0] > 0.5


def test_coverage_dominates():
    query = "harbour crane maintenance schedule"
    full, scattered, common, nothing = scored(
        query,
        "The maintenance schedule of the harbour crane",
        f"cranes in the harbor. {FILLER} They have a schedule. {FILLER} Maintenance is costly.",
        "Our schedule: lunch at noon.",
        "Bread and water.",
    )
    assert full > 0.9
    assert scattered > 0.8
    assert common < 0.3
    assert nothing == 0


def test_common_words_count_little():
    assert scored("what is the capital of the country", "what is the of the")[0] < 0.1
    assert scored("the", "the end", "an end") == [pytest.approx(0.95, abs=0.05), 0]


def test_words_in_clues_count_like_words_in_the_text():
    one, other = scored("regatta programme", "The program of the regatta", image(clues="The program of the regatta"))
    assert one == other > 0.8


def test_closeness_order_and_frequency_break_ties():
    near, far = scored("crane harbour", "crane harbour", f"crane {FILLER} harbour")
    ordered, turned = scored("machine learning", "machine learning", "learning machine")
    often, once = scored("crane", "crane, crane and crane", "crane, ship and mast")
    assert near > far
    assert ordered > turned
    assert often > once


def test_the_formula_in_the_documentation():
    # one of two equally rare asks, found once, alone: coverage ½, closeness 1, order 0, frequency ½
    assert match(asks("zyxwv qponm"), "zyxwv") == pytest.approx(0.5**1.5 * (0.83 + 0.07 + 0.05 / 2))
    # both, side by side
    assert match(asks("zyxwv qponm"), "zyxwv qponm") == pytest.approx(0.83 + 0.07 + 0.05 + 0.05 / 2)
    # both, with six words between them
    assert match(asks("zyxwv qponm"), "zyxwv a b c d e f qponm") == pytest.approx(0.83 + 0.07 * 0.5 + 0.05 / 2)
    # one letter wrong in the only ask
    assert match(asks("zyxwvut"), "zyxwuut") == pytest.approx(0.9**1.5 * (0.83 + 0.07 + 0.05 + 0.05 / 2))


def test_two_listed_words_are_never_taken_for_a_typo():
    assert scored("form", "The letter is from Anna.") == [0]


def test_a_colour_is_seen_in_the_pixels_or_read_in_the_words():
    right, wrong, told, blind = scored(
        "red car", image(RED, clues="car"), image(BLUE, clues="car"), "a red car", image(clues="car")
    )
    assert right > 0.8
    assert told > 0.8
    assert wrong < 0.4
    assert blind < 0.4
    assert scored("红色的图片", image(RED), image(BLUE))[0] > 0.8 > 0.2 > scored("红色的图片", image(BLUE))[0]


def test_a_picture_without_words_loses_less_for_missing_them():
    silent, told = scored("red car at dusk", image(RED), image(RED, clues="kitchen table"))
    assert 0.1 < told < silent < 0.4


def test_a_query_picture_finds_similar_pictures():
    rng = np.random.default_rng(1)
    one, other = (np.kron(rng.integers(0, 255, (4, 6, 3)), np.ones((20, 20, 1))).astype(np.uint8) for _ in range(2))
    smaller = one[::2, ::2]
    scores = scored(image(one), image(smaller), image(other), image(clues="squares"), "squares")
    assert scores[0] > 0.85
    assert scores[1] < 0.4
    assert scores[2:] == [0, 0]
    assert likeness((one,), (smaller,)) == pytest.approx(scores[0])


def test_words_recognised_in_the_query_picture_help():
    scores = scored(image(RED, clues="regatta"), image(RED, clues="the regatta"), image(RED, clues="tea"), "the regatta", "tea")
    assert scores[0] == pytest.approx(1, abs=0.03)
    assert scores[1:] == [pytest.approx(0.7), pytest.approx(0.5, abs=0.03), 0]


def test_words_and_a_picture_count_half_each():
    asked = Content("image", text="boat", pixels=(RED,))
    both, look, word = scored(asked, image(RED, clues="boat"), image(RED, clues="tea"), image(clues="boat"))
    assert (both, look, word) == (pytest.approx(1, abs=0.03), pytest.approx(0.5), pytest.approx(0.5, abs=0.03))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (text("red car"), True),
        (text("invoice"), False),
        (image(RED), True),
        (text("深蓝色"), True),
        (text("traffic light"), False),
    ],
)
def test_pixels_are_wanted_only_if_they_help(query, wanted):
    assert LiteReranker().wants_pixels(query) is wanted


def test_very_long_texts_are_scored():
    assert scored("q" * 200_000 + " " + "港" * 20_000, "q" * 199_999 + " 港口" * 10_000)[0] < 0.5


def test_a_document_vector_scores_like_its_pixels():
    """At the 16-bit precision of the index; for words, attributes, pictures, and both."""
    passages = [image(RED), image(BLUE, clues="a crane"), text("red"), image(clues="no pixels")]
    rows = LiteEmbedder().embed(passages, role="document").astype(np.float16).astype(np.float32)
    told = [replace(one, pixels=(), vector=row) for one, row in zip(passages, rows, strict=True)]
    for query in (text("blue picture"), text("crane"), image(RED[:30]), Content("image", text="red crane", pixels=(BLUE,))):
        assert LiteReranker().score(query, told) == pytest.approx(LiteReranker().score(query, passages), abs=2e-3)


def test_pictures_that_show_an_attribute_equally_score_the_same_at_16_bits():
    """Otherwise rounding would decide their order instead of the first stage."""
    (row,) = LiteEmbedder().embed([image(np.full((40, 60, 3), (2, 2, 9), np.uint8))], role="document")
    alike = np.tile(row, (6, 1))
    for number, each in enumerate(alike):
        each[ATTRIBUTES] = 0
        each[ATTRIBUTES][[0, 1, 2, 3, ALL.index("dark")]] = [0.1 + number * 1e-5] * 4 + [0.1]
    scores = LiteReranker().score(text("skyscrapers after dark"), [Content("image", vector=each) for each in alike])
    assert scores[0] > 0 and set(scores) == {scores[0]}
