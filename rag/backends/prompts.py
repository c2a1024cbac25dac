"""The exact prompts the models were trained on, one function per form. One wrong character looks fine and ranks badly.

Knows families of models and content; loads no model, decodes nothing, and talks to no server.

No prompt here has the final `<|endoftext|>` that the Qwen3 embedding models pool: their tokenizers append it when special
tokens are added, so tokenize with `add_special_tokens=True`. The rerankers' tokenizers append nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.backends.families import Family, ended, instruction_for
from rag.backends.neutral import neutral
from rag.errors import WrongRequest
from rag.types import Content, Role

__all__ = [
    "EMPTY",
    "IMAGE",
    "VIDEO",
    "embedding_messages",
    "embedding_prompt",
    "instruction_for",
    "is_video",
    "neutral",
    "placeholders",
    "rerank_prompt",
    "rerank_words",
    "template_file",
]

IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"
VIDEO = "<|vision_start|><|video_pad|><|vision_end|>"
EMPTY = "NULL"  # what the VL models were trained to read in place of an empty input

_ORDER = ("video_url", "image_url", "text")  # of the parts of one input
_JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
_TEMPLATES = {"qwen3-vl-reranker": "qwen3_vl_reranker.jinja", "qwen3-reranker": "qwen3_reranker.jinja"}


def embedding_prompt(family: Family, content: Content, role: Role, instruction: str) -> str:
    """The whole prompt of one input, without the `<|endoftext|>` that the tokenizer appends.

    Pixels become placeholders, one for a video or one for each picture; the pixels themselves travel beside the prompt. Take the
    instruction from `instruction_for`; an empty one means the family's own. WrongRequest for pixels if the family sees none.
    """
    if content.pixels and not family.sees:
        raise WrongRequest(
            f"{family.name} models cannot see pictures", remedy="choose a VL model, such as Qwen/Qwen3-VL-Embedding-2B"
        )
    text = neutral(content.text)
    if not family.templated:
        return f"{instruction}{text}"
    default = family.query_instruction if role == "query" else family.document_instruction
    instruct = neutral(ended(family, instruction or default))
    if family.sees:
        return (
            f"<|im_start|>system\n{instruct}<|im_end|>\n"
            f"<|im_start|>user\n{placeholders(content) + text or EMPTY}<|im_end|>\n"
            "<|im_start|>assistant\n"
        )
    return f"Instruct: {instruct}\nQuery:{text}" if instruct else text


def embedding_messages(family: Family, parts: Sequence[Mapping[str, Any]], instruction: str) -> list[dict[str, Any]]:
    """The same input as a conversation for `/v1/embeddings`: a system and a user turn, the parts ordered videos, images, text.

    `parts` are those of the OpenAI API (`text`, `image_url`, `video_url`). Texts are neutralised and empty ones left out; if
    nothing remains, the text is `NULL`. The server renders them with the checkpoint's own template, which is right for embedders
    if the request sets `add_generation_prompt` and `add_special_tokens`. WrongRequest for a family without conversations.
    """
    if not (family.templated and family.sees):
        raise WrongRequest(
            f"{family.name} models take prompts, not conversations", remedy="send the prompt from embedding_prompt"
        )
    cleaned = [_neutralised(part) for part in parts if part["type"] != "text" or part["text"]]
    ordered = sorted(cleaned or [_text(EMPTY)], key=lambda part: _ORDER.index(part["type"]))
    instruct = neutral(ended(family, instruction or family.document_instruction))
    return [{"role": "system", "content": [_text(instruct)]}, {"role": "user", "content": ordered}]


def rerank_prompt(family: Family, query: Content, document: Content, instruction: str) -> str:
    """The whole prompt of one pair, as `template_file` renders it; an empty instruction means the family's own.

    The last token must be the final newline for the VL models, the final empty line for the text models. WrongRequest for a
    plain family, whose server renders the pair itself.
    """
    instruct = neutral(instruction or family.rerank_instruction)
    query_side, document_side = _side(family, query), _side(family, document)
    if family.name == "qwen3-vl-reranker":
        pair = f"<Instruct>: {instruct}<Query>:{query_side}\n<Document>:{document_side}"
        return f"<|im_start|>system\n{_JUDGE}<|im_end|>\n<|im_start|>user\n{pair}<|im_end|>\n<|im_start|>assistant\n"
    if family.name == "qwen3-reranker":
        pair = f"<Instruct>: {instruct}\n<Query>: {query_side}\n<Document>: {document_side}"
        tail = "<|im_start|>assistant\n<think>\n\n</think>\n\n"
        return f"<|im_start|>system\n{_JUDGE}<|im_end|>\n<|im_start|>user\n{pair}<|im_end|>\n{tail}"
    raise WrongRequest(f"{family.name} models take no rendered pair", remedy="send the query and the documents as they are")


def rerank_words(family: Family, content: Content) -> str:
    """One side of a pair in words, neutralised: its text, and the clues of a picture that the model does not see.

    If the model sees the pixels, the clues are left out. "" if there are no words.
    """
    unseen = content.modality != "text" and not (family.sees and content.pixels)
    words = (content.text, content.clues) if unseen else (content.text,)
    return neutral("\n".join(part for part in words if part))


def placeholders(content: Content) -> str:
    """The marks in a prompt where pixels go: one placeholder for a video, else one for each picture."""
    return VIDEO if is_video(content) else IMAGE * len(content.pixels)


def is_video(content: Content) -> bool:
    """Whether a model gets the content as a video, that is, as several frames. A video of one frame is a picture."""
    return content.modality == "video" and len(content.pixels) > 1


def template_file(family: Family) -> Path:
    """The chat template for a vLLM reranker server. It renders `rerank_prompt` from plain `query` and `documents`.

    WrongRequest for a family without one.
    """
    if family.name not in _TEMPLATES:
        raise WrongRequest(f"{family.name} models need no chat template", remedy="start the server without --chat-template")
    return Path(__file__).parent / "templates" / _TEMPLATES[family.name]


def _side(family: Family, content: Content) -> str:
    """One side of a pair: placeholders and words; for the VL models `NULL` if there is neither."""
    if not family.sees:
        return rerank_words(family, content)
    return placeholders(content) + rerank_words(family, content) or EMPTY


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _neutralised(part: Mapping[str, Any]) -> dict[str, Any]:
    return _text(neutral(part["text"])) if part["type"] == "text" else dict(part)
