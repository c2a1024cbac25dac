"""What is to be planned for: how many passages of which sort, their vectors, the queries, and the machines there are.

Knows the names of models; knows no formula.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.errors import WrongRequest
from rag.models.memory import ModelShape, shape_of

LITE, LITE_DIM = "lite", 1_280  # the dimensions of the built-in model
LONGEST_DIM = 16_384
TEXT_TOKENS = 300  # of a span of 1,200 characters, at four a token; Chinese has up to twice as many
PICTURE_TOKENS = 1_280  # of a page or a frame of 1,310,720 pixels, 32 × 32 a token; smaller pictures have fewer


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine, or node: bytes of memory and of fast disk, and cores."""

    memory: int
    disk: int
    cores: int


@dataclass(frozen=True, slots=True)
class Workload:
    """Passages by sort; queries a second, each of which has so many candidates reranked (0: none); accelerators there are."""

    texts: int
    pages: int
    frames: int
    model: str
    dim: int
    qps: float
    candidates: int
    accelerators: int
    tokens_per_second: float  # of one accelerator that embeds, as `rag bench` measured it; 0: not known
    machine: Machine
    replicas: int  # of every part of the index in Milvus

    @property
    def passages(self) -> int:
        """All of them."""
        return self.texts + self.pages + self.frames

    @property
    def tokens(self) -> int:
        """What the embedder reads in all, at most."""
        return self.texts * TEXT_TOKENS + (self.pages + self.frames) * PICTURE_TOKENS


def sees(model: str) -> bool:
    """Whether a Qwen3 model takes pictures, by its name."""
    return "VL" in model.rsplit("/", 1)[-1]


def shape_named(model: str) -> ModelShape | None:
    """The shape of an embedder, by a Qwen3 model's name or a folder; None where neither tells."""
    shape = shape_of(model, sees=sees(model))
    return shape if shape is not None and shape.matrices else None


def dim_of(model: str, asked: int) -> int:
    """The length of the vectors: what was asked, else the model's own. WrongRequest for more than it has, or none known."""
    shape = shape_named(model)
    own = LITE_DIM if model == LITE else shape.hidden if shape is not None else 0
    if not own and not asked:
        raise WrongRequest(
            f"nothing is known of {model}, not even the length of its vectors",
            remedy="give --dim, or name a Qwen3 model (Qwen/Qwen3-VL-Embedding-2B), the folder of a checkpoint, or lite",
        )
    most = own or LONGEST_DIM
    if asked > most:
        raise WrongRequest(f"--dim {asked:,}: {model} has at most {most:,} dimensions", remedy=f"choose 1 to {most:,}")
    return asked or own
