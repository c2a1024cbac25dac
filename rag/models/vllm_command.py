"""Builds the exact vLLM command and environment for each model, platform and version.

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
from rag.backends.families import Family, classifier_overrides, family_of, model_name, resizing
from rag.backends.local.platforms import ALLOCATOR, FEW_STREAMS, HALF, SMALL_CONTEXT, caches_wrongly, release
from rag.backends.prompts import template_file
from rag.errors import WrongRequest
from rag.models.chat_models import PICTURES, chat_family
from rag.models.memory import GIB, WHOLE, MemoryNeed, ModelShape, kept_space, need_of, shape_of, weights_of
from rag.models.placement import Placement, placed, prompts_at_once, room_on
from rag.models.run_files import ModelRole

NEWEST = "0.33.0"  # the newest vLLM that these flags were checked against
NEWEST_ASCEND = "0.23.0"  # the vLLM that the newest stable vllm-ascend pairs with
MOST_FRAMES = 64  # of a video, in the reference code
DTYPES = ("auto", "bfloat16", "float16", "half", "float32", "float")  # of vLLM's --dtype
ENTRY = ("vllm", "serve")
_A_ROLE = {"embedder": "an embedder", "reranker": "a reranker"}


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """One server to start."""

    role: ModelRole
    model: str
    port: int
    family: str = ""  # needed if the model's name does not tell


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What all servers of one `rag serve` have in common. Zeros and empty fields are worked out."""

    platform: Platform | None = None
    version: str = ""  # of vLLM
    entry: tuple[str, ...] = ENTRY  # the words before the model
    cards: tuple[Card, ...] = ()  # empty: not known
    host: str = "127.0.0.1"
    tensor_parallel: int = 1
    data_parallel: int = 1
    memory_share: float = 0.0  # of a card, for all servers together
    max_model_len: int = 0
    dtype: str = ""
    api_key: str = ""
    templates: str = ""  # the folder of the chat templates on the machine the command is for; empty: in this package
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaunchCommand:
    """The command of one server, and the variables added to this process's environment for it."""

    role: ModelRole
    model: str
    url: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default="", repr=False)  # that clients on this machine find by themselves; "": they must be told

    def __str__(self) -> str:
        """One line for a shell, without the API key."""
        words = (f"{name}={_shown(name, value)}" for name, value in self.environment.items())
        return " ".join((*words, shlex.join(self.arguments)))


def commands(servers: Sequence[ServerSpec], options: LaunchOptions, environment: Mapping[str, str]) -> list[LaunchCommand]:
    """One command for each server, placed on the cards. Variables already in `environment` are left as they are.

    WrongRequest if a model is not made for its role, for an unknown dtype, if both servers have one port or, with the arithmetic,
    if memory or cards do not suffice.
    """
    families = [family_for(server) for server in servers]
    _require_apart(servers)
    if options.dtype and options.dtype not in DTYPES:
        raise WrongRequest(f"vLLM has no dtype {options.dtype!r}", remedy=f"the dtypes are: {', '.join(DTYPES)}")
    lengths = [_length(server, family, options) for server, family in zip(servers, families, strict=True)]
    shapes = [shape_of(server.model, sees=family.sees) for server, family in zip(servers, families, strict=True)]
    needs = [
        _need(server, family, shape, length, options)
        for server, family, shape, length in zip(servers, families, shapes, lengths, strict=True)
    ]
    whole = options.memory_share or WHOLE
    if options.platform == "cpu":
        room_on(needs, options.cards, whole)
        places: Sequence[Placement] = [Placement((), 0.0)] * len(needs)
        prompts = prompts_at_once(needs, options.cards, whole)
    else:
        places, prompts = placed(needs, options.cards, options.tensor_parallel, options.data_parallel, whole), 0
    made = []
    for server, family, shape, length, place in zip(servers, families, shapes, lengths, places, strict=True):
        flags = _chat_flags(family, length) if server.role == "answerer" else _family_flags(family, length, options)
        arguments = [*_entry(server, options), *flags, *_parallel(options)]
        if options.platform != "cpu":
            arguments += ["--gpu-memory-utilization", f"{place.share:.2f}"]
        arguments += [*_platform_flags(options), *options.extra]
        wanted = {**_defaults(server, shape, length, prompts, options, environment), **_visible(place.cards, options)}
        made.append(LaunchCommand(server.role, server.model, url_of(options.host, server.port), tuple(arguments), wanted))
    return made


def family_for(server: ServerSpec) -> Family:
    """The family of a model in its role. WrongRequest if the model is made for another role."""
    if server.role == "answerer":
        return chat_family(server.model)
    family = family_of(Choice(model=server.model, family=server.family), server.role)
    other = "rerank" if server.role == "embedder" else "embedding"
    if not server.family and other in model_name(server.model).lower():
        raise WrongRequest(
            f"{server.model} is not {_A_ROLE[server.role]}", remedy="serve it in the other role, or name its --family"
        )
    return family


def require_folder(model: str) -> None:
    """WrongRequest if a model is named by a path without a model, because vLLM would look that name up on a hub."""
    named = model.startswith(("/", "./", "../", "~", "modelscope:/")) or Path(model).is_dir()
    if named and not (Path(model) / "config.json").is_file():
        what = "has no config.json" if Path(model).is_dir() else "does not exist"
        raise WrongRequest(f"the folder {model} {what}", remedy="name a complete model folder, or a model by its name")


def partner(model: str) -> str:
    """The reranker that goes with an embedder, by its name: same family, size and place; "" if there is none."""
    before, slash, name = model.rpartition("/")
    found = re.fullmatch(r"(Qwen3(?:-VL)?-)Embedding(-[\d.]+B)", model_name(name))
    beside = f"{before}{slash}{found.group(1)}Reranker{found.group(2)}" if found else ""
    return "" if Path(model).exists() and not Path(beside).is_dir() else beside


def newest(platform: str) -> str:
    """The version to assume if none is installed and none is named."""
    return NEWEST_ASCEND if platform.startswith("ascend") else NEWEST


def elsewhere(wanted: LaunchOptions, card_memory: float) -> LaunchOptions:
    """The options completed for another machine: an image of vLLM, and cards of `card_memory` GiB (0: not known)."""
    platform = wanted.platform or "cuda"
    size = int(card_memory * GIB)
    cards = tuple(Card(number, "card", size, size) for number in range(wanted.tensor_parallel * wanted.data_parallel))
    return replace(wanted, platform=platform, version=wanted.version or newest(platform), cards=cards if size else ())


def url_of(host: str, port: int) -> str:
    """The address for clients on this machine of a server that listens at `host`."""
    place = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    return f"http://{f'[{place}]' if ':' in place else place}:{port}"


def _entry(server: ServerSpec, options: LaunchOptions) -> list[str]:
    model = modelscope.name_of(server.model)
    name = model_name(model) if _is_folder(model) else model
    place = ["--host", options.host, "--port", str(server.port)]
    runner = [] if server.role == "answerer" else ["--runner", "pooling"]
    return [*options.entry, model, "--served-model-name", name, *place, *runner]


def _require_apart(servers: Sequence[ServerSpec]) -> None:
    ports = [server.port for server in servers]
    if len(set(ports)) < len(ports):
        raise WrongRequest(f"both servers would listen on port {ports[0]}", remedy="choose another --port or --reranker-port")


def _family_flags(family: Family, length: int, options: LaunchOptions) -> list[str]:
    """The flags for the family: context length, classifier or shorter vectors, template, and how pixels are read."""
    flags = ["--max-model-len", str(length)] if length else []
    if not family.templated:
        return flags
    overrides = classifier_overrides(family) if family.classifier else dict(family.overrides)
    if overrides:
        flags += ["--hf-overrides", json.dumps(overrides)]
    if family.template:
        template = template_file(family)
        flags += ["--chat-template", f"{options.templates.rstrip('/')}/{template.name}" if options.templates else str(template)]
    if family.sees and not family.classifier:
        sides = 2 if family.pair else 1  # a query and a document
        limits = {"image": sides * family.pictures, "video": 1 if family.videos else 0}
        flags += ["--limit-mm-per-prompt", json.dumps(limits)]
    if family.pooling == "tokens":
        flags += ["--pooler-config", json.dumps({"task": "token_embed"})]
    if family.resizes:
        flags += ["--mm-processor-kwargs", json.dumps(resizing(family))]
    if family.sees and family.videos:
        # num_frames limits the frames that a client has chosen (`video/jpeg`; 32 by default) and, before 0.24, those of files.
        # From 0.24 on, max_frames limits those of files (CVE-2026-105758 names the range).
        bounds = {"fps": 1, "num_frames": MOST_FRAMES}
        bounds |= {"max_frames": MOST_FRAMES} if release(options.version) >= (0, 24) else {}
        flags += ["--media-io-kwargs", json.dumps({"video": bounds})]
    return flags


def _chat_flags(family: Family, length: int) -> list[str]:
    """The flags of a chat model: context length, and so many pictures and no videos, for which memory would be kept."""
    seen = ["--limit-mm-per-prompt", json.dumps({"image": PICTURES, "video": 0})] if family.sees else []
    return ["--max-model-len", str(length), *seen]


def _parallel(options: LaunchOptions) -> list[str]:
    flags = ["--tensor-parallel-size", str(options.tensor_parallel)] if options.tensor_parallel > 1 else []
    return flags + (["--data-parallel-size", str(options.data_parallel)] if options.data_parallel > 1 else [])


def _platform_flags(options: LaunchOptions) -> list[str]:
    dtype = options.dtype or (HALF if options.platform == "ascend-310p" else "")
    flags = ["--dtype", dtype] if dtype else []
    if options.platform == "ascend-310p":
        for name, value in FEW_STREAMS.items():
            flags += [f"--{name.replace('_', '-')}", json.dumps(value)]
    if _on_ascend(options) and caches_wrongly(options.version):
        flags.append("--no-enable-prefix-caching")
    return flags


def _defaults(
    server: ServerSpec,
    shape: ModelShape | None,
    length: int,
    prompts: int,
    options: LaunchOptions,
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Variables for one server. Those already set stay as they are, except the key."""
    wanted = {"VLLM_NO_USAGE_STATS": "1"}
    if _on_ascend(options):
        if not _is_folder(server.model):
            wanted["VLLM_USE_MODELSCOPE"] = "True"
        wanted |= ALLOCATOR
    if options.platform == "cpu":
        space = kept_space(shape, max_model_len=length or 8192, bytes_a_number=_bytes(options), prompts=prompts)
        wanted["VLLM_CPU_KVCACHE_SPACE"] = str(space)
    wanted = {name: value for name, value in wanted.items() if name not in environment}
    if modelscope.is_there(server.model):
        wanted[modelscope.VARIABLE] = "True"
    return {**wanted, "VLLM_API_KEY": options.api_key} if options.api_key else wanted


def _visible(cards: Sequence[Card], options: LaunchOptions) -> dict[str, str]:
    """The variable that binds a server to its cards, unless they are simply the first ones."""
    numbers = [card.number for card in cards]
    if not cards or options.platform == "cpu" or numbers == [card.number for card in options.cards[: len(numbers)]]:
        return {}
    return {VISIBLE_DEVICES[options.platform or "cuda"]: ",".join(map(str, numbers))}


def _need(server: ServerSpec, family: Family, shape: ModelShape | None, length: int, options: LaunchOptions) -> MemoryNeed | None:
    if shape is None:
        return None
    return need_of(
        model_name(server.model),
        shape,
        sees=family.sees,
        max_model_len=length or 8192,
        bytes_a_number=_bytes(options),
        tensor_parallel=options.tensor_parallel,
        weights=weights_of(server.model),
    )


def _length(server: ServerSpec, family: Family, options: LaunchOptions) -> int:
    """The longest prompt in tokens: as chosen, else the family's, but short on an Atlas 300I DUO; 0 leaves it to vLLM."""
    if options.max_model_len:
        return options.max_model_len
    if not family.templated and server.role != "answerer":
        return 0
    return min(family.max_tokens, SMALL_CONTEXT) if options.platform == "ascend-310p" else family.max_tokens


def _on_ascend(options: LaunchOptions) -> bool:
    return options.platform in ("ascend", "ascend-310p")


def _is_folder(model: str) -> bool:
    """Whether a model is named by its folder, here or (by an absolute path) on another machine."""
    return Path(model).is_absolute() or Path(model).is_dir()


def _bytes(options: LaunchOptions) -> int:
    return 4 if options.dtype in ("float32", "float") else 2


def _shown(name: str, value: str) -> str:
    return f'"${name}"' if name.endswith("_API_KEY") else shlex.quote(value)
