"""Finds the files of a GGUF model, a file or a folder that the user named: its weights and, if it sees, its mmproj.

Knows file names and what GGUF headers say; starts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.backends.base import Choice
from rag.backends.families import FAMILIES, Family, Task, family_of
from rag.backends.gguf_header import Header, read_header
from rag.backends.gguf_names import quantisation_in, served_name, stem_of
from rag.errors import WrongRequest
from rag.models.memory import ModelShape
from rag.models.vllm_command import ServerSpec

READS, SEES = "qwen3", "qwen3vl"  # architectures of llama.cpp
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_FILE_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 7: "Q8_0", 32: "BF16"}  # llama.cpp's numbers, for the types a mmproj comes in
_EXAMPLE = "name a .gguf file, or a folder that holds one model"


@dataclass(frozen=True, slots=True)
class GgufModel:
    """The files of one model, its name for clients, its family, its shape, and the bytes of its files."""

    weights: Path  # the first, if there are several
    mmproj: Path | None
    name: str  # tells the family, the type of the weights and that of the mmproj
    family: Family
    shape: ModelShape
    size: int


def find_model(server: ServerSpec, mmproj: str = "") -> GgufModel:
    """The model in a file or folder. WrongRequest if there is none, several, one for another role, or its mmproj is missing.

    `mmproj`: its file as the user names it; "": the one beside the weights. BackendError for a file that is no whole GGUF.
    """
    if server.role == "answerer":
        raise WrongRequest(
            "with llama.cpp, only embedder and reranker are started here",
            remedy="start llama-server for the chat model yourself, and name its address: --answer-url",
        )
    role: Task = server.role
    place = Path(server.model).expanduser()
    if not place.exists():
        raise WrongRequest(f"{server.model} does not exist", remedy=_EXAMPLE)
    weights = place if place.is_file() else _only(_weights_in(place), place, "--model FILE.gguf")
    header = read_header(weights)
    architecture = str(header.values.get("general.architecture", ""))
    if architecture not in (READS, SEES):
        raise WrongRequest(
            f"{weights} is a model of the architecture {architecture or 'unknown'}; read here are Qwen3 and Qwen3-VL",
            remedy="serve it with llama-server itself, and name its address: --url",
        )
    kind = _family(weights, role, server.family, architecture)
    tower = _mmproj_of(weights, mmproj) if kind.sees else None
    stem = stem_of(weights.name)
    told = stem if family_of(Choice(model=stem), role) == kind else f"{kind.name}-{stem}"
    parts = _parts(weights)
    return GgufModel(
        weights=weights.resolve(),
        mmproj=tower.resolve() if tower else None,
        name=served_name(told, _type_of(tower) if tower else ""),
        family=kind,
        shape=_shape_of(header, architecture),
        size=sum(part.stat().st_size for part in (*parts, *([tower] if tower else []))),
    )


def _family(weights: Path, role: Task, stated: str, architecture: str) -> Family:
    """The stated family, else the one in the name, else that of the architecture. WrongRequest if they do not go together."""
    other = "rerank" if role == "embedder" else "embedding"
    if not stated and other in weights.name.lower():
        raise WrongRequest(f"{weights.name} is not for the {role}", remedy="serve it in the other role, or name its --family")
    kind = family_of(Choice(model=stem_of(weights.name), family=stated), role)
    if not kind.templated:
        of_architecture = "qwen3-vl" if architecture == SEES else "qwen3"
        kind = FAMILIES[f"{of_architecture}-{'embedding' if role == 'embedder' else 'reranker'}"]
    if kind.sees != (architecture == SEES):
        raise WrongRequest(
            f"{weights} has the architecture {architecture}, which is not that of the family {kind.name}",
            remedy="name its family: --family qwen3-vl" if architecture == SEES else "name its family: --family qwen3",
        )
    return kind


def _weights_in(folder: Path) -> list[Path]:
    """The models in a folder: of one in several files, the first; no mmproj."""
    files = [file for file in sorted(folder.glob("*.gguf")) if "mmproj" not in file.name.lower()]
    shards = [(file, _SHARD.search(file.name)) for file in files]
    return [file for file, shard in shards if not shard or int(shard[1]) == 1]


def _mmproj_of(weights: Path, named: str) -> Path:
    """The vision tower: the named file, else the only one beside the weights, or the only one with their name."""
    if named:
        if not Path(named).expanduser().is_file():
            raise WrongRequest(f"{named} does not exist", remedy="name the model's mmproj: --mmproj FILE.gguf")
        return Path(named).expanduser()
    found = [file for file in sorted(weights.parent.glob("*.gguf")) if "mmproj" in file.name.lower()]
    model = stem_of(weights.name)
    quantised = quantisation_in(model)
    bare = model[: -len(quantised) - 1].lower() if quantised else model.lower()
    same = [file for file in found if bare in file.name.lower()]
    if not found:
        raise WrongRequest(
            f"{weights.name} sees pictures with a second file, its mmproj, and there is none beside it",
            remedy=f"download it into {weights.parent.resolve()}, or name it: --mmproj FILE.gguf",
        )
    return _only(same or found, weights.parent, "--mmproj FILE.gguf")


def _only(files: Sequence[Path], folder: Path, option: str) -> Path:
    if len(files) == 1:
        return files[0]
    names = ", ".join(file.name for file in files) or "no .gguf file"
    raise WrongRequest(f"{folder} holds {names}", remedy=f"name the one to use: {option}")


def _parts(weights: Path) -> list[Path]:
    """All files of a model in several. WrongRequest if one is missing."""
    shard = _SHARD.search(weights.name)
    if not shard:
        return [weights]
    stem, count = weights.name[: shard.start()], int(shard[2])
    parts = [weights.with_name(f"{stem}-{number:05d}-of-{shard[2]}.gguf") for number in range(1, count + 1)]
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise WrongRequest(f"{weights.parent} lacks {', '.join(missing)}", remedy="download all files of the model")
    return parts


def _type_of(tower: Path) -> str:
    """The type of a vision tower's weights: by its header, else by its name."""
    stated = read_header(tower).values.get("general.file_type")
    return (_FILE_TYPES.get(stated, "") if isinstance(stated, int) else "") or quantisation_in(tower.name) or "unknown"


def _shape_of(header: Header, architecture: str) -> ModelShape:
    def number(key: str, otherwise: int = 0) -> int:
        value = header.values.get(f"{architecture}.{key}", otherwise)
        return value if isinstance(value, int) else otherwise

    heads, hidden = number("attention.head_count", 1), number("embedding_length")
    size = number("attention.key_length", hidden // max(1, heads))
    kv = number("attention.head_count_kv", heads) * size
    return ModelShape(0.0, number("block_count"), hidden, number("feed_forward_length"), kv)
