"""The values of the components: a query as the JSON of a search, an answer as the value of the results.

Knows the JSON of both sides; asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STEP = 24  # hits requested at once
NO_FILTERS: Mapping[str, Any] = {"kinds": [], "paths": [], "roots": [], "after": "", "before": ""}
EMPTY_QUERY: Mapping[str, Any] = {
    "words": "",
    "pictures": [],
    "like": "",
    "less": [],
    "indexes": [],
    "sort": "",
    "number": 0,
    **NO_FILTERS,
}


def is_empty(query: Mapping[str, Any] | None) -> bool:
    """Whether nothing is asked."""
    return query is None or not (str(query.get("words", "")).strip() or query.get("pictures") or query.get("like"))


def search_request(query: Mapping[str, Any], cursor: str | None = None) -> dict[str, Any]:
    """The body of POST /v1/search for a query of the search bar: `STEP` hits of the whole list, from `cursor` on."""
    asked = {**EMPTY_QUERY, **query}
    return {
        "text": asked["words"],
        "images": asked["pictures"],
        "like": asked["like"] or None,
        "less_like": asked["less"],
        "indexes": asked["indexes"],
        "kinds": asked["kinds"],
        "paths": asked["paths"],
        "roots": asked["roots"],
        "after": asked["after"] or None,
        "before": asked["before"] or None,
        "order": asked["sort"] or "best",
        "whole": True,
        "cursor": cursor,
        "top_k": STEP,
        "explain": True,
    }


def found_value(
    query: Mapping[str, Any] | None,
    answer: Mapping[str, Any] | None = None,
    *,
    failure: Mapping[str, str] | None = None,
    settled: bool = True,
) -> dict[str, Any]:
    """The value of `Results` for the JSON of an answer of POST /v1/search, or for a failure. Pictures are not sent back."""
    asked = {**EMPTY_QUERY, **(query or {}), "pictures": []}
    return {"query": asked, "answer": answer, "failure": failure, "settled": settled}


def facets_value(query: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """The `facets` of `SearchBar` for the JSON of an answer; without counts where nothing was found."""
    dated = any(hit.get("dated") for hit in answer["hits"])
    return {"number": query.get("number", 0), "counts": answer["counts"] if answer["hits"] else {}, "dated": dated}


def without_paths(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of an answer whose hits have a `file` instead of a `path`.

    Gradio takes every dict that has a `path` for a file of its cache: an event that carries one is refused, and `gradio_client`
    tries to download it.
    """
    return {
        **answer,
        "hits": [_renamed(hit) | {"folded": [_renamed(one) for one in hit.get("folded", ())]} for hit in answer["hits"]],
    }


def chat_messages(value: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """The value of a `gr.Chatbot` for a value of `AskBox`: who says what, as words.

    Anything else that a browser sends is left out: the chat would take a dict for a file of this machine, or for a component.
    """
    told = [] if value is None else value["messages"]
    words = [one for one in told if one["role"] in ("user", "assistant") and isinstance(one["content"], str)]
    return [{"role": one["role"], "content": one["content"]} for one in words]


def with_files(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of an answer to a question whose sources have a `file` instead of a `path`, as `without_paths`."""
    sources = [_renamed(one) | {"folded": [_renamed(same) for same in one.get("folded", ())]} for one in answer["sources"]]
    return {**answer, "sources": sources}


def unanswered(sources: Sequence[Mapping[str, Any]], why: str) -> dict[str, Any]:
    """The JSON of an answer that no chat model gave: the evidence, and why."""
    missing = {"answer": None, "claims": [], "enough": False, "model": None, "notes": [why]}
    return missing | {"sources": [dict(one) for one in sources]}


def _renamed(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"file" if name == "path" else name: value for name, value in found.items()}
