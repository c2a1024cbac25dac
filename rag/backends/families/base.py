"""What a family of models is: how its inputs are written, limited, pooled and served, and how far that is proved.

Knows no model by name and renders nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from rag.types import Role

Task = Literal["embedder", "reranker"]
# tokens: the client takes the mean of their vectors; own: as the model's class or its sentence-transformers folder says
Pooling = Literal["last", "mean", "tokens", "own"]
Prompt = Callable[[str, str, str, Role], str]  # (instruction, placeholders of pixels, text, role) → the whole prompt
Pair = Callable[[str, str, str], str]  # (instruction, query, document) → the whole prompt
Parts = Sequence[Mapping[str, Any]]  # of OpenAI's API: videos, then images, then text
Conversation = Callable[[str, Parts, Role], Mapping[str, Any]]  # (instruction, parts, role) → fields of a request's body
Config = Mapping[str, Any]  # a model's config.json

IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"
VIDEO = "<|vision_start|><|video_pad|><|vision_end|>"
NOTHING: Mapping[str, Any] = MappingProxyType({})
MAX_PIXELS = 1_310_720  # of one picture, the cap in the preprocessor_config.json of Qwen3-VL-Embedding


@dataclass(frozen=True, slots=True)
class Family:
    """Models that take the same prompts. Instructions are the defaults of the reference code; "" if the family takes none.

    `prompt`, `pair` and `conversation` get texts that are already harmless (`rag.backends.neutral`).
    """

    name: str  # ends in -embedding or -reranker
    sees: bool  # takes pictures
    max_tokens: int  # of one prompt, as in the reference code; for the plain families the server's own limit applies
    query_instruction: str
    document_instruction: str
    rerank_instruction: str
    templated: bool  # False: the text is sent as it is, and the server renders whatever prompt the model needs
    classifier: str = ""  # vLLM's class for a checkpoint of this family that is read as a classifier; "": none
    # What reads a prompt
    prompt: Prompt | None = None  # of an embedder; None: the instruction and the text, nothing else
    pair: Pair | None = None  # of a reranker; None: the tokenizer joins query and document
    conversation: Conversation | None = None  # how an input with pixels is asked for; None: it cannot be
    late: bool = False  # a reranker that compares vectors of tokens, which `prompt` and `conversation` ask for
    empty: str = ""  # what stands for an input without anything
    full_stop: bool = False  # whether an instruction must end in punctuation
    special_tokens: bool = True  # whether the tokenizer adds its own to `prompt`
    mixed: bool = True  # whether one input may hold pictures and words
    appended: tuple[int, ...] = ()  # tokens that vLLM's own class adds after `pair`
    answers: tuple[str, str] = ("no", "yes")  # the tokens a judging reranker chooses between
    template: str = ""  # the file in rag/backends/templates with which vLLM's server renders; "": its own or none
    takes_instruction: bool = True  # whether requests for scores name an instruction
    pooling: Pooling = "last"
    around: tuple[str, str] = ("", "")  # what stands before and after a picture, where its own tokens are pooled
    # What it sees
    videos: bool = True  # whether one that sees takes videos too
    pictures: int = 8  # the most in one input
    together: int = 1  # pictures of one query that it was trained to read as one input
    image: str = IMAGE  # the placeholder of one picture
    pixels: tuple[int, int] = (0, MAX_PIXELS)  # least and most of one picture; a least of 0: not scaled up
    patch: int = 32  # pixels of a side for each of which one token is read
    resizes: bool = False  # whether the limits of `pixels` must be told to the engine, for the checkpoint says others
    # How it is recognised
    names: str = ""  # a regular expression for a model's name, in lower case with - for _
    has_config: Callable[[Config], bool] | None = None
    dims: Mapping[str, int] = field(default_factory=lambda: NOTHING)  # length of the vectors, by the size in the name
    width: str = "hidden_size"  # the length of the vectors in config.json, at the top or under text_config
    # How it is run, and how far that is proved
    not_in: tuple[str, ...] = ()  # the backends of this process that do not run it
    overrides: Mapping[str, Any] = field(default_factory=lambda: NOTHING)  # vLLM's hf_overrides
    tokenizing: Mapping[str, Any] = field(default_factory=lambda: NOTHING)  # of texts, by keyword of transformers' tokenizers
    llamacpp: bool = False  # whether its GGUF is proved
    reads: str = "text"  # what it sees, in words
    source: str = ""  # where its rules are published
    proof: str = ""  # what was run against the reference here; "": nothing

    @property
    def task(self) -> Task:
        """Its role, by its name."""
        return "reranker" if self.name.endswith("-reranker") else "embedder"


def in_roles(instruction: str, parts: Parts, ending: str, **fields: bool) -> dict[str, Any]:
    """A conversation of a system turn, a user turn and, with an `ending`, the beginning of the assistant's, for a request."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": [{"type": "text", "text": instruction}]},
        {"role": "user", "content": list(parts)},
    ]
    if ending:
        messages.append({"role": "assistant", "content": [{"type": "text", "text": ending}]})
    return {"messages": messages, **fields}


def has_type(*types: str) -> Callable[[Config], bool]:
    """Whether a config.json is of one of these model types."""
    return lambda config: str(config.get("model_type", "")) in types


def has_class(*classes: str) -> Callable[[Config], bool]:
    """Whether a config.json names one of these classes."""
    return lambda config: bool(set(classes) & set(config.get("architectures") or ()))
