"""What a llama.cpp server says of itself: the marker of pictures, whether it sees, its longest prompt, and its tokens.

Knows /props and /tokenize; knows no vector and renders no prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from rag.backends.families import Family
from rag.backends.gguf_names import quantisation_in
from rag.backends.server.client import Endpoints
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.harmless import HARMLESS
from rag.backends.server.sanitize import shown
from rag.backends.server.truncation import TOKENIZE
from rag.errors import BackendError

PROPS = "/props"
OWNER = "llamacpp"  # `owned_by` in its /v1/models
END = "<|endoftext|>"  # the token that Qwen3 embedders pool
EOS_REMEDY = "convert the model again with a llama.cpp of today, or take the GGUF of the model's own publisher"


@dataclass(frozen=True, slots=True)
class Properties:
    """What one server says at /props. Empty and 0: it does not say."""

    name: str  # the alias, else the file
    path: str  # of the GGUF, on the server's machine
    quantisation: str  # of the weights, such as Q8_0
    sees: bool  # whether a mmproj is loaded
    marker: str  # stands in a prompt where a picture goes; another one in every process
    max_tokens: int  # of one prompt: one less than the context of a slot, which refuses a prompt that fills it
    slots: int  # prompts that are read at once


def properties_of(endpoints: Endpoints) -> Properties:
    """Asks one endpoint. With several, each must have the same model and marker from now on. BackendError if it does not say."""
    try:
        answer = endpoints.ask(PROPS)
    except HttpRefusal as refused:
        remedy = "let a proxy before it pass /props on" if refused.status in (404, 405) else refused.remedy
        raise BackendError(f"{refused.what}: without {PROPS} no picture can be sent to llama.cpp", remedy) from refused
    found = parse_properties(answer)
    if len(endpoints.urls) > 1:
        endpoints.prove(PROPS, lambda other: _require_same(other, found))
    return found


def parse_properties(answer: HttpResponse) -> Properties:
    """The properties in a response of /props. BackendError if it is not llama.cpp's."""
    content = answer.content
    if not isinstance(content, Mapping) or not isinstance(content.get("default_generation_settings"), Mapping):
        raise BackendError(f"{answer.place} answered with something else than llama.cpp", remedy="check the address")
    modalities = content.get("modalities")
    path, alias, form = (_text(content, key) for key in ("model_path", "model_alias", "model_ftype"))
    return Properties(
        name=alias or path,
        path=path,
        quantisation=_type(form) or quantisation_in(path) or quantisation_in(alias),
        sees=isinstance(modalities, Mapping) and modalities.get("vision") is True,
        marker=_text(content, "media_marker"),
        max_tokens=max(0, _number(content["default_generation_settings"], "n_ctx") - 1),
        slots=_number(content, "total_slots"),
    )


def counter(endpoints: Endpoints) -> Callable[[str], int]:
    """A function that counts the tokens of a prompt, with those that the tokenizer appends."""
    return lambda prompt: len(tokens_of(endpoints, prompt, special=True))


def tokens_of(endpoints: Endpoints, text: str, *, special: bool) -> list[int]:
    """The numbers of the tokens of a text, with (`special`) or without those that the tokenizer appends. BackendError if none."""
    answer = endpoints.ask(TOKENIZE, {"content": text, "add_special": special, "parse_special": True})
    tokens = answer.content.get("tokens") if isinstance(answer.content, Mapping) else None
    if not isinstance(tokens, list) or not all(isinstance(token, int) for token in tokens):
        raise BackendError(f"{answer.place} sent no tokens: {shown(str(answer.content))}", remedy="check that this is llama.cpp")
    return tokens


def ending_of(endpoints: Endpoints, family: Family) -> str:
    """What the client must append to a prompt of a Qwen3 model: nothing if the tokenizer appends what it should.

    An embedder's vector is read at <|endoftext|>: if the GGUF does not append it, the client writes it. BackendError if another
    token, or more than one, is appended, because then the vector or the score is read at the wrong token.
    """
    bare, whole = (tokens_of(endpoints, HARMLESS.text, special=special) for special in (False, True))
    added = whole[len(bare) :] if whole[: len(bare)] == bare else whole
    if family.rerank_instruction:
        if added:
            _refuse(endpoints, f"appends {len(added)} tokens to a prompt, and a reranker's must end as it is")
        return ""
    if not added:
        return END
    if added != tokens_of(endpoints, END, special=False):
        _refuse(endpoints, f"adds the tokens {added} to a prompt, not one {END}")
    return ""


def _require_same(answer: HttpResponse, first: Properties) -> None:
    other = parse_properties(answer)
    if (other.name, other.sees, other.quantisation) != (first.name, first.sees, first.quantisation):
        raise BackendError(
            f"{answer.place}: serves {shown(other.name)}, not {shown(first.name)} as the first endpoint does",
            remedy="let all endpoints of one role serve the same files under one --alias",
        )
    if first.sees and other.marker != first.marker:
        raise BackendError(
            f"{answer.place}: has another marker for pictures than the first endpoint",
            remedy="start all of them with one LLAMA_MEDIA_MARKER, a long random word of your own",
        )


def _refuse(endpoints: Endpoints, what: str) -> NoReturn:
    raise BackendError(f"{', '.join(endpoints.urls)} {what}", remedy=EOS_REMEDY)


def _type(form: str) -> str:
    """The type in llama.cpp's words: `Q4_K - Medium` → Q4_K_M, `all F32` → F32, `Q8_0` → Q8_0."""
    words = form.removeprefix("all ").replace(" (guessed)", "").strip()
    base, _, size = words.partition(" - ")
    return f"{base}_{size[:1].upper()}" if size and not size.startswith("random") else base


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _number(content: Mapping[str, Any], key: str) -> int:
    value = content.get(key)
    return value if isinstance(value, int) and value > 0 else 0
