"""The prompts we send, character by character, and the servers' templates, which must render the same ones.

The golden files were written from the models' own documentation, not by the code under test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jinja2 import meta
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rag.backends import prompts
from rag.backends.base import DEFAULT_CHOICE, Choice
from rag.backends.families import FAMILIES
from rag.errors import WrongRequest
from rag.types import Content

GOLDEN = Path(__file__).parents[2] / "models" / "golden" / "prompts"
PICTURE = np.zeros((32, 32, 3), np.uint8)
CLUES = "kite.jpg\nharbour, 14 March 2026"
DOCUMENT, QUERY = "A red kite over the harbour.", "kite above ships"
CHINESE = {"document": "港口上空的红色风筝。", "query": "码头上的风筝"}
OWN = "Find the page of the manual"
OWN_CHOICE = Choice(query_instruction=OWN, document_instruction=OWN, rerank_instruction=OWN)


def contents(text: str, chinese: str) -> dict[str, Content]:
    """Contents of every form; the clues of pictures must never reach a model that sees them."""
    return {
        "text": Content("text", text),
        "own_instruction": Content("text", text),
        "image": Content("image", pixels=(PICTURE,), clues=CLUES),
        "image_and_text": Content("image", text, pixels=(PICTURE,), clues=CLUES),
        "video": Content("video", pixels=(PICTURE,) * 3, clues=CLUES),
        "video_and_text": Content("video", text, pixels=(PICTURE,) * 3, clues=CLUES),
        "picture_without_pixels": Content("image", clues=CLUES),
        "empty": Content("text"),
        "chinese": Content("text", chinese),
    }


DOCUMENTS, QUERIES = contents(DOCUMENT, CHINESE["document"]), contents(QUERY, CHINESE["query"])
PAIRS = {
    **{case: (QUERIES["text"], document) for case, document in DOCUMENTS.items()},
    "chinese": (QUERIES["chinese"], DOCUMENTS["chinese"]),
    "empty": (QUERIES["empty"], DOCUMENTS["empty"]),
    "image_query": (QUERIES["image"], DOCUMENTS["text"]),
    "image_and_text_query": (QUERIES["image_and_text"], DOCUMENTS["image_and_text"]),
}


JUDGES = [name for name, family in FAMILIES.items() if family.classifier]


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_bytes().decode()


def rendered(name: str) -> str:
    """The prompt for the case in the name of a golden file: family, role and case."""
    family_name, role, case = name.split(".")
    family = FAMILIES[family_name]
    own = OWN_CHOICE if case == "own_instruction" else DEFAULT_CHOICE
    if role == "pair":
        return prompts.rerank_prompt(family, *PAIRS[case], prompts.instruction_for(family, own, "rerank"))
    content = (DOCUMENTS if role == "document" else QUERIES)[case]
    if case == "own_instruction" and not family.templated:
        own = Choice(query_instruction="query: ", document_instruction="passage: ")
    asked = "document" if role == "document" else "query"
    return prompts.embedding_prompt(family, content, asked, prompts.instruction_for(family, own, asked))


NAMES = sorted(file.stem for file in GOLDEN.glob("*.txt"))


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_equals_its_golden_file(name: str) -> None:
    assert rendered(name) == golden(name)


def test_every_family_and_role_has_golden_files() -> None:
    assert len(NAMES) == 46 + 69 + 24
    assert {tuple(name.split(".")[:2]) for name in NAMES} == {
        *((family, role) for family in FAMILIES if family.endswith("embedding") for role in ("query", "document")),
        *((name, "pair") for name, family in FAMILIES.items() if family.pair),
    }


# ---- forms that go wrong silently ----- --------------------------------------------------------


def test_the_ends_of_the_prompts() -> None:
    vl = prompts.rerank_prompt(FAMILIES["qwen3-vl-reranker"], QUERIES["text"], DOCUMENTS["text"], "")
    text = prompts.rerank_prompt(FAMILIES["qwen3-reranker"], QUERIES["text"], DOCUMENTS["text"], "")
    assert vl.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert "<think>" not in vl
    assert text.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not prompts.embedding_prompt(FAMILIES["qwen3-vl-embedding"], DOCUMENTS["text"], "document", "").endswith(
        "<|endoftext|>"
    )


@pytest.mark.parametrize(
    ("instruction", "told"),
    [
        ("Find it", "Find it."),
        ("Find it.", "Find it."),
        ("Find it!", "Find it!"),
        ("  Find it\n", "Find it."),
        ("找到它。", "找到它。"),
    ],
)
def test_a_full_stop_ends_the_instruction_of_a_vl_embedder(instruction: str, told: str) -> None:
    family = FAMILIES["qwen3-vl-embedding"]
    choice = Choice(query_instruction=instruction)
    assert prompts.instruction_for(family, choice, "query") == told
    assert prompts.embedding_prompt(family, QUERIES["text"], "query", instruction.strip()).startswith(
        f"<|im_start|>system\n{told}<|im_end|>\n"
    )


@pytest.mark.parametrize("family", ["qwen3-embedding", "qwen3-reranker", "qwen3-vl-reranker"])
def test_no_full_stop_is_added_elsewhere(family: str) -> None:
    assert {prompts.instruction_for(FAMILIES[family], OWN_CHOICE, use) for use in ("query", "rerank")} == {OWN}


def test_an_empty_instruction_is_the_familys_own() -> None:
    for family, role in (("qwen3-vl-embedding", "query"), ("qwen3-vl-embedding", "document"), ("qwen3-embedding", "query")):
        assert prompts.embedding_prompt(FAMILIES[family], QUERIES["text"], role, "") == (
            prompts.embedding_prompt(
                FAMILIES[family], QUERIES["text"], role, prompts.instruction_for(FAMILIES[family], DEFAULT_CHOICE, role)
            )
        )


def test_a_video_of_one_frame_is_a_picture() -> None:
    assert prompts.placeholders(Content("video", pixels=(PICTURE,))) == prompts.IMAGE
    assert prompts.placeholders(Content("video", pixels=(PICTURE,) * 2)) == prompts.VIDEO
    assert prompts.placeholders(Content("image", pixels=(PICTURE,) * 2)) == prompts.IMAGE * 2


def test_a_text_model_refuses_a_picture() -> None:
    for family in ("qwen3-embedding", "plain-embedding"):
        with pytest.raises(WrongRequest, match="cannot see pictures"):
            prompts.embedding_prompt(FAMILIES[family], QUERIES["image_and_text"], "query", "")


# ---- conversations for /v1/embeddings ---------------------------------------------------------

IMAGE_PART = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QQ=="}}
VIDEO_PART = {"type": "video_url", "video_url": {"url": "data:video/jpeg;base64,QQ==,QQ=="}}


def say(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def test_a_conversation_is_ordered_videos_images_text() -> None:
    messages = prompts.embedding_messages(FAMILIES["qwen3-vl-embedding"], [say("kite"), IMAGE_PART, VIDEO_PART], "Find it")
    assert messages == [
        {"role": "system", "content": [say("Find it.")]},
        {"role": "user", "content": [VIDEO_PART, IMAGE_PART, say("kite")]},
    ]


@pytest.mark.parametrize(
    ("parts", "sent"), [([], [say("NULL")]), ([say("")], [say("NULL")]), ([say(""), IMAGE_PART], [IMAGE_PART])]
)
def test_a_conversation_says_null_only_where_there_is_nothing(parts: list[Any], sent: list[Any]) -> None:
    assert prompts.embedding_messages(FAMILIES["qwen3-vl-embedding"], parts, "")[1]["content"] == sent


def test_texts_of_a_conversation_are_neutralised() -> None:
    sent = prompts.embedding_messages(FAMILIES["qwen3-vl-embedding"], [say("a<|im_end|>b")], "x<|im_start|>")
    assert sent[1]["content"] == [say("a<¦im_end¦>b")]
    assert sent[0]["content"] == [say("x<¦im_start¦>.")]


@pytest.mark.parametrize("family", ["qwen3-embedding", "plain-embedding", "qwen3-reranker", "plain-reranker"])
def test_only_the_vl_embedders_take_conversations(family: str) -> None:
    with pytest.raises(WrongRequest, match="take prompts, not conversations"):
        prompts.embedding_messages(FAMILIES[family], [say("kite")], "")


def test_gme_begins_the_assistants_turn_with_the_token_that_is_pooled() -> None:
    told = {"role": "system", "content": [say("You are a helpful assistant.")]}
    end = {"role": "assistant", "content": [say("<|endoftext|>")]}
    assert prompts.embedding_request(FAMILIES["gme-embedding"], [say("kite"), IMAGE_PART], "") == {
        "messages": [told, {"role": "user", "content": [IMAGE_PART, say("kite")]}, end],
        "add_generation_prompt": False,
        "continue_final_message": True,
        "add_special_tokens": False,
    }


@pytest.mark.parametrize(
    ("parts", "told", "content"),
    [
        ([say("kite"), IMAGE_PART], "Find: ", [IMAGE_PART, say("Find: kite")]),
        ([IMAGE_PART], "", [IMAGE_PART]),
        ([IMAGE_PART], "Find", [IMAGE_PART, say("Find")]),
    ],
)
def test_wemm_has_one_turn_and_its_instruction_before_the_text(parts: list[Any], told: str, content: list[Any]) -> None:
    assert prompts.embedding_request(FAMILIES["wemm-embedding"], parts, told, "query") == {
        "messages": [{"role": "user", "content": content}],
        "add_special_tokens": False,
    }


def test_no_text_holds_the_token_whose_state_is_the_vector() -> None:
    family = FAMILIES["wemm-embedding"]
    rendered = prompts.embedding_prompt(family, Content("text", "a <embedding> b<|im_end|>"), "document", "")
    assert rendered == "<|im_start|>user\na ‹embedding› b<¦im_end¦><|im_end|><embedding>"
    sent = prompts.embedding_request(family, [say("a <embedding> b")], "")
    assert sent["messages"][0]["content"] == [say("a ‹embedding› b")]


def test_no_text_of_strangers_stands_for_a_picture() -> None:
    family = FAMILIES["nemotron-vl-embedding"]
    assert prompts.embedding_prompt(family, Content("text", "an <image> tag"), "query", "") == "query: an ‹image› tag"
    sent = prompts.embedding_request(family, [say("an <image> tag"), IMAGE_PART], "")
    assert sent["messages"][1]["content"] == [IMAGE_PART, say("an ‹image› tag")]


def test_a_tower_gets_the_picture_alone() -> None:
    sent = prompts.embedding_request(FAMILIES["siglip-embedding"], [say("kite"), IMAGE_PART], "")
    assert sent == {"messages": [{"role": "user", "content": [IMAGE_PART]}]}


@pytest.mark.parametrize("case", ["text", "chinese", "empty", "image", "image_and_text"])
@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("name", ["wemm-embedding", "nemotron-vl-embedding", "jina-v4-embedding"])
def test_the_template_of_an_embedder_renders_its_prompt(name: str, case: str, as_text: bool) -> None:
    """As vLLM hands it a conversation: pictures as parts of the type `image`; turns of words as parts or as one string."""
    family, content = FAMILIES[name], DOCUMENTS[case]
    parts = [*[IMAGE_PART] * len(content.pixels), say(content.text)]
    messages = [dict(turn) for turn in prompts.embedding_request(family, parts, "")["messages"]]
    for turn in messages:
        turn["content"] = [{"type": "image"} if part is IMAGE_PART else part for part in turn["content"]]
        if as_text and all("text" in part for part in turn["content"]):
            turn["content"] = "".join(part["text"] for part in turn["content"])
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    template = environment.from_string(prompts.template_file(family).read_text("utf-8"))
    rendered = template.render(messages=messages, bos_token="<|begin_of_text|>").removeprefix("<|begin_of_text|>")
    if name == "jina-v4-embedding" and not content.pixels:
        return  # a text is sent as it is, never as a conversation
    assert rendered == golden(f"{name}.document.{case}")


# ---- the chat templates of the servers --------------------------------------------------------


def render(template: str, query: str, document: str, **variables: Any) -> str:
    """As vLLM 0.23 and 0.32 render a pair: roles `query` and `document`, plain strings, in the environment of transformers."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    messages = [{"role": "query", "content": query}, {"role": "document", "content": document}]
    return environment.from_string(template).render(messages=messages, tools=None, documents=None, **variables)


def sent(family: str, content: Content) -> str:
    """The string that vLLM makes of `{"content": [media parts, one text part]}`: placeholders first."""
    return prompts.placeholders(content) * FAMILIES[family].sees + prompts.rerank_words(FAMILIES[family], content)


@pytest.mark.parametrize("case", sorted(PAIRS))
@pytest.mark.parametrize("family", JUDGES)
@pytest.mark.parametrize("variables", [{}, {"instruction": None}, {"instruction": ""}, {"instruction": OWN}], ids=str)
def test_the_template_renders_the_prompt(family: str, case: str, variables: dict[str, str | None]) -> None:
    template = prompts.template_file(FAMILIES[family]).read_text("utf-8")
    query, document = PAIRS[case]
    assert render(template, sent(family, query), sent(family, document), **variables) == prompts.rerank_prompt(
        FAMILIES[family], query, document, variables.get("instruction") or ""
    )


@pytest.mark.parametrize("family", JUDGES)
@pytest.mark.parametrize("stripped", [False, True])
def test_no_editor_can_strip_the_end_of_a_template(family: str, stripped: bool) -> None:
    template = prompts.template_file(FAMILIES[family]).read_text("utf-8")
    assert render(template.rstrip("\n") if stripped else template, QUERY, DOCUMENT) == golden(f"{family}.pair.text")


@pytest.mark.parametrize("family", JUDGES)
def test_the_instruction_is_a_variable_of_the_template(family: str) -> None:
    """vLLM passes on only those of a request's variables that the template leaves undeclared."""
    parsed = ImmutableSandboxedEnvironment().parse(prompts.template_file(FAMILIES[family]).read_text("utf-8"))
    assert meta.find_undeclared_variables(parsed) == {"messages", "instruction"}


def test_a_template_never_evaluates_what_it_is_given() -> None:
    for family in JUDGES:
        template = prompts.template_file(FAMILIES[family]).read_text("utf-8")
        assert "ocument>:{{ 6 * 7 }}{% raw %}".removeprefix("ocument>") in render(template, "q", "{{ 6 * 7 }}{% raw %}").replace(
            ": ", ":"
        )


@pytest.mark.parametrize("family", ["qwen3-vl-embedding", "qwen3-embedding", "plain-reranker"])
def test_only_qwen_rerankers_have_a_template(family: str) -> None:
    with pytest.raises(WrongRequest, match="no chat template"):
        prompts.template_file(FAMILIES[family])


@pytest.mark.parametrize("family", ["plain-reranker", "qwen3-embedding"])
def test_only_qwen_rerankers_have_rendered_pairs(family: str) -> None:
    with pytest.raises(WrongRequest, match="no rendered pair"):
        prompts.rerank_prompt(FAMILIES[family], QUERIES["text"], DOCUMENTS["text"], "")
