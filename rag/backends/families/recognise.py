"""Which family a model belongs to, by its name or its config.json, and what follows from that.

Knows names and a local folder's config.json; loads no model and renders no prompt (`rag.backends.prompts` does).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any, Literal

from rag.backends.base import Choice
from rag.backends.families.base import MAX_PIXELS, Family, Task
from rag.backends.families.table import FAMILIES
from rag.backends.modelscope import name_of
from rag.backends.neutral import neutral
from rag.errors import WrongRequest, WrongSetting
from rag.types import Fingerprint, Kind, Role

_SUFFIX: Mapping[Task, str] = {"embedder": "embedding", "reranker": "reranker"}
_NAMES = tuple(
    [f"Qwen3-VL-{what}-{size}" for what in ("Embedding", "Reranker") for size in ("2B", "8B")]
    + [f"Qwen3-{what}-{size}" for what in ("Embedding", "Reranker") for size in ("0.6B", "4B", "8B")]
    + [f"WeMM-Embedding-{size}" for size in ("2B", "4B", "9B")]
    + [f"gme-Qwen2-VL-{size}-Instruct" for size in ("2B", "7B")]
)
_AS_PUBLISHED = {name.lower(): name for name in _NAMES}
_SIZE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)b(?![a-z0-9])", re.IGNORECASE)

PROMPTS_VERSION = 1  # raise it when a prompt or `neutral` changes, because older vectors are then not comparable

# Weight of the reranker's score in the final score, for kinds that it ranks no better than the first stage does. Published for
# the top 100 of Qwen3-VL-Embedding-2B reranked by Qwen3-VL-Reranker-2B: image 74.8 → 74.0, video 53.6 → 53.2; visual documents
# (79.2 → 83.2) and text (68.1 → 70.0) gain. Source: README of QwenLM/Qwen3-VL-Embedding, table of the rerankers.
_TRUST_VL_2B: Mapping[Kind, float] = MappingProxyType({"image": 0.5, "screenshot": 0.5, "frame": 0.5})
_WIDTH_2B = 2048  # of the hidden states of Qwen3-VL-Reranker-2B


def family_of(choice: Choice, task: Task) -> Family:
    """The family of the chosen model: as stated, else by the model's name, else by its local folder's config.json, else plain.

    A stated family may leave out its task ("qwen3-vl" for an embedder is "qwen3-vl-embedding"). WrongSetting for an unknown
    family, WrongRequest if the model is made for the other task.
    """
    suffix = _SUFFIX[task]
    stated = choice.family.strip().lower()
    if stated:
        return _of_task(_stated(stated, suffix), choice, task)
    named = _named(model_name(choice.model))
    if named:
        return _of_task(named, choice, task)
    config = _config_of(choice.model)
    of_config = [one for one in FAMILIES.values() if config and one.has_config is not None and one.has_config(config)]
    return next((one for one in of_config if one.task == task), FAMILIES[f"plain-{suffix}"])


def native_dim(choice: Choice) -> int | None:
    """The dimension of the model's own vectors: from its local folder, else from its name; None if neither tells."""
    config = _config_of(choice.model)
    family = _named(model_name(choice.model)) or FAMILIES.get(choice.family.strip().lower())
    if config:
        of_config = next((one for one in FAMILIES.values() if one.has_config is not None and one.has_config(config)), None)
        known = family or of_config
        name = known.width if known else "hidden_size"
        width = config[name] if name in config else config.get("text_config", config).get(name)
        return width if isinstance(width, int) else None
    size = _SIZE.search(model_name(choice.model).lower())
    return family.dims.get(size[1]) if size and family else None


def model_name(model: str) -> str:
    """One name for a model, however it was given: `Qwen/Qwen3-VL-Embedding-2B`, a folder, a folder in a hub's cache.

    The last part of the path, spelled as published if that is a known model.
    """
    parts = PurePath(name_of(model).replace("\\", "/").rstrip("/")).parts
    name = parts[-1] if parts else ""
    if len(parts) >= 3 and parts[-2] == "snapshots" and parts[-3].startswith("models--"):  # the layout of Hugging Face's cache
        name = parts[-3].rpartition("--")[2]
    name = name.replace("___", ".")  # ModelScope's cache spells a dot this way
    return _AS_PUBLISHED.get(name.lower(), name)


def fingerprint_of(choice: Choice, family: Family, dim: int) -> Fingerprint:
    """What makes vectors of this choice comparable: equal for a server and for both backends that load the model here."""
    if family.sees:
        name = family.name.removesuffix("-embedding")
        preprocessing = f"{name} prompts {PROMPTS_VERSION}, ≤ {min(family.pixels[1], MAX_PIXELS)} pixels"
    else:
        preprocessing = f"{family.name.partition('-')[0]} prompts {PROMPTS_VERSION}"
    return Fingerprint(
        model=model_name(choice.model),
        revision="",
        dim=dim,
        instruction=instruction_for(family, choice, "document"),
        preprocessing=preprocessing,
    )


def instruction_for(family: Family, choice: Choice, use: Role | Literal["rerank"]) -> str:
    """The instruction for the model: the one in the choice, else the family's; "" if the family takes none.

    Ready to send: neutralised, and with the final full stop that Qwen3-VL-Embedding was trained with.
    """
    own, default = {
        "query": (choice.query_instruction, family.query_instruction),
        "document": (choice.document_instruction, family.document_instruction),
        "rerank": (choice.rerank_instruction, family.rerank_instruction),
    }[use]
    if not family.templated:
        return neutral(own)  # a prefix such as "query: ", where every space counts
    return ended(family, neutral(own.strip() or default))


def ended(family: Family, instruction: str) -> str:
    """The instruction, with a full stop added if the family expects one and no punctuation ends it, as in the reference code."""
    if not family.full_stop or not instruction or unicodedata.category(instruction[-1]).startswith("P"):
        return instruction
    return f"{instruction}."


def classifier_overrides(family: Family) -> dict[str, Any]:
    """vLLM's `hf_overrides` to read a language model that judges as a classifier of its two answers.

    The order of the keys is that of the commands `rag serve` prints.
    """
    how = {"is_original_qwen3_reranker": True} if family.answers == ("no", "yes") else {"method": "from_2_way_softmax"}
    return {"architectures": [family.classifier], "classifier_from_token": list(family.answers), **how}


def resizing(family: Family) -> dict[str, Any]:
    """The processor's keywords, of vLLM and transformers alike, for the family's limits of a picture's pixels."""
    least, most = family.pixels
    return {"size": {"shortest_edge": least, "longest_edge": most}}


def trust_of(choice: Choice) -> Mapping[Kind, float]:
    """The kinds that a reranker is known to rank worse, with the weight its score keeps there; empty for any other reranker."""
    if family_of(choice, "reranker").name == "qwen3-vl-reranker" and native_dim(choice) == _WIDTH_2B:
        return _TRUST_VL_2B
    return {}


def _stated(stated: str, suffix: str) -> Family:
    family = FAMILIES.get(stated) or FAMILIES.get(f"{stated}-{suffix}")
    if family is None:
        raise WrongSetting(f"there is no model family {stated!r}", remedy=f"choose one of: {', '.join(FAMILIES)}")
    return family


def _of_task(family: Family, choice: Choice, task: Task) -> Family:
    if family.name.endswith(_SUFFIX[task]):
        return family
    other: Task = "reranker" if task == "embedder" else "embedder"
    raise WrongRequest(
        f"{choice.model or family.name} belongs to the family {family.name}: it cannot be used as the {task}",
        remedy=f"use it as the {other}, or name another model as the {task}",
    )


def _named(name: str) -> Family | None:
    """The family that a model's name tells, also the names of quantised and renamed copies; None if it tells none."""
    lower = name.lower().replace("_", "-")
    return next((one for one in FAMILIES.values() if one.names and re.search(one.names, lower)), None)


def _config_of(model: str) -> Mapping[str, Any]:
    """The config.json of a model's local folder; empty if the model is not a folder, or has none."""
    file = Path(model).expanduser() / "config.json"
    if not model or not file.is_file():
        return {}
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WrongSetting(
            f"{file} cannot be read: {error}", remedy="name a complete model folder, or the model by its name"
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("text_config", {}), dict):
        raise WrongSetting(f"{file} does not describe a model", remedy="name a complete model folder, or the model by its name")
    return config
