"""The exact strings the models were trained on, one function for each shape: one wrong character ranks badly and looks fine.

Knows families of models and content; loads no model, decodes nothing, and talks to no server.

No string here carries the final `<|endoftext|>` that the Qwen3 embedding models pool: their tokenizers append it when special
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
EMPTY = "NULL"  # what the VL models were trained to read where there is nothing

_ORDER = ("video_url", "image_url", "text")  # of the parts of one input
_JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
_TEMPLATES = {"qwen3-vl-reranker": "qwen3_vl_reranker.jinja", "qwen3-reranker": "qwen3_reranker.jinja"}


def embedding_prompt(family: Family, content: Content, role: Role, instruction: str) -> str:
    """The whole string of one input, without the `<|endoftext|>` that the tokenizer appends.

    Pixels become placeholders, one for a video or one for each picture; the pixels travel beside the string. The instruction is
    that of `instruction_for`; an empty one is the family's own. WrongRequest for pixels where the family sees none.
    """
    if content.pixels and not family.sees:
        raise WrongRequest(
            f"{family.name} models see no pictures", remedy="choose a VL model, such as Qwen/Qwen3-VL-Embedding-2B"
        )
    text = neutral(content.text)
    if not family.templated:
        return f"{instruction}{text}"
    default = family.query_instruction if role == "query" else family.document_instruction
    told = neutral(ended(family, instruction or default))
    if family.sees:
        return (
            f"<|im_start|>system\n{told}<|im_end|>\n"
            f"<|im_start|>user\n{placeholders(content) + text or EMPTY}<|im_end|>\n"
            "<|im_start|>assistant\n"
        )
    return f"Instruct: {told}\nQuery:{text}" if told else text


def embedding_messages(family: Family, parts: Sequence[Mapping[str, Any]], instruction: str) -> list[dict[str, Any]]:
    """The same input as a conversation for `/v1/embeddings`: a system and a user turn, the parts ordered videos, images, text.

    `parts` are those of the OpenAI API (`text`, `image_url`, `video_url`); texts are neutralised, empty ones left out, and where
    nothing is left the text is `NULL`. The server renders them with the checkpoint's own template, which is right for embedders:
    it needs `add_generation_prompt` and `add_special_tokens`. WrongRequest for a family without conversations.
    """
    if not (family.templated and family.sees):
        raise WrongRequest(f"{family.name} models take strings, not conversations", remedy="send the string of embedding_prompt")
    cleaned = [_harmless(part) for part in parts if part["type"] != "text" or part["text"]]
    ordered = sorted(cleaned or [_text(EMPTY)], key=lambda part: _ORDER.index(part["type"]))
    told = neutral(ended(family, instruction or family.document_instruction))
    return [{"role": "system", "content": [_text(told)]}, {"role": "user", "content": ordered}]


def rerank_prompt(family: Family, query: Content, document: Content, instruction: str) -> str:
    """The whole string a reranker reads of one pair, as `template_file` renders it; an empty instruction is the family's own.

    The last token must be the final newline of the VL models, the final empty line of the text models. WrongRequest for a family
    that is fed no such string.
    """
    told = neutral(instruction or family.rerank_instruction)
    asked, judged = _side(family, query), _side(family, document)
    if family.name == "qwen3-vl-reranker":
        pair = f"<Instruct>: {told}<Query>:{asked}\n<Document>:{judged}"
        return f"<|im_start|>system\n{_JUDGE}<|im_end|>\n<|im_start|>user\n{pair}<|im_end|>\n<|im_start|>assistant\n"
    if family.name == "qwen3-reranker":
        pair = f"<Instruct>: {told}\n<Query>: {asked}\n<Document>: {judged}"
        tail = "<|im_start|>assistant\n<think>\n\n</think>\n\n"
        return f"<|im_start|>system\n{_JUDGE}<|im_end|>\n<|im_start|>user\n{pair}<|im_end|>\n{tail}"
    raise WrongRequest(f"{family.name} models take no rendered pair", remedy="send query and documents as they are")


def rerank_words(family: Family, content: Content) -> str:
    """The words a reranker gets of one side of the pair, neutralised: its text, and the clues of a picture it does not see.

    Where it sees the pixels, its clues stay unsaid. "" where there is nothing to say.
    """
    unseen = content.modality != "text" and not (family.sees and content.pixels)
    words = (content.text, content.clues) if unseen else (content.text,)
    return neutral("\n".join(part for part in words if part))


def placeholders(content: Content) -> str:
    """Where the pixels go in a string: one placeholder for a video, else one for each picture."""
    return VIDEO if is_video(content) else IMAGE * len(content.pixels)


def is_video(content: Content) -> bool:
    """Whether the content is given to a model as a video: several frames. A video of one frame is a picture."""
    return content.modality == "video" and len(content.pixels) > 1


def template_file(family: Family) -> Path:
    """The chat template a vLLM reranker server is started with. It renders `rerank_prompt` from plain `query` and `documents`.

    WrongRequest for a family without one.
    """
    if family.name not in _TEMPLATES:
        raise WrongRequest(f"{family.name} models need no chat template", remedy="start the server without --chat-template")
    return Path(__file__).parent / "templates" / _TEMPLATES[family.name]


def _side(family: Family, content: Content) -> str:
    """One side of a pair: placeholders and words; the VL models read `NULL` where there is neither."""
    if not family.sees:
        return rerank_words(family, content)
    return placeholders(content) + rerank_words(family, content) or EMPTY


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _harmless(part: Mapping[str, Any]) -> dict[str, Any]:
    return _text(neutral(part["text"])) if part["type"] == "text" else dict(part)
