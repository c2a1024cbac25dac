"""Finds a model's complete weights on this machine, without asking a hub.

Knows the cache layouts of Hugging Face and ModelScope; knows no family and no engine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rag.backends import modelscope

NEEDED = ("config.json", "tokenizer_config.json")
PREPROCESSOR = "preprocessor_config.json"  # needed by a model that sees
_MODELSCOPE_LAYOUTS = ("hub/models", "models", "hub", "")
INDEX = "model.safetensors.index.json"  # present if the weights are in several files


def folder_here(model: str) -> str:
    """The folder in the hub's cache that holds all of a model, which is named as on the hub; "" if there is none."""
    name = modelscope.name_of(model)
    if name.count("/") != 1 or Path(name).is_dir():
        return ""
    places = _of_modelscope(name) if modelscope.is_there(model) else _of_hugging_face(name)
    return next((str(place) for place in places if is_whole(place)), "")


def models_here() -> list[str]:
    """The names, as on a hub, of the models of which the caches of Hugging Face and ModelScope hold all, in order."""
    found: set[str] = set()
    with suppress(OSError):
        names = [place.name for place in _hugging_face().iterdir() if place.name.startswith("models--")]
        found |= {name.removeprefix("models--").replace("--", "/", 1) for name in names}
    for below in _MODELSCOPE_LAYOUTS:
        with suppress(OSError):
            owners = [place for place in (_modelscope() / below).iterdir() if place.is_dir()]
            inside = [place for owner in owners for place in owner.iterdir() if (place / NEEDED[0]).is_file()]
            found |= {modelscope.PREFIX + f"{place.parent.name}/{place.name.replace('___', '.')}" for place in inside}
    return sorted(name for name in found if folder_here(name))


def is_whole(folder: Path) -> bool:
    """Whether a folder holds a model's configuration, its tokenizer and every weight file."""
    try:
        if not all((folder / name).is_file() for name in NEEDED):
            return False
        if "vision_config" in json.loads((folder / "config.json").read_text("utf-8")) and not (folder / PREPROCESSOR).is_file():
            return False
        if not (folder / INDEX).is_file():
            return (folder / "model.safetensors").is_file()
        files = set(json.loads((folder / INDEX).read_text("utf-8"))["weight_map"].values())
        return bool(files) and all((folder / str(file)).is_file() for file in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _of_hugging_face(name: str) -> Iterator[Path]:
    """Candidate folders: the snapshot of `main`, then the others, newest first."""
    cached = _hugging_face() / f"models--{name.replace('/', '--')}"
    with suppress(OSError):
        yield cached / "snapshots" / (cached / "refs/main").read_text("utf-8").strip()
    with suppress(OSError):
        yield from sorted((cached / "snapshots").iterdir(), key=lambda place: -place.stat().st_mtime)


def _of_modelscope(name: str) -> Iterator[Path]:
    """Candidate folders in the layouts of its releases, some of which spell a dot in a name `___`."""
    for below in _MODELSCOPE_LAYOUTS:
        for spelled in (name, name.replace(".", "___")):
            yield _modelscope() / below / spelled


def _hugging_face() -> Path:
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache/huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")


def _modelscope() -> Path:
    return Path(os.environ.get("MODELSCOPE_CACHE") or Path.home() / ".cache/modelscope")
