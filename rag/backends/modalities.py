"""What models of a family take in: text alone, or pictures and videos too.

Knows families and content; knows no model's weights and no server.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.backends.families import Family
from rag.errors import BackendError
from rag.types import Content, Modality


def modalities_of(family: Family) -> frozenset[Modality]:
    """The modalities that models of the family take in."""
    if not family.sees:
        return frozenset({"text"})
    return frozenset({"text", "image", "video"}) if family.videos else frozenset({"text", "image"})


def refuse_unseen(family: Family, contents: Sequence[Content], model: str) -> None:
    """BackendError for a picture or video that the model cannot see, or that has no pixels. `model`: its name, to be shown."""
    accepted = modalities_of(family)
    for content in contents:
        if content.modality not in accepted and family.sees:
            raise BackendError(
                f"{model} embeds text and pictures, but was given {_WITH_ARTICLE[content.modality]}",
                remedy="send its frames as pictures, or choose a model that takes videos, such as Qwen/Qwen3-VL-Embedding-2B",
            )
        if content.modality != "video" and len(content.pixels) > family.pictures:
            raise BackendError(
                f"{model} takes at most {family.pictures} picture(s) at once, but was given {len(content.pixels)}",
                remedy="send the pictures one by one",
            )
        if content.modality not in accepted or (content.pixels and not family.sees):
            raise BackendError(
                f"{model} embeds text only, but was given {_WITH_ARTICLE[content.modality]}",
                remedy="choose a model that sees, such as Qwen/Qwen3-VL-Embedding-2B",
            )
        if content.modality != "text" and not content.pixels:
            raise BackendError(
                f"{_WITH_ARTICLE[content.modality]} reached the embedder without pixels", remedy="index its file again"
            )


def refuse_llamacpp(family: Family, place: str) -> None:
    """BackendError for a family whose prompts are known here, but not how llama.cpp reads them. `place`: its shown address."""
    if family.templated and not family.llamacpp:
        raise BackendError(
            f"{place} is llama.cpp, with which {family.name} models are not proved", remedy="serve the model with vLLM: rag serve"
        )


_WITH_ARTICLE = {"text": "a text with pixels", "image": "an image", "video": "a video"}
