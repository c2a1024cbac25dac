"""The exact prompts the models were trained on, for a content or a pair. One wrong character looks fine and ranks badly.

Knows content, and asks the family's file for the form; loads no model, decodes nothing, and talks to no server.

The prompts of the Qwen3 embedding models lack the final `<|endoftext|>` that is pooled: their tokenizers append it when special
tokens are added. `Family.special_tokens` says whether a prompt is tokenized so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.backends.families import Family, ended, instruction_for
from rag.backends.families.base import IMAGE, VIDEO
from rag.backends.neutral import neutral
from rag.errors import WrongRequest
from rag.types import Content, Role

__all__ = [
    "EMPTY",
    "IMAGE",
    "VIDEO",
    "embedding_messages",
    "embedding_prompt",
    "embedding_request",
    "instruction_for",
    "is_video",
    "neutral",
    "placeholders",
    "rerank_prompt",
    "rerank_words",
    "template_file",
]

EMPTY = "NULL"  # what the Qwen3-VL models were trained to read in place of an empty input

_ORDER = ("video_url", "image_url", "text")  # of the parts of one input


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
    if family.prompt is None:
        return f"{instruction}{text}"
    default = family.query_instruction if role == "query" else family.document_instruction
    instruct = neutral(ended(family, instruction or default))
    if content.pixels and not family.mixed:
        text = ""
    return family.prompt(instruct, placeholders(content, family.image), text, role)


def embedding_messages(family: Family, parts: Sequence[Mapping[str, Any]], instruction: str) -> list[dict[str, Any]]:
    """The turns of the conversation in `embedding_request`, for a document."""
    messages: list[dict[str, Any]] = embedding_request(family, parts, instruction)["messages"]
    return messages


def embedding_request(
    family: Family, parts: Sequence[Mapping[str, Any]], instruction: str, role: Role = "document"
) -> Mapping[str, Any]:
    """The same input as a conversation for `/v1/embeddings`, and the fields that make the server render the same prompt.

    `parts` are those of the OpenAI API (`text`, `image_url`, `video_url`), and are put in the order videos, images, text. Texts
    are neutralised and empty ones left out; if nothing remains, the text is what the family reads for nothing. The server renders
    them with the checkpoint's own template, or with the family's (`template_file`). WrongRequest for a family without
    conversations.
    """
    if family.conversation is None:
        raise WrongRequest(
            f"{family.name} models take prompts, not conversations", remedy="send the prompt from embedding_prompt"
        )
    cleaned = [_neutralised(part) for part in parts if part["type"] != "text" or part["text"]]
    ordered = sorted(cleaned or [_text(family.empty)], key=lambda part: _ORDER.index(part["type"]))
    default = family.query_instruction if role == "query" else family.document_instruction
    return family.conversation(neutral(ended(family, instruction or default)), ordered, role)


def rerank_prompt(family: Family, query: Content, document: Content, instruction: str) -> str:
    """The whole prompt of one pair, as `template_file` renders it; an empty instruction means the family's own.

    The last token must be the final newline for the VL models, the final empty line for the text models. WrongRequest for a
    plain family, whose server renders the pair itself.
    """
    if family.pair is None:
        raise WrongRequest(f"{family.name} models take no rendered pair", remedy="send the query and the documents as they are")
    instruct = neutral(instruction or family.rerank_instruction)
    return family.pair(instruct, _side(family, query), _side(family, document))


def rerank_words(family: Family, content: Content) -> str:
    """One side of a pair in words, neutralised: its text, and the clues of a picture that the model does not see.

    If the model sees the pixels, the clues are left out, and the text too if it reads a picture or words, not both. "" if there
    are no words.
    """
    if family.sees and content.pixels and not family.mixed:
        return ""
    unseen = content.modality != "text" and not (family.sees and content.pixels)
    words = (content.text, content.clues) if unseen else (content.text,)
    return neutral("\n".join(part for part in words if part))


def placeholders(content: Content, image: str = IMAGE) -> str:
    """The marks in a prompt where pixels go: one placeholder for a video, else one (`image`) for each picture."""
    return VIDEO if is_video(content) else image * len(content.pixels)


def is_video(content: Content) -> bool:
    """Whether a model gets the content as a video, that is, as several frames. A video of one frame is a picture."""
    return content.modality == "video" and len(content.pixels) > 1


def template_file(family: Family) -> Path:
    """The chat template for a vLLM server, which renders `rerank_prompt` or `embedding_prompt` with it.

    WrongRequest for a family without one.
    """
    if not family.template:
        raise WrongRequest(f"{family.name} models need no chat template", remedy="start the server without --chat-template")
    return Path(__file__).parent / "templates" / family.template


def _side(family: Family, content: Content) -> str:
    """One side of a pair: placeholders and words; what the family reads for nothing if there is neither."""
    if not family.sees:
        return rerank_words(family, content)
    return placeholders(content, family.image) + rerank_words(family, content) or family.empty


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _neutralised(part: Mapping[str, Any]) -> dict[str, Any]:
    return _text(neutral(part["text"])) if part["type"] == "text" else dict(part)
