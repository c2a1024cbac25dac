"""How each model is started with vLLM on each platform and version: the exact command and its environment.

Knows flags and models; starts nothing, and needs no vLLM here.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.backends import modelscope
from rag.backends.base import Choice
from rag.backends.devices import VISIBLE_DEVICES, Card, Platform
from rag.backends.families import Family, classifier_overrides, family_of, model_name
from rag.backends.local.platforms import ALLOCATOR, FEW_STREAMS, HALF, SMALL_CONTEXT, caches_wrongly, release
from rag.backends.prompts import template_file
from rag.errors import WrongRequest
from rag.models.memory import GIB, WHOLE, MemoryNeed, ModelShape, kept_space, need_of, shape_of, weights_of
from rag.models.placement import Placement, placed, prompts_at_once, room_on
from rag.models.run_files import Task

NEWEST = "0.33.0"  # the newest vLLM these flags were read against
NEWEST_ASCEND = "0.23.0"  # the vLLM that the newest stable vllm-ascend pairs with
MOST_FRAMES = 64  # of a video, in the reference code
DTYPES = ("auto", "bfloat16", "float16", "half", "float32", "float")  # of vLLM's --dtype
ENTRY = ("vllm", "serve")


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """One server that is wanted."""

    role: Task
    model: str
    port: int
    family: str = ""  # where the name does not tell


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What all servers of one `rag serve` have in common. Zeros and empty fields mean: work it out."""

    platform: Platform | None = None
    version: str = ""  # of vLLM
    entry: tuple[str, ...] = ENTRY  # before the model
    cards: tuple[Card, ...] = ()  # empty: nothing is known of them
    host: str = "127.0.0.1"
    tensor_parallel: int = 1
    data_parallel: int = 1
    memory_share: float = 0.0  # of a card, for all servers together
    max_model_len: int = 0
    dtype: str = ""
    api_key: str = ""
    templates: str = ""  # where the chat templates lie on the machine the command is for; empty: in this package
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaunchCommand:
    """What starts one server. The environment is added to that of the process."""

    role: Task
    model: str
    url: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line for a shell; the API key stays out of it."""
        words = (f"{name}={_shown(name, value)}" for name, value in self.environment.items())
        return " ".join((*words, shlex.join(self.arguments)))


def commands(servers: Sequence[ServerSpec], terms: LaunchOptions, environment: Mapping[str, str]) -> list[LaunchCommand]:
    """One command for each server, placed on the cards. `environment`: what is set here already, and is left as it is.

    WrongRequest where a model cannot serve the role, or where memory or cards do not suffice, with the arithmetic.
    """
    families = [family_for(server) for server in servers]
    _require_apart(servers)
    if terms.dtype and terms.dtype not in DTYPES:
        raise WrongRequest(f"vLLM has no dtype {terms.dtype!r}", remedy=f"the dtypes are: {', '.join(DTYPES)}")
    lengths = [_length(family, terms) for family in families]
    shapes = [shape_of(server.model, sees=family.sees) for server, family in zip(servers, families, strict=True)]
    needs = [
        _need(server, family, shape, length, terms)
        for server, family, shape, length in zip(servers, families, shapes, lengths, strict=True)
    ]
    whole = terms.memory_share or WHOLE
    if terms.platform == "cpu":
        room_on(needs, terms.cards, whole)
        places: Sequence[Placement] = [Placement((), 0.0)] * len(needs)
        prompts = prompts_at_once(needs, terms.cards, whole)
    else:
        places, prompts = placed(needs, terms.cards, terms.tensor_parallel, terms.data_parallel, whole), 0
    made = []
    for server, family, shape, length, place in zip(servers, families, shapes, lengths, places, strict=True):
        arguments = [*_entry(server, terms), *_family_flags(family, length, terms), *_parallel(terms)]
        if terms.platform != "cpu":
            arguments += ["--gpu-memory-utilization", f"{place.share:.2f}"]
        arguments += [*_platform_flags(terms), *terms.extra]
        wanted = {**_defaults(server, shape, length, prompts, terms, environment), **_visible(place.cards, terms)}
        made.append(LaunchCommand(server.role, server.model, _url(terms.host, server.port), tuple(arguments), wanted))
    return made


def family_for(server: ServerSpec) -> Family:
    """The family of a model in that role. WrongRequest where it belongs to the other role."""
    family = family_of(Choice(model=server.model, family=server.family), server.role)
    other = "rerank" if server.role == "embedder" else "embedding"
    if not server.family and other in model_name(server.model).lower():
        raise WrongRequest(f"{server.model} is no {server.role}", remedy="serve it as the other, or name its --family")
    return family


def require_folder(model: str) -> None:
    """WrongRequest where a model is named by a path, and no model lies there: a hub would be asked for it by that name."""
    named = model.startswith(("/", "./", "../", "~", "modelscope:/")) or Path(model).is_dir()
    if named and not (Path(model) / "config.json").is_file():
        what = "has no config.json" if Path(model).is_dir() else "is not there"
        raise WrongRequest(f"the folder {model} {what}", remedy="name the folder of a whole model, or a model by its name")


def partner(model: str) -> str:
    """The reranker that goes with an embedder of the family, by its name; "" where there is none."""
    before, slash, name = model.rpartition("/")
    found = re.fullmatch(r"(Qwen3(?:-VL)?-)Embedding(-[\d.]+B)", model_name(name))
    beside = f"{before}{slash}{found.group(1)}Reranker{found.group(2)}" if found else ""
    return "" if Path(model).exists() and not Path(beside).is_dir() else beside


def newest(platform: str) -> str:
    """The version meant where none is installed and none is named."""
    return NEWEST_ASCEND if platform.startswith("ascend") else NEWEST


def elsewhere(wanted: LaunchOptions, card_memory: float) -> LaunchOptions:
    """The terms of another machine: an image of vLLM, and cards of `card_memory` GiB (0: nothing is known of them)."""
    platform = wanted.platform or "cuda"
    size = int(card_memory * GIB)
    cards = tuple(Card(number, "card", size, size) for number in range(wanted.tensor_parallel * wanted.data_parallel))
    return replace(wanted, platform=platform, version=wanted.version or newest(platform), cards=cards if size else ())


def _url(host: str, port: int) -> str:
    """Where clients on this machine find a server that listens at `host`."""
    place = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    return f"http://{f'[{place}]' if ':' in place else place}:{port}"


def _entry(server: ServerSpec, terms: LaunchOptions) -> list[str]:
    model = modelscope.name_of(server.model)
    name = model_name(model) if _is_folder(model) else model
    place = ["--host", terms.host, "--port", str(server.port)]
    return [*terms.entry, model, "--served-model-name", name, *place, "--runner", "pooling"]


def _require_apart(servers: Sequence[ServerSpec]) -> None:
    ports = [server.port for server in servers]
    if len(set(ports)) < len(ports):
        raise WrongRequest(f"both servers are to listen on port {ports[0]}", remedy="another --port or --reranker-port")


def _family_flags(family: Family, length: int, terms: LaunchOptions) -> list[str]:
    """What the family needs: its length, its classifier or shorter vectors, its template, and how videos are sampled."""
    flags = ["--max-model-len", str(length)] if length else []
    if not family.templated:
        return flags
    if family.classifier:
        flags += ["--hf-overrides", json.dumps(classifier_overrides(family))]
        template = template_file(family)
        flags += ["--chat-template", f"{terms.templates.rstrip('/')}/{template.name}" if terms.templates else str(template)]
    else:
        flags += ["--hf-overrides", json.dumps({"is_matryoshka": True})]
        if family.sees:
            flags += ["--limit-mm-per-prompt", json.dumps({"image": 8, "video": 1})]
    if family.sees:
        # num_frames bounds the frames a client has chosen (`video/jpeg`; 32 unless told) and, before 0.24, those of files.
        # The loader that takes max_frames for files came with 0.24 (CVE-2026-105758 names the range).
        bounds = {"fps": 1, "num_frames": MOST_FRAMES}
        bounds |= {"max_frames": MOST_FRAMES} if release(terms.version) >= (0, 24) else {}
        flags += ["--media-io-kwargs", json.dumps({"video": bounds})]
    return flags


def _parallel(terms: LaunchOptions) -> list[str]:
    flags = ["--tensor-parallel-size", str(terms.tensor_parallel)] if terms.tensor_parallel > 1 else []
    return flags + (["--data-parallel-size", str(terms.data_parallel)] if terms.data_parallel > 1 else [])


def _platform_flags(terms: LaunchOptions) -> list[str]:
    dtype = terms.dtype or (HALF if terms.platform == "ascend-310p" else "")
    flags = ["--dtype", dtype] if dtype else []
    if terms.platform == "ascend-310p":
        for name, value in FEW_STREAMS.items():
            flags += [f"--{name.replace('_', '-')}", json.dumps(value)]
    if _on_ascend(terms) and caches_wrongly(terms.version):
        flags.append("--no-enable-prefix-caching")
    return flags


def _defaults(
    server: ServerSpec, shape: ModelShape | None, length: int, prompts: int, terms: LaunchOptions, environment: Mapping[str, str]
) -> dict[str, str]:
    """Variables for one server; those already set stay as they are, but for the key."""
    wanted = {"VLLM_NO_USAGE_STATS": "1"}
    if _on_ascend(terms):
        if not _is_folder(server.model):
            wanted["VLLM_USE_MODELSCOPE"] = "True"
        wanted |= ALLOCATOR
    if terms.platform == "cpu":
        space = kept_space(shape, max_model_len=length or 8192, bytes_a_number=_bytes(terms), prompts=prompts)
        wanted["VLLM_CPU_KVCACHE_SPACE"] = str(space)
    wanted = {name: value for name, value in wanted.items() if name not in environment}
    if modelscope.is_there(server.model):
        wanted[modelscope.VARIABLE] = "True"
    return {**wanted, "VLLM_API_KEY": terms.api_key} if terms.api_key else wanted


def _visible(cards: Sequence[Card], terms: LaunchOptions) -> dict[str, str]:
    """The variable that binds a server to its cards, where they are not simply the first ones."""
    numbers = [card.number for card in cards]
    if not cards or terms.platform == "cpu" or numbers == [card.number for card in terms.cards[: len(numbers)]]:
        return {}
    return {VISIBLE_DEVICES[terms.platform or "cuda"]: ",".join(map(str, numbers))}


def _need(server: ServerSpec, family: Family, shape: ModelShape | None, length: int, terms: LaunchOptions) -> MemoryNeed | None:
    if shape is None:
        return None
    return need_of(
        model_name(server.model),
        shape,
        sees=family.sees,
        max_model_len=length or 8192,
        bytes_a_number=_bytes(terms),
        tensor_parallel=terms.tensor_parallel,
        weights=weights_of(server.model),
    )


def _length(family: Family, terms: LaunchOptions) -> int:
    """The longest prompt: as asked, else the family's, on an Atlas 300I DUO a small one; 0 leaves it to vLLM."""
    if terms.max_model_len:
        return terms.max_model_len
    if not family.templated:
        return 0
    return min(family.max_tokens, SMALL_CONTEXT) if terms.platform == "ascend-310p" else family.max_tokens


def _on_ascend(terms: LaunchOptions) -> bool:
    return terms.platform in ("ascend", "ascend-310p")


def _is_folder(model: str) -> bool:
    """Whether a model is named by its folder, here or, by an absolute path, on another machine."""
    return Path(model).is_absolute() or Path(model).is_dir()


def _bytes(terms: LaunchOptions) -> int:
    return 4 if terms.dtype in ("float32", "float") else 2


def _shown(name: str, value: str) -> str:
    return '"$VLLM_API_KEY"' if name == "VLLM_API_KEY" else shlex.quote(value)
