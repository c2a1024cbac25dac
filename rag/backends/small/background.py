"""What the encoders of the small tier give for a fixed background: the means that are taken off, and how cosines spread.

Knows sentences, drawn pictures and encoders; knows no passage and no index. docs/models.md has the formula.

Texts and pictures lie in two narrow cones far apart (the modality gap: Liang et al., NeurIPS 2022), so every text is nearer to
every text than to any picture. The mean of each kind is its cone's axis; without it, inner products with any query spread around
0. It is taken off passages alone: that changes no order among texts, and none among pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.small.encoders import PictureEncoder, TextEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Pixels, Vectors

REVISION = 1  # of this background: other sentences or pictures give other vectors
QUERY, PASSAGE = "query: ", "passage: "
FILLED = 0.9  # length of a block before it is given half of a row
LEAST, MOST = 0.25, 4.0  # of the ratio of spreads: beyond, the background does not fit the encoders
SENTENCES = (
    "a dog runs across the grass", "two children play on the beach", "the sun sets over the sea", "a red car in the street",
    "a plate of food on a table", "snow on the mountains", "people at a meeting in an office", "an old church in a small town",
    "a cup of coffee beside a laptop", "flowers in a garden", "a train at the station", "a screenshot of a settings page",
    "the annual report and its budget", "how to install the software", "minutes of the meeting in March", "an unpaid invoice",
    "safety rules for the workshop", "the opening hours of the museum", "a recipe for bread", "the history of the harbour",
    "error message when saving a file", "a map of the city centre", "results of the survey", "terms of the contract",
    "海边的日落", "一只猫在沙发上", "会议纪要", "安全操作规程", "城市的夜景", "孩子们在公园里玩", "设备维修手册", "财务报告",
)  # fmt: skip
PICTURES = 16
_SIDE = 96  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Means of unit vectors, their usual distance from it, and how cosines of what has nothing in common spread around 0."""

    passage: Vectors  # (text dim,): mean of the sentences as passages
    picture: Vectors  # (picture dim,): mean of the pictures
    passage_length: float  # mean length of what is left of a passage without the mean
    picture_length: float
    text_spread: float  # standard deviation of query · (passage − mean), for other sentences
    picture_spread: float  # of caption · (picture − mean)

    @property
    def text_scale(self) -> float:
        """What the rest of a passage is multiplied by, so that it is usually FILLED long."""
        return FILLED / max(self.passage_length, 1e-6)

    @property
    def picture_scale(self) -> float:
        """The same for a picture."""
        return FILLED / max(self.picture_length, 1e-6)

    @property
    def ratio(self) -> float:
        """How much longer the picture block of a query is than its text block, so that both inner products spread alike."""
        spreads = self.text_spread * self.text_scale, max(self.picture_spread * self.picture_scale, 1e-6)
        return float(np.clip(spreads[0] / spreads[1], LEAST, MOST))


_MEANS = ("passage", "picture")
_FIGURES = ("passage_length", "picture_length", "text_spread", "picture_spread")


def measure(texts: TextEncoder, pictures: PictureEncoder) -> Background:
    """Embeds the background: a few seconds."""
    query, passage = texts.embed(SENTENCES, QUERY), texts.embed(SENTENCES, PASSAGE)
    caption, picture = pictures.embed_captions(SENTENCES), pictures.embed_pictures(background_pictures())
    means = passage.mean(axis=0), picture.mean(axis=0)
    passage, picture = passage - means[0], picture - means[1]
    others = ~np.eye(len(SENTENCES), dtype=bool)
    return Background(
        passage=means[0],
        picture=means[1],
        passage_length=float(np.linalg.norm(passage, axis=1).mean()),
        picture_length=float(np.linalg.norm(picture, axis=1).mean()),
        text_spread=float((query @ passage.T)[others].std()),
        picture_spread=float((caption @ picture.T).std()),
    )


def kept(file: Path, texts: TextEncoder, pictures: PictureEncoder) -> Background:
    """The background that the file holds, else measured, and written there if the folder can be written."""
    try:
        with np.load(file) as stored:
            return Background(*(stored[name] for name in _MEANS), *(float(stored[name]) for name in _FIGURES))
    except (OSError, ValueError, KeyError):
        found = measure(texts, pictures)
    try:
        partial = file.with_suffix(".partial.npz")
        np.savez(partial, **{name: getattr(found, name) for name in (*_MEANS, *_FIGURES)})
        partial.replace(file)
    except OSError:  # a folder that is only read: measured again by each process
        pass
    return found


def background_pictures() -> list[Pixels]:
    """16 pictures, uint8 (96, 96, 3), that show nothing, with the colours and contrasts by size that photos have: 1/f noise."""
    random = np.random.default_rng(20_261_129)
    across, along = np.meshgrid(np.fft.fftfreq(_SIDE), np.fft.fftfreq(_SIDE))
    falling = 1.0 / np.maximum(np.hypot(across, along), 1.0 / _SIDE)
    return [_noise(random, falling) for _ in range(PICTURES)]


def _noise(random: np.random.Generator, falling: NDArray[np.float64]) -> Pixels:
    grey, *colours = (np.fft.ifft2(np.fft.fft2(random.standard_normal(falling.shape)) * falling).real for _ in range(4))
    planes = np.stack([grey / grey.std() + 0.4 * one / one.std() for one in colours], axis=-1)
    return np.asarray(np.clip(random.uniform(90, 160) + 45 * planes, 0, 255), np.uint8)
