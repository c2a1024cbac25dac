"""One set of names and defaults for a search, whichever way it is asked."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

from rag.api.search import SearchRequest
from rag.errors import WrongRequest
from rag.search.options import SearchOptions, asked_indexes, options_of

DEFAULTS = SearchOptions()


def test_http_knows_every_option_but_a_local_video_and_the_same_defaults() -> None:
    known = {field.name for field in fields(SearchOptions)} - {"video"}
    assert known <= SearchRequest.model_fields.keys()
    asked = SearchRequest(text="harbour").options()
    assert all(list(getattr(asked, name) or ()) == [] for name in ("kinds", "paths", "roots", "spaces", "less_like"))
    plain = known - {"kinds", "paths", "roots", "spaces", "less_like", "images"}
    assert {name: getattr(asked, name) for name in plain} == {name: getattr(DEFAULTS, name) for name in plain}


def test_the_command_line_has_an_option_for_each() -> None:
    from rag.cli.query import query

    spelled = {
        "images": "image",
        "kinds": "kind",
        "paths": "path",
        "roots": "root",
        "spaces": "space",
        "rerank": "no_rerank",
        "fold": "no_fold",
    }
    without = {"like", "ocr"}  # asked of the page and over HTTP: a terminal has no passage at hand
    names = {spelled.get(field.name, field.name) for field in fields(SearchOptions)} - without
    parameters = inspect.signature(query).parameters
    assert names <= parameters.keys()
    named = {"group", "order", "offset"}
    assert all(parameters[name].default in (None, False) for name in names - named)
    assert all(parameters[name].default in (None, getattr(DEFAULTS, name)) for name in named)


def test_what_is_no_option_is_left_out() -> None:
    assert options_of({"top_k": 3, "texts": True, "paths": ["*.md"]}) == SearchOptions(top_k=3, paths=["*.md"])


def test_one_index_or_several_but_not_both() -> None:
    assert (asked_indexes(None, []), asked_indexes("a", []), asked_indexes(None, ["a", "b"])) == ((None,), ("a",), ["a", "b"])
    with pytest.raises(WrongRequest, match="both index and indexes"):
        asked_indexes("a", ["b"])
