"""Pixels → what a model server is sent: re-encoded JPEG in `data:` URLs, within the models' limits of pixels and frames.

Knows pixels and the API's parts; knows no file, no prompt and no server. A file's own bytes are never passed on.

A model in this process sees the same picture as one behind a server: `picture` is what a server decodes from `image_url`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Any

from rag.backends.families import MAX_PIXELS
from rag.backends.prompts import is_video
from rag.types import Content

if TYPE_CHECKING:
    from PIL.Image import Image

    from rag.types import Pixels

MAX_VIDEO_PIXELS = 7_864_320  # of all frames together, as in the models' reference code
# The reference code takes up to 64 frames, and so does a server started by `rag serve`. But at its default `num_frames`, vLLM
# (0.23 and 0.32) keeps the first 32 JPEGs of a `video/jpeg` URL and silently drops the rest, and no response tells the two kinds
# of server apart. With 32 frames spread over the whole video, every server gives the same vector.
MAX_FRAMES = 32
MAX_ASPECT = 180  # longer to shorter side; the models' processors refuse more than 200, and sides get rounded before that
QUALITY = 95  # JPEG, without chroma subsampling: small coloured letters stay readable


def image_url(pixels: Pixels, limit: int = MAX_PIXELS) -> str:
    """RGB pixels (height, width, 3) as `data:image/jpeg;base64,…` of at most `limit` pixels."""
    return f"data:image/jpeg;base64,{_base64(_jpeg(_within(pixels, min(limit, MAX_PIXELS))))}"


def video_url(frames: Sequence[Pixels]) -> str:
    """RGB frames in order as `data:video/jpeg;base64,<jpeg>,<jpeg>,…`: vLLM's form for frames chosen by the client."""
    return f"data:video/jpeg;base64,{','.join(_base64(_jpeg(frame)) for frame in _film(frames))}"


def picture(pixels: Pixels, limit: int = MAX_PIXELS) -> Image:
    """The picture, RGB, that a server decodes from `image_url(pixels, limit)`, for a model in this process."""
    return _decoded(_jpeg(_within(pixels, min(limit, MAX_PIXELS))))


def film(frames: Sequence[Pixels]) -> list[Image]:
    """The frames, RGB, that a server decodes from `video_url(frames)`: all of one size, at most MAX_FRAMES."""
    return [_decoded(_jpeg(frame)) for frame in _film(frames)]


def media_parts(content: Content, limit: int = MAX_PIXELS) -> list[dict[str, Any]]:
    """The pixels of a content as parts of the OpenAI API: one `video_url`, or one `image_url` for each picture.

    `limit`: the most pixels of one picture.
    """
    if is_video(content):
        return [{"type": "video_url", "video_url": {"url": video_url(content.pixels)}}]
    return [{"type": "image_url", "image_url": {"url": image_url(pixels, limit)}} for pixels in content.pixels]


def _film(frames: Sequence[Pixels]) -> list[Image]:
    """At most MAX_FRAMES frames, evenly spread over the video, all of the first one's size, together within MAX_VIDEO_PIXELS."""
    count = min(len(frames), MAX_FRAMES)
    last = len(frames) - 1
    chosen = [frames[round(place * last / max(count - 1, 1))] for place in range(count)]
    fitted = [_within(frame, min(MAX_PIXELS, MAX_VIDEO_PIXELS // count)) for frame in chosen]
    return [frame if frame.size == fitted[0].size else frame.resize(fitted[0].size) for frame in fitted]


def _within(pixels: Pixels, limit: int) -> Image:
    """The picture scaled down to at most `limit` pixels, and padded if it is too thin for a model to accept."""
    from PIL import Image

    shown = Image.fromarray(pixels)
    if max(shown.size) > MAX_ASPECT * min(shown.size):
        return _padded(shown, limit)
    width, height = shown.size
    if width * height <= limit:
        return shown
    scale = (limit / (width * height)) ** 0.5
    return shown.resize((max(1, int(width * scale)), max(1, int(height * scale))), Image.Resampling.BICUBIC)


def _padded(thin: Image, limit: int) -> Image:
    """A very thin picture, centred on a white strip of MAX_ASPECT to 1 and at most `limit` pixels."""
    from PIL import Image

    longest = min(max(thin.size), int((limit * MAX_ASPECT) ** 0.5) // MAX_ASPECT * MAX_ASPECT)
    scale = longest / max(thin.size)
    shown = thin.resize((max(1, int(thin.width * scale)), max(1, int(thin.height * scale))), Image.Resampling.BICUBIC)
    shortest = ceil(longest / MAX_ASPECT)
    strip = Image.new("RGB", (max(shown.width, shortest), max(shown.height, shortest)), "white")
    strip.paste(shown, ((strip.width - shown.width) // 2, (strip.height - shown.height) // 2))
    return strip


def _jpeg(shown: Image) -> bytes:
    kept = BytesIO()
    shown.save(kept, "JPEG", quality=QUALITY, subsampling=0)
    return kept.getvalue()


def _decoded(jpeg: bytes) -> Image:
    from PIL import Image

    shown = Image.open(BytesIO(jpeg))
    shown.load()
    return shown


def _base64(jpeg: bytes) -> str:
    return b64encode(jpeg).decode("ascii")
