"""`rag serve`: starts the model servers, or prints their commands. Knows options and printing only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.models.vllm_command import LaunchOptions, ServerSpec


Which = Literal["embedder", "reranker", "answerer", "both", "all"]
KEY_NOTICE = "vLLM checks the key below /v1 only: /rerank, /score and /tokenize answer anyone who can reach the port"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
Engine = Literal["vllm", "llamacpp"]
Where = Literal["auto", "cuda", "ascend", "ascend-310p", "cpu"]


def serve(
    which: Annotated[Which, typer.Argument(help="What to serve; both: embedder and reranker.")],
    extra: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ARGS]", help="Arguments for the engine, passed on unchanged.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="What runs the model: vLLM, or llama.cpp for a GGUF.")] = "vllm",
    model: Annotated[
        str,
        typer.Option(help="The model: a name, or a local folder; for llamacpp a GGUF file, or its folder.", show_default=False),
    ] = "",
    mmproj: Annotated[str, typer.Option(help="For llamacpp: the model's mmproj. Default: the one beside the model.")] = "",
    reranker_model: Annotated[str, typer.Option(help="For both: the reranker. Default: the partner of --model.")] = "",
    answerer_model: Annotated[str, typer.Option(help="For all: the chat model.", show_default=False)] = "",
    family: Annotated[str, typer.Option(help="Model family (prompts and limits), where the name does not tell.")] = "",
    reranker_family: Annotated[str, typer.Option(help="The same for the reranker.")] = "",
    platform: Annotated[Where, typer.Option(help="Where vLLM runs; auto: detected.")] = "auto",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port. Default: 8000, reranker 8001, answerer 8002.")] = None,
    reranker_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the reranker.")] = 8001,
    answerer_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the answerer.")] = 8002,
    tensor_parallel: Annotated[int, typer.Option(min=1, help="Cards that share one copy of a model.")] = 1,
    data_parallel: Annotated[int, typer.Option(min=1, help="Copies of a model.")] = 1,
    memory_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of a card's memory for all servers; 0 means 0.92.")
    ] = 0.0,
    card_memory: Annotated[float, typer.Option(min=0.0, help="Memory of a card in GiB, to plan for another machine.")] = 0.0,
    max_model_len: Annotated[int, typer.Option(min=0, help="Longest prompt in tokens; 0: the model's own.")] = 0,
    dtype: Annotated[str, typer.Option(help="bfloat16, float16 or float32. Default: the checkpoint's.")] = "",
    api_key: Annotated[str, typer.Option(envvar="VLLM_API_KEY", show_envvar=True, help="Clients must send this key.")] = "",
    vllm_version: Annotated[str, typer.Option(help="Flags for this version. Default: the installed one.")] = "",
    templates: Annotated[str, typer.Option(help="Folder of the chat templates on the machine that will run the command.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands and start nothing.")] = False,
) -> None:
    """Start vLLM for an embedder, a reranker, a chat model, or several on one card; or llama.cpp for the first two."""
    import os

    from rag.backends.modelscope import require
    from rag.cli.terminal import say
    from rag.errors import WrongRequest
    from rag.models.engine import here, required_engine
    from rag.models.supervisor import run
    from rag.models.vllm_command import LaunchOptions, commands, elsewhere, family_for, require_folder

    planned = bool(card_memory or templates)
    if planned and not dry_run:
        raise WrongRequest("--card-memory and --templates plan for another machine", remedy="add --dry-run")
    if which == "embedder" and reranker_model:
        raise WrongRequest("`rag serve embedder` starts no reranker", remedy="leave --reranker-model out, or: rag serve both")
    if which not in ("all", "answerer") and answerer_model:
        raise WrongRequest(f"`rag serve {which}` starts no answerer", remedy="leave --answerer-model out, or: rag serve all")
    answerer = (answerer_model or (model if which == "answerer" else ""), port if which == "answerer" and port else answerer_port)
    servers = (
        [] if which == "answerer" else _servers(which, (model, family), (reranker_model, reranker_family), (port, reranker_port))
    )
    servers += _answerer(which, *answerer)
    wanted = LaunchOptions(
        platform=None if platform == "auto" else platform,
        version=vllm_version,
        host=host,
        tensor_parallel=tensor_parallel,
        data_parallel=data_parallel,
        memory_share=memory_share,
        max_model_len=max_model_len,
        dtype=dtype,
        api_key=api_key,
        templates=templates,
        extra=tuple(extra or ()),
    )
    if engine == "llamacpp":
        return _serve_llamacpp(servers, wanted, mmproj, dry_run=dry_run)
    if mmproj:
        raise WrongRequest("only llama.cpp takes --mmproj", remedy="leave it out, or add --engine llamacpp")
    if host not in LOOPBACK:
        say(KEY_NOTICE if api_key else f"anyone who can reach {host} can use the models: set a key with --api-key")
    for server in servers:
        if not planned:
            require_folder(server.model)
        if server.role != "answerer" and not (server.family or family_for(server).source):
            say(f"{server.model}: its family is not known, so it gets text without a template; if it has one, give --family")
    if not dry_run:
        terms = here(wanted)
        required_engine(terms.platform or "")
        for server in servers:
            require(server.model)
        run(commands(servers, terms, os.environ), say)
    elif planned:
        print("\n".join(map(str, commands(servers, elsewhere(wanted, card_memory), {}))))
    else:
        print("\n".join(map(str, commands(servers, here(wanted), os.environ))))


def _serve_llamacpp(servers: Sequence[ServerSpec], wanted: LaunchOptions, mmproj: str, *, dry_run: bool) -> None:
    from dataclasses import replace

    from rag.cli.terminal import say
    from rag.errors import WrongRequest
    from rag.models import llamacpp_command
    from rag.models.gguf_model import find_model
    from rag.models.supervisor import run

    llamacpp_command.refuse_unknown(wanted)
    if mmproj and len(servers) > 1:
        raise WrongRequest("--mmproj names the vision tower of one model", remedy="serve embedder and reranker one by one")
    if wanted.host not in LOOPBACK and not wanted.api_key:
        say("clients on other machines need a key that you choose: --api-key")
    models = [find_model(server, mmproj) for server in servers]
    needs = [llamacpp_command.need_of(model, wanted.max_model_len) for model in models]
    entry = (llamacpp_command.PROGRAM,) if dry_run else llamacpp_command.installed_entry()
    options = replace(wanted, entry=entry)
    made = [llamacpp_command.command(model, server, options) for model, server in zip(models, servers, strict=True)]
    if dry_run:
        print("\n".join(map(str, made)))
        return
    llamacpp_command.require_memory(needs, llamacpp_command.free_memory(), say)
    run(made, say)


def _servers(which: Which, model: tuple[str, str], reranker: tuple[str, str], ports: tuple[int | None, int]) -> list[ServerSpec]:
    """The servers to start, of (name, family) and ports; `both` without a reranker takes the embedder's partner. WrongRequest."""
    from rag.errors import WrongRequest
    from rag.models.vllm_command import ServerSpec, partner

    own, other = ports
    if which == "reranker":
        model, reranker = ("", ""), (reranker if reranker[0] else (model[0], model[1] or reranker[1]))
        other = own or other
    if which in ("both", "all") and not reranker[0]:
        reranker = (partner(model[0]), reranker[1])
    wanted = [ServerSpec("embedder", model[0], own or 8000, model[1])] if which != "reranker" else []
    wanted += [ServerSpec("reranker", reranker[0], other, reranker[1])] if which != "embedder" else []
    for server in wanted:
        if not server.model:
            named = "--reranker-model" if which in ("both", "all") and server.role == "reranker" else "--model"
            example = "Qwen/Qwen3-VL-Embedding-2B" if server.role == "embedder" else "Qwen/Qwen3-VL-Reranker-2B"
            raise WrongRequest(f"no model is given for the {server.role}", remedy=f"give one, such as {named} {example}")
    return wanted


def _answerer(which: Which, model: str, port: int) -> list[ServerSpec]:
    """The chat model to start, if any. WrongRequest if none is named."""
    from rag.errors import WrongRequest
    from rag.models.vllm_command import ServerSpec

    if which not in ("all", "answerer"):
        return []
    if not model:
        named = "--answerer-model" if which == "all" else "--model"
        raise WrongRequest(
            "no model is given for the answerer",
            remedy=f"give one, such as {named} Qwen/Qwen3-VL-4B-Instruct (2B and 8B exist too)",
        )
    return [ServerSpec("answerer", model, port)]
