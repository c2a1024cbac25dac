"""Which files the small tier needs, where they are published under which licence, and where they lie on this machine.

Knows names and folders; downloads nothing and opens no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rag.errors import BackendError
from rag.location import user_cache_folder

NAME = "small"
PREFIX = "small:"  # before a local folder


@dataclass(frozen=True, slots=True)
class Part:
    """One encoder: where it is published, under which licence, and what it is for."""

    folder: str  # below the folder of the tier
    repository: str  # on Hugging Face
    licence: str
    purpose: str
    files: tuple[tuple[str, str], ...]  # path in the repository, name here


TEXT = Part(
    "text",
    "Xenova/multilingual-e5-small",
    "MIT",
    "words in 94 languages",
    (
        ("onnx/model_quantized.onnx", "model.onnx"),
        ("tokenizer.json", "tokenizer.json"),
        ("tokenizer_config.json", "tokenizer_config.json"),
    ),
)
PICTURES = Part(
    "pictures",
    "onnx-community/siglip2-base-patch16-224-ONNX",
    "Apache 2.0",
    "pictures, and words for them",
    (
        ("onnx/vision_model_quantized.onnx", "vision_model.onnx"),
        ("onnx/text_model_quantized.onnx", "text_model.onnx"),
        ("tokenizer.json", "tokenizer.json"),
        ("tokenizer_config.json", "tokenizer_config.json"),
        ("preprocessor_config.json", "preprocessor_config.json"),
    ),
)
PARTS = (TEXT, PICTURES)


def is_small(model: str) -> bool:
    """Whether a model's name asks for the small tier: `small`, or `small:/path/to/its/folder`."""
    return model == NAME or model.startswith(PREFIX)


def folder_of(model: str) -> Path:
    """The folder with the parts: the one that is named, else $XDG_CACHE_HOME/multimodal-rag/small, else below ~/.cache."""
    named = model.removeprefix(PREFIX)  # it may be missing beside --backend small
    if named not in ("", NAME):
        return Path(named).expanduser()
    return user_cache_folder() / "multimodal-rag" / NAME


def missing(folder: Path) -> list[str]:
    """The files that are not there, relative to the folder."""
    return [f"{part.folder}/{name}" for part in PARTS for _, name in part.files if not (folder / part.folder / name).is_file()]


def require_files(model: str) -> Path:
    """The folder of the parts. BackendError names the files that are missing, and says what to do."""
    folder = folder_of(model)
    if lacking := missing(folder):
        sources = " and ".join(f"{part.folder}/ from https://huggingface.co/{part.repository}" for part in PARTS)
        raise BackendError(
            f"{folder} lacks {', '.join(lacking)}",
            remedy="`rag index FOLDER --model small` downloads them once; without a network, copy them there, or to a folder "
            f"named as --model small:/path: {sources}",
        )
    return folder
