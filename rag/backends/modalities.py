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
    return frozenset({"text", "image", "video"}) if family.sees else frozenset({"text"})


def refuse_unseen(family: Family, contents: Sequence[Content], model: str) -> None:
    """BackendError for a picture or video that the model cannot see, or that has no pixels. `model`: its name, to be shown."""
    accepted = modalities_of(family)
    for content in contents:
        if content.modality not in accepted or (content.pixels and not family.sees):
            raise BackendError(
                f"{model} embeds text only, but was given {_WITH_ARTICLE[content.modality]}",
                remedy="choose a model that sees, such as Qwen/Qwen3-VL-Embedding-2B",
            )
        if content.modality != "text" and not content.pixels:
            raise BackendError(
                f"{_WITH_ARTICLE[content.modality]} reached the embedder without pixels", remedy="index its file again"
            )


_WITH_ARTICLE = {"text": "a text with pixels", "image": "an image", "video": "a video"}
