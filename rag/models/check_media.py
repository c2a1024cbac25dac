"""Checks that a server accepts pictures and videos, and makes as many tokens of them as their sizes and times give.

Knows pixels, placeholders, token counts and what a family sees; knows no model, no request and no address.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rag.backends.families import Family
from rag.backends.media import media_parts
from rag.backends.prompts import placeholders
from rag.errors import BackendError
from rag.models.probe import Finding, Report
from rag.types import Content

SIDE = 256  # pixels of the picture
FRAMES = 24  # of the video, one per second: fewer than a server keeps, and enough for times of one digit and of two
PAIR_TOKENS = 16  # for two frames of 128 × 128 pixels together
SEPARATOR = "<|vision_start|>"  # one token, so that the tokens of a time do not merge with their neighbours
PICTURE_REMEDY = "serve the VL model with `rag serve`, and use vLLM's own address, not a proxy's"
VIDEO_REMEDY = "start it with `rag serve`; only `rag embed --video` and `rag score --video` send videos, an index holds frames"

Parts = Sequence[Mapping[str, Any]]


def prove_media(
    report: Report,
    ask: Callable[[Parts], int],
    render: Callable[[Content], str],
    count: Callable[[str], int | None],
    family: Family,
) -> list[Finding]:
    """A picture and, if the family takes videos, a video, each sent alone.

    `ask` sends parts of the OpenAI API and returns the prompt tokens used (0: not reported; BackendError: refused). `render`
    returns our prompt for a content, with a placeholder for its pixels. `count` counts a prompt's tokens (None: no /tokenize).
    """
    found = [_picture(report, ask, render, count, family)]
    return [*found, _video(report, ask, render, count)] if family.videos else found


def _picture(
    report: Report,
    ask: Callable[[Parts], int],
    render: Callable[[Content], str],
    count: Callable[[str], int | None],
    family: Family,
) -> Finding:
    shown = picture()
    try:
        used = ask(media_parts(shown))
    except BackendError as error:
        return report("picture", "failed", f"the server refuses a picture: {error.what}", PICTURE_REMEDY)
    prompt = count(render(shown))
    if not used or prompt is None or not family.image:
        return report("picture", "ok", "accepted; its tokens cannot be counted", "")
    tokens = used - prompt + 1
    expected = picture_tokens(family)
    if tokens == expected:
        return report("picture", "ok", f"{tokens} tokens", "")
    if tokens <= 1:
        return report("picture", "failed", f"does not reach the model ({used} tokens, {prompt} without it)", PICTURE_REMEDY)
    detail = f"{tokens} tokens, not {expected}: another preprocessor, or another prompt around it"
    return report("picture", "warning", detail, "use the checkpoint's own preprocessor_config.json and chat template")


def _video(
    report: Report, ask: Callable[[Parts], int], render: Callable[[Content], str], count: Callable[[str], int | None]
) -> Finding:
    """Counts the tokens of a video. The model reads every two frames after their time: `<0.5 seconds>`, start, pixels, end.

    All of that replaces the placeholder or, from transformers 5.10 on, stands between the placeholder's own start and end.
    """
    shown = video()
    try:
        used = ask(media_parts(shown))
    except BackendError as error:
        return report("video", "warning", f"the server refuses a video: {error.what}", VIDEO_REMEDY)
    times = [f"<{second + 0.5:.1f} seconds>" for second in range(0, FRAMES, 2)]
    prompt = render(shown)
    plain, timed = count(prompt), count(prompt.replace(placeholders(shown), SEPARATOR.join(["", *times, ""])))
    if not used or plain is None or timed is None:
        return report("video", "ok", "accepted; its tokens cannot be counted", "")
    without = plain - 3  # its placeholder is three tokens
    tokens, expected = used - without, timed - (len(times) + 1) + len(times) * (PAIR_TOKENS + 2) - without
    if tokens in (expected, expected + 2):
        return report("video", "ok", f"{tokens} tokens for {FRAMES} frames, one per second", "")
    if tokens <= 3:
        return report("video", "failed", f"does not reach the model ({used} tokens, {without} without it)", VIDEO_REMEDY)
    detail = f"{tokens} tokens for {FRAMES} frames, not {expected}: frames are dropped, scaled or timed differently"
    return report("video", "warning", detail, f"{VIDEO_REMEDY}; the checkpoint needs its own video_preprocessor_config.json")


def picture_tokens(family: Family) -> int:
    """The tokens of `picture`: its sides rounded to whole patches, enlarged first if the family's pictures are larger."""
    side = round(SIDE / family.patch) * family.patch
    if side * side < family.pixels[0]:
        side = math.ceil(SIDE * math.sqrt(family.pixels[0] / SIDE**2) / family.patch) * family.patch
    return (side // family.patch) ** 2


def picture() -> Content:
    """A slanted grey ramp, SIDE × SIDE: RGB uint8."""
    import numpy as np

    slope = np.add.outer(np.arange(SIDE), np.arange(SIDE)) // 2
    return Content("image", pixels=(np.stack([slope] * 3, axis=-1).astype(np.uint8),))


def video() -> Content:
    """FRAMES frames of a moving ramp, 128 × 128, RGB uint8."""
    import numpy as np

    slope = np.add.outer(np.arange(128), np.arange(128))
    moved = [(slope + 4 * number).astype(np.uint8) for number in range(FRAMES)]
    return Content("video", pixels=tuple(np.stack([one] * 3, axis=-1) for one in moved))
