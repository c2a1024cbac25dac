"""Runs llama.cpp's server, from the package xllamacpp, in a process of its own that `rag serve --engine llamacpp` starts.

Knows those flags of `llama-server` that are set for our models; knows no prompt and no client. A failed assert in llama.cpp ends
the whole process, so it never runs in anyone else's. The key comes from LLAMA_API_KEY, where no other user can read it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

CACHE_TYPES = ("f32", "f16", "bf16", "q8_0")
FLASH = ("on", "off", "auto")


def main(words: Sequence[str]) -> NoReturn:
    """Serves until SIGINT or SIGTERM. `words`: the flags, spelled as those of `llama-server`."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    server = _serve(parse(words))
    print(f"listening at {server.listening_address}", flush=True)
    ended.wait()
    sys.stdout.flush()
    os._exit(0)  # its destructor waits seconds for clients that keep their connections open, and there is nothing to save


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The flags, by their long names; SystemExit, with the reason on stderr, for one that is not known here."""
    parser = argparse.ArgumentParser("rag.models.llamacpp_process", add_help=False, allow_abbrev=False)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--mmproj", default="")
    parser.add_argument("--alias", default="")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--embeddings", action="store_true")
    parser.add_argument("--pooling", choices=("last",), default="last")
    for flag, name, default in (
        ("c", "ctx-size", 8192),
        ("np", "parallel", 1),
        ("b", "batch-size", 2048),
        ("ub", "ubatch-size", 512),
    ):
        parser.add_argument(f"-{flag}", f"--{name}", type=int, default=default)
    parser.add_argument("-t", "--threads", type=int, default=0)
    parser.add_argument("-ngl", "--gpu-layers", type=int, default=-1)
    parser.add_argument("--image-min-tokens", type=int, default=-1)
    parser.add_argument("--image-max-tokens", type=int, default=-1)
    parser.add_argument("-lv", "--verbosity", type=int, default=3)
    parser.add_argument("-fa", "--flash-attn", choices=FLASH, default="auto")
    parser.add_argument("-ctk", "--cache-type-k", choices=CACHE_TYPES, default="f16")
    parser.add_argument("-ctv", "--cache-type-v", choices=CACHE_TYPES, default="f16")
    return parser.parse_args(words)


def _serve(given: argparse.Namespace) -> Any:
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = given.model
    wanted.mmproj.path = given.mmproj
    wanted.model_alias = {given.alias} if given.alias else set()
    wanted.hostnames, wanted.port = [given.host], given.port
    wanted.api_keys = [key] if (key := os.environ.get("LLAMA_API_KEY", "")) else []
    wanted.embedding, wanted.pooling_type = True, xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_LAST
    wanted.n_ctx, wanted.n_parallel = given.ctx_size, given.parallel
    wanted.n_batch, wanted.n_ubatch = given.batch_size, given.ubatch_size
    wanted.image_min_tokens, wanted.image_max_tokens = given.image_min_tokens, given.image_max_tokens
    wanted.verbosity = given.verbosity
    wanted.n_gpu_layers = given.gpu_layers
    if given.threads:
        wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = given.threads
    flash = xllamacpp.llama_flash_attn_type
    wanted.flash_attn_type = {
        "on": flash.LLAMA_FLASH_ATTN_TYPE_ENABLED,
        "off": flash.LLAMA_FLASH_ATTN_TYPE_DISABLED,
        "auto": flash.LLAMA_FLASH_ATTN_TYPE_AUTO,
    }[given.flash_attn]
    wanted.cache_type_k, wanted.cache_type_v = (
        getattr(xllamacpp.ggml_type, f"GGML_TYPE_{kind.upper()}") for kind in (given.cache_type_k, given.cache_type_v)
    )
    wanted.ui, wanted.offline, wanted.endpoint_slots = False, True, False  # nothing but the model is served, nothing downloaded
    wanted.cors_origins, wanted.cors_origins_explicit = "", True  # no web page of anyone else asks it
    return xllamacpp.Server(wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
