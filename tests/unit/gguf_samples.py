"""Writes small GGUF files by hand, as the format's own page describes them. Knows no model."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value: object) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    assert isinstance(value, Sequence)
    if value and isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_string, value))
    return struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)


def write_gguf(file: Path, values: Mapping[str, object], tensors: Mapping[str, np.ndarray] | None = None) -> Path:
    """A GGUF with these values and float32 matrices."""
    tensors = tensors or {}
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(_string(key) + _value(value) for key, value in values.items())
    offset, packed = 0, b""
    for name, matrix in tensors.items():
        rows, length = matrix.shape
        head += _string(name) + struct.pack("<IQQIQ", 2, length, rows, 0, offset)
        packed += matrix.astype("<f4").tobytes()
        packed += bytes(-len(packed) % 32)
        offset = len(packed)
    file.write_bytes(head + bytes(-len(head) % 32) + packed)
    return file


def write_model(file: Path, architecture: str = "qwen3vl", **more: object) -> Path:
    """A GGUF that says what a model's does, without weights: 28 layers, 8 heads of keys of 128 numbers."""
    shape = {"block_count": 28, "embedding_length": 2048, "feed_forward_length": 6144, "attention.head_count": 16}
    shape |= {"attention.head_count_kv": 8, "attention.key_length": 128}
    values = {"general.architecture": architecture, **{f"{architecture}.{key}": value for key, value in shape.items()}}
    return write_gguf(file, {**values, **more})


def write_mmproj(file: Path, kind: int = 1) -> Path:
    """A GGUF that says what a mmproj does. `kind`: llama.cpp's number of the type of its weights; 1 is F16."""
    return write_gguf(file, {"general.architecture": "clip", "general.file_type": kind})
