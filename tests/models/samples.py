"""The contents the models are asked about, and what a server decodes from the pictures it is sent."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import numpy as np
from PIL import Image

from rag.backends import media
from rag.types import Content


def painted(height: int, width: int, seed: int) -> np.ndarray:
    """RGB waves of colour, (height, width, 3), uint8."""
    y, x = np.mgrid[0:height, 0:width]
    a, b, c, d, e = np.random.default_rng(seed).uniform(0.02, 0.2, 5)
    waves = (np.sin(x * a + y * b), np.cos(x * c), np.sin(y * d - x * e))
    return np.stack([127 + 100 * wave for wave in waves], -1).astype(np.uint8)


def decoded(content: Content) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(images, frames of the video) as they stand in the `data:` URLs that a server is sent."""
    images: list[np.ndarray] = []
    frames: list[np.ndarray] = []
    for part in media.media_parts(content):
        url = part[part["type"]]["url"]
        pictures = [np.asarray(Image.open(BytesIO(b64decode(one)))) for one in url.split(",")[1:]]
        (frames if part["type"] == "video_url" else images).extend(pictures)
    return images, frames


SENTENCE = "The harbour crane is inspected every spring, before the first ship of the season is unloaded. "
CONTENTS = {
    "text": Content("text", text="The harbour crane is inspected every spring."),
    "chinese": Content("text", text="港口的吊车每年春天检查一次。😀 über"),
    "empty": Content("text"),
    "spaces": Content("text", text="  two lines,\n\n  kept as they are \n"),
    "long": Content("text", text=(SENTENCE * 80)[:6000]),
    "image": Content("image", pixels=(painted(100, 140, 1),)),
    "tall": Content("image", pixels=(painted(260, 40, 2),)),
    "large": Content("image", pixels=(painted(1300, 1100, 3),)),
    "image and text": Content("image", text="a crane at dusk", pixels=(painted(90, 90, 4),)),
    "video": Content("video", pixels=tuple(painted(64, 96, seed) for seed in range(10, 15))),
    "video and text": Content("video", text="unloading", pixels=tuple(painted(96, 64, seed) for seed in range(20, 24))),
    "one frame": Content("video", pixels=(painted(64, 64, 30),)),
}
TEXTS = [name for name, content in CONTENTS.items() if content.modality == "text"]
