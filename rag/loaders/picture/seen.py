"""Names what a photo shows: the everyday words, English and Chinese, of the classes that a small classifier is sure of.

Knows pixels and words; knows no file, no index and no model of the search. docs/lite.md has the figures and the sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Pixels

REVISION = 1  # of these words; raise it when the same pixels give others, and pictures are read anew where they are wanted
SURE = 0.1  # probability from which a class counts; the classes of a term together need their share of all classes besides
_SCREENS = (782, 916)  # classes that stand for slides and diagrams: "screen", "web site"
_SIDE = 224  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class _Vocabulary:
    words: tuple[str, ...]  # of each term: broader ones, then the classes themselves
    members: NDArray[np.float32]  # (classes, terms): 1 where the class is one of the term
    least: NDArray[np.float32]  # (terms,): the probability from which it counts


def seen_words(pixels: Pixels, threads: int = 1) -> str:
    """What RGB pixels (height, width, 3) show, in words from the surest to the least sure; "" where nothing is sure.

    10 to 15 ms on one core. `threads` is how many one picture uses.
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels)).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    shares = _classifier(threads).run(None, {"pictures": np.asarray(picture)[None]})[0]
    vocabulary = _vocabulary()
    sums = shares[0] @ vocabulary.members
    ordered = np.argsort(-sums, kind="stable")
    named = " ".join(vocabulary.words[at] for at in ordered if sums[at] >= vocabulary.least[at])
    return " ".join(dict.fromkeys(named.split()))


@lru_cache(maxsize=2)
def _classifier(threads: int) -> Any:
    """The session of the classifier: 0.1 s, 25 MB. Its weights of 8 bits become floats once, here."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    model = files("rag.loaders.picture").joinpath("classifier.onnx").read_bytes()
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])


@cache
def _vocabulary() -> _Vocabulary:
    here = files("rag.loaders.picture")
    classes = here.joinpath("classes.txt").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in here.joinpath("seen_terms.tsv").read_text("utf-8").splitlines()]
    members = np.zeros((len(classes), len(rows) + len(classes)), np.float32)
    for at, (_, _, ranges) in enumerate(rows):
        for one in ranges.split():
            first, _, last = one.partition("-")
            members[int(first) : int(last or first) + 1, at] = 1.0
    members[:, len(rows) :] = np.eye(len(classes), dtype=np.float32)
    members[_SCREENS, :] = 0.0
    least = SURE + members.sum(axis=0) / len(classes)
    return _Vocabulary((*(f"{english} {chinese}" for english, chinese, _ in rows), *classes), members, least)
