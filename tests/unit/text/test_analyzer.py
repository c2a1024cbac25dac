"""Text to terms: whole words and their parts, folded, in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.analyzer import stems, stored_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Harbour Cranes running", ["harbour", "crane", "run"]),
        ("INV-4421", ["inv", "4421", "inv4421"]),
        ("RE16 TGK", ["re", "16", "tgk", "re16"]),
        ("parseHTTPRequest_v2", ["pars", "http", "request", "v", "2", "parsehttprequestv2"]),
        ("KeyError", ["kei", "error", "keyerror"]),
        ("the crane's __init__", ["the", "crane", "init"]),
        ("www.example.org", ["www", "exampl", "org"]),
        ("Café ÜBER straße ﬁne Ｗｉｄｅ", ["cafe", "uber", "strass", "fine", "wide", "ueber"]),
        ("北京大学", ["北京", "京大", "大学", "学"]),
        ("学", ["学"]),
        ("用iPhone拍", ["用", "i", "phone", "拍", "iphon"]),
        ("서울역", ["서울", "울역", "역"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("наПример Ёлка", ["например", "елка"]),
        ("… — !?", []),
        ("\ud800", []),
    ],
)
def test_terms(text, terms):
    assert stored_terms(text) == terms


def test_encoded_data_gives_a_bounded_term():
    assert [len(term) for term in stored_terms("a" * 100_000)] == [64]


@given(st.text(max_size=200))
def test_any_text_gives_terms_that_are_words_and_stay_one_to_one(text):
    terms = stored_terms(text)
    assert all(term and " " not in term and '"' not in term for term in terms)
    assert len(stems(terms)) == len(terms)
