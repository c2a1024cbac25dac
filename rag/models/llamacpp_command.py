"""Builds the exact command of a llama.cpp server for each GGUF model, and says how much memory it takes or refuses it.

Knows flags and sizes; starts nothing, and needs no llama.cpp here to print a command.
"""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from rag.errors import MissingExtra, WrongRequest
from rag.models.gguf_model import GgufModel
from rag.models.memory import GIB, MemoryNeed
from rag.models.vllm_command import LaunchCommand, LaunchOptions, ServerSpec, url_of

PROCESS = (sys.executable, "-P", "-m", "rag.models.llamacpp_process")
PROGRAM = "llama-server"
KEY_VARIABLE = "LLAMA_API_KEY"
WORKING = GIB // 2  # buffers of one step of 512 tokens, and the program itself (an estimate)
VISION = GIB // 2  # the vision tower over the largest picture (an estimate)
_OF_VLLM = {
    "platform": "--platform",
    "version": "--vllm-version",
    "tensor_parallel": "--tensor-parallel",
    "data_parallel": "--data-parallel",
    "memory_share": "--memory-share",
    "dtype": "--dtype",
    "templates": "--templates",
}
FEWEST, MOST = "4", "1280"  # tokens of one picture: 4,096 … 1,310,720 pixels, 32 × 32 a token


def installed_entry() -> tuple[str, ...]:
    """The words before the flags: xllamacpp in a process of ours, else the `llama-server` on PATH. MissingExtra without both."""
    if find_spec("xllamacpp") is not None:
        return PROCESS
    if shutil.which(PROGRAM):
        return (PROGRAM,)
    raise MissingExtra(
        f"neither xllamacpp nor {PROGRAM} is installed here (--dry-run prints the commands without it)", "llamacpp"
    )


def refuse_unknown(options: LaunchOptions) -> None:
    """WrongRequest for an option that means something to vLLM only."""
    plain = LaunchOptions()
    named = [name for name in _OF_VLLM if getattr(options, name) != getattr(plain, name)]
    if named:
        flags = ", ".join(_OF_VLLM[name] for name in named)
        raise WrongRequest(f"llama.cpp takes no {flags}", remedy="leave it out; llama.cpp's own flags go after --")


def command(model: GgufModel, server: ServerSpec, options: LaunchOptions) -> LaunchCommand:
    """The command of one server, with the host, length, key and further flags of the options, and their `entry` before the flags.

    Without a key, a new one is made: other programs and web pages on this machine must not use the model unasked.
    """
    length = (options.max_model_len or model.family.max_tokens) + 1  # a prompt must not fill it
    flags = ["--model", str(model.weights), "--alias", model.name, "--host", options.host, "--port", str(server.port)]
    flags += ["--embeddings", "--pooling", "last", "-c", str(length), "-np", "1", "-b", "512", "-ub", "512", "-lv", "1"]
    if model.mmproj:
        flags += ["--mmproj", str(model.mmproj), "--image-min-tokens", FEWEST, "--image-max-tokens", MOST]
    key = options.api_key or secrets.token_urlsafe(24)
    words = (*options.entry, *flags, *options.extra)
    return LaunchCommand(server.role, model.name, url_of(options.host, server.port), words, {KEY_VARIABLE: key}, key)


def need_of(model: GgufModel, length: int) -> MemoryNeed:
    """What a server needs: its files, keys and values of one longest prompt at 16 bits, and working memory."""
    shape = model.shape
    return MemoryNeed(
        name=model.name,
        weights=model.size,
        prompt=2 * shape.layers * shape.kv * 2 * (length or model.family.max_tokens),
        working=WORKING + (VISION if model.mmproj else 0),
    )


def require_memory(needs: Sequence[MemoryNeed], free: int, say: Callable[[str], None]) -> None:
    """Says what each server needs. WrongRequest, with the arithmetic, if it is more than the `free` bytes (0: not known)."""
    for need in needs:
        say(str(need))
    wanted = sum(need.total for need in needs)
    if free and wanted > free:
        raise WrongRequest(
            f"{' · '.join(map(str, needs))} · needed: {wanted / GIB:.1f} GiB; {free / GIB:.1f} GiB of main memory are free",
            remedy="take a smaller model or a smaller quantisation, a smaller --max-model-len, or end other programs",
        )


def free_memory(file: Path = Path("/proc/meminfo")) -> int:
    """Bytes of main memory that programs can still take, as Linux estimates them; 0 where that is not known."""
    try:
        lines = dict(line.split(":", 1) for line in file.read_text("ascii").splitlines() if ":" in line)
        return int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, ValueError, KeyError, IndexError):
        return 0
