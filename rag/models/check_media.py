"""Proofs of format for pictures and videos: they are taken, and become as many tokens as their size and their times make.

Knows pixels, placeholders and what counts of tokens give away; knows no model, no request and no address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rag.backends.media import media_parts
from rag.backends.prompts import placeholders
from rag.errors import BackendError
from rag.models.probe import Finding, Report
from rag.types import Content

PICTURE_TOKENS = 64  # of 256 × 256 pixels: one for each 32 × 32 (patches of 16, merged 2 × 2)
FRAMES = 24  # of the video, one a second: less than a server keeps, and enough for times of one digit and of two
PAIR_TOKENS = 16  # of two frames of 128 × 128 pixels together
BETWEEN = "<|vision_start|>"  # one token, to count times apart from what stands beside them
PICTURE_REMEDY = "serve the VL model with `rag serve`, and ask vLLM itself, not a proxy"
VIDEO_REMEDY = "start it with `rag serve`; only `rag embed --video` and `rag score --video` send videos, an index holds frames"

Parts = Sequence[Mapping[str, Any]]


def prove_media(
    report: Report, ask: Callable[[Parts], int], render: Callable[[Content], str], count: Callable[[str], int | None]
) -> list[Finding]:
    """A picture and a video, each sent alone.

    `ask` sends parts of the OpenAI API and gives the prompt tokens used (0: not told; BackendError: refused); `render` gives our
    prompt of a content, a placeholder for its pixels; `count` counts the tokens of a prompt (None: the server has no /tokenize).
    """
    return [_picture(report, ask, render, count), _video(report, ask, render, count)]


def _picture(
    report: Report, ask: Callable[[Parts], int], render: Callable[[Content], str], count: Callable[[str], int | None]
) -> Finding:
    shown = picture()
    try:
        used = ask(media_parts(shown))
    except BackendError as error:
        return report("picture", "failed", f"a picture is refused: {error.what}", PICTURE_REMEDY)
    prompt = count(render(shown))
    if not used or prompt is None:
        return report("picture", "ok", "is taken; its tokens cannot be counted here", "")
    tokens = used - prompt + 1
    if tokens == PICTURE_TOKENS:
        return report("picture", "ok", f"{tokens} tokens", "")
    if tokens <= 1:
        return report("picture", "failed", f"does not reach the model ({used} tokens, {prompt} without it)", PICTURE_REMEDY)
    detail = f"{tokens} tokens, not {PICTURE_TOKENS}: its preprocessor or the prompt around it is another one"
    return report("picture", "warning", detail, "use the checkpoint's own preprocessor_config.json and chat template")


def _video(
    report: Report, ask: Callable[[Parts], int], render: Callable[[Content], str], count: Callable[[str], int | None]
) -> Finding:
    """The model reads each two frames behind their time: `<0.5 seconds>`, a start, the tokens of their pixels, an end.

    All of it takes the place of the placeholder, or, from transformers 5.10 on, stands between its own start and end.
    """
    shown = video()
    try:
        used = ask(media_parts(shown))
    except BackendError as error:
        return report("video", "warning", f"a video is refused: {error.what}", VIDEO_REMEDY)
    times = [f"<{second + 0.5:.1f} seconds>" for second in range(0, FRAMES, 2)]
    prompt = render(shown)
    plain, timed = count(prompt), count(prompt.replace(placeholders(shown), BETWEEN.join(["", *times, ""])))
    if not used or plain is None or timed is None:
        return report("video", "ok", "is taken; its tokens cannot be counted here", "")
    without = plain - 3  # its placeholder is three tokens
    tokens, expected = used - without, timed - (len(times) + 1) + len(times) * (PAIR_TOKENS + 2) - without
    if tokens in (expected, expected + 2):
        return report("video", "ok", f"{tokens} tokens for {FRAMES} frames, one a second", "")
    if tokens <= 3:
        return report("video", "failed", f"does not reach the model ({used} tokens, {without} without it)", VIDEO_REMEDY)
    detail = f"{tokens} tokens for {FRAMES} frames, not {expected}: frames are left out, scaled or timed otherwise"
    return report("video", "warning", detail, f"{VIDEO_REMEDY}; the checkpoint needs its own video_preprocessor_config.json")


def picture() -> Content:
    """A slanted grey ramp, 256 × 256: large enough that no preprocessor enlarges it, small enough that none shrinks it."""
    import numpy as np

    slope = np.add.outer(np.arange(256), np.arange(256)) // 2
    return Content("image", pixels=(np.stack([slope] * 3, axis=-1).astype(np.uint8),))


def video() -> Content:
    """FRAMES frames of a ramp that moves, 128 × 128."""
    import numpy as np

    slope = np.add.outer(np.arange(128), np.arange(128))
    moved = [(slope + 4 * number).astype(np.uint8) for number in range(FRAMES)]
    return Content("video", pixels=tuple(np.stack([one] * 3, axis=-1) for one in moved))
