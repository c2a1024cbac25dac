"""Prompts and pictures as llama.cpp's server reads them: NFC, a marker for each picture, the reference's size.

Knows prompts and pixels; asks no server. llama.cpp resizes pictures in another way and does not compose letters, and both move a
vector: pictures resized by it 0.87 to 0.99 to the right one, decomposed text 0.93.
"""

from __future__ import annotations

import math
import unicodedata
from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from rag.backends import media
from rag.backends.families import MAX_PIXELS
from rag.backends.prompts import IMAGE, is_video
from rag.backends.server.exchange import HttpRefusal
from rag.types import Content

if TYPE_CHECKING:
    from PIL.Image import Image

FACTOR = 32  # both sides are multiples of it: patches of 16, merged 2 × 2
MIN_PIXELS = 4_096  # of one picture, in the checkpoint's own preprocessor_config.json
LITERAL = "<__media__>"  # the marker of earlier servers, which later ones refuse
NO_VIDEO = (
    "llama.cpp samples videos in a way of its own (4 frames a second, with its own times), so a vector would not be the model's; "
    "frames are read as pictures"
)
NO_VIDEO_REMEDY = "give a picture from it, or serve the model with vLLM"


def input_of(prompt: str, contents: Sequence[Content], marker: str) -> str | dict[str, Any]:
    """One item of `input`: the rendered prompt, and the pictures of the contents, in order, where its placeholders stand.

    `marker`: what the server takes for a picture; a text that holds it is changed visibly.
    """
    text = _without_marker(unicodedata.normalize("NFC", prompt), marker)
    pictures = [pixels for content in contents for pixels in content.pixels]
    if not pictures:
        return text
    data = [png(resized(media.picture(pixels))) for pixels in pictures]
    return {"prompt_string": text.replace(IMAGE, marker), "multimodal_data": data}


def refusals(contents: Sequence[Content], place: str) -> dict[int, HttpRefusal]:
    """The contents that llama.cpp would not read as the model was trained, by their number. `place`: the server's address."""
    refused = HttpRefusal(place, 400, NO_VIDEO, what=f"{place}: {NO_VIDEO}", remedy=NO_VIDEO_REMEDY)
    return {number: refused for number, content in enumerate(contents) if is_video(content)}


def resized(picture: Image) -> Image:
    """The picture in the size that the reference code gives it, with its filter."""
    from PIL import Image

    size = size_of(*picture.size)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


def size_of(width: int, height: int) -> tuple[int, int]:
    """Width and height by `smart_resize` of transformers' Qwen2-VL: multiples of 32, within 4,096 … 1,310,720 pixels."""
    wide, high = round(width / FACTOR) * FACTOR, round(height / FACTOR) * FACTOR
    if wide * high > MAX_PIXELS:
        shrunk = math.sqrt(width * height / MAX_PIXELS)
        wide, high = (max(FACTOR, math.floor(side / shrunk / FACTOR) * FACTOR) for side in (width, height))
    elif wide * high < MIN_PIXELS:
        grown = math.sqrt(MIN_PIXELS / (width * height))
        wide, high = (math.ceil(side * grown / FACTOR) * FACTOR for side in (width, height))
    return wide, high


def png(picture: Image) -> str:
    """The picture as PNG in base64, without a `data:` prefix."""
    kept = BytesIO()
    picture.save(kept, "PNG", compress_level=1)
    return b64encode(kept.getvalue()).decode("ascii")


def _without_marker(prompt: str, marker: str) -> str:
    for mark in filter(None, (marker, LITERAL)):
        prompt = prompt.replace(mark, f"‹{mark[1:-1]}›")
    return prompt
