"""The two encoders of the small tier in onnxruntime: texts and pictures to vectors, as their authors feed them.

Knows tokenizers, pixels and ONNX files; knows no passage, no role but a prefix, and no other encoder.

multilingual-e5 reads `query: ` or `passage: ` before a text, at most 512 tokens; its vector is the mean over the tokens. SigLIP
reads lower-case texts, padded to 64 tokens, without a mask; a picture is scaled to the encoder's square, whatever its shape.
Sources: the card of intfloat/multilingual-e5-small, transformers' documentation of SigLIP and SigLIP 2.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from rag.errors import BackendError, first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Pixels, Vectors

TEXT_TOKENS = 512
CAPTION_TOKENS = 64
AGAIN = "delete it, and let it be downloaded again"
AT_ONCE = 8  # inputs in one run: more are no faster on a processor, and need more memory


class TextEncoder:
    """multilingual-e5 or another encoder of its form, whose vector is the mean over the tokens. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._session = _session(folder / "model.onnx")
        self._tokenizer = _tokenizer(folder)
        self._tokenizer.enable_truncation(TEXT_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str], prefix: str) -> Vectors:
        """Unit rows, float32 (texts, dim). Texts of similar length share a run."""
        encoded = self._tokenizer.encode_batch([prefix + text for text in texts])
        order = sorted(range(len(texts)), key=lambda at: len(encoded[at].ids))
        rows: list[Any] = [None] * len(texts)
        for start in range(0, len(order), AT_ONCE):
            batch = order[start : start + AT_ONCE]
            width = max(len(encoded[at].ids) for at in batch)
            ids, mask = np.zeros((len(batch), width), np.int64), np.zeros((len(batch), width), np.int64)
            for row, at in enumerate(batch):
                ids[row, : len(encoded[at].ids)], mask[row, : len(encoded[at].ids)] = encoded[at].ids, 1
            given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            states = _run(self._session, given, "last_hidden_state")
            weights = mask[:, :, None].astype(np.float32)
            for at, row in zip(batch, (states * weights).sum(axis=1) / weights.sum(axis=1), strict=True):
                rows[at] = row
        return unit(np.array(rows, np.float32))


class PictureEncoder:
    """SigLIP or SigLIP 2 of one resolution: pictures and captions into one space. Its towers are loaded when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rules = json.loads((folder / "preprocessor_config.json").read_text("utf-8"))
        size = self._rules["size"]
        self._size = int(size["width"]), int(size["height"])

    def embed_pictures(self, pictures: Sequence[Pixels]) -> Vectors:
        """Unit rows, float32 (pictures, dim), of RGB pixels (height, width, 3)."""
        rows = [
            _run(
                self._vision,
                {"pixel_values": np.stack([self._scaled(one) for one in pictures[start : start + AT_ONCE]])},
                _POOLED,
            )
            for start in range(0, len(pictures), AT_ONCE)
        ]
        return unit(np.concatenate(rows))

    def embed_captions(self, captions: Sequence[str]) -> Vectors:
        """Unit rows, float32 (captions, dim). What is beyond 64 tokens is cut."""
        encoded = self._tokenizer.encode_batch([caption.lower() for caption in captions])
        ids = np.array([one.ids for one in encoded], np.int64)
        rows = [_run(self._words, {"input_ids": ids[at : at + AT_ONCE]}, _POOLED) for at in range(0, len(ids), AT_ONCE)]
        return unit(np.concatenate(rows))

    def _scaled(self, pixels: Pixels) -> NDArray[np.float32]:
        """(3, height, width), as `SiglipImageProcessor` makes it with Pillow."""
        resample = Image.Resampling(self._rules.get("resample", Image.Resampling.BICUBIC))
        picture = Image.fromarray(np.ascontiguousarray(pixels)).resize(self._size, resample)
        scaled = np.asarray(picture, np.float32) * np.float32(self._rules.get("rescale_factor", 1 / 255))
        mean, deviation = (np.array(self._rules[name], np.float32) for name in ("image_mean", "image_std"))
        return np.ascontiguousarray(((scaled - mean) / deviation).transpose(2, 0, 1))

    @cached_property
    def _vision(self) -> Any:
        return _session(self._folder / "vision_model.onnx")

    @cached_property
    def _words(self) -> Any:
        return _session(self._folder / "text_model.onnx")

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = _tokenizer(self._folder)
        told = json.loads((self._folder / "tokenizer_config.json").read_text("utf-8"))
        padding = told.get("pad_token") or "<pad>"
        padding = padding["content"] if isinstance(padding, dict) else padding
        tokenizer.enable_truncation(CAPTION_TOKENS)
        tokenizer.enable_padding(
            direction=told.get("padding_side", "right"),
            length=CAPTION_TOKENS,
            pad_token=padding,
            pad_id=tokenizer.token_to_id(padding) or 0,
        )
        return tokenizer


_POOLED = "pooler_output"


def unit(rows: Vectors) -> Vectors:
    """The rows at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), np.float32)


def _session(file: Path) -> Any:
    from onnxruntime import InferenceSession, SessionOptions
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = SessionOptions()
    options.log_severity_level = 3
    bad = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoSuchFile, state.NotImplemented)
    try:
        return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except bad as error:
        raise BackendError(f"{file} cannot be loaded: {first_line(error)}", remedy=AGAIN) from error


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    try:
        _ = json.loads(file.read_text("utf-8"))["model"]["type"]  # the library itself raises no error of a kind that can be told
    except (ValueError, KeyError, TypeError) as error:
        raise BackendError(f"{file} is no tokenizer", remedy=AGAIN) from error
    return Tokenizer.from_file(str(file))


def _run(session: Any, given: dict[str, NDArray[Any]], wanted: str) -> Any:
    """The output of that name, else the first, for those inputs that the file knows."""
    inputs = {one.name: given[one.name] for one in session.get_inputs() if one.name in given}
    names = [one.name for one in session.get_outputs()]
    return np.asarray(session.run([wanted if wanted in names else names[0]], inputs)[0], np.float32)
