"""Models named `modelscope:NAME`: their files come from ModelScope, not from Hugging Face.

Knows names and one variable of vLLM; knows no family of models.
"""

from __future__ import annotations

from importlib.util import find_spec

from rag.errors import BackendError, MissingExtra

PREFIX = "modelscope:"
VARIABLE = "VLLM_USE_MODELSCOPE"  # vLLM asks ModelScope for every name where this is True


def is_there(model: str) -> bool:
    """Whether the model is named as one of ModelScope."""
    return model.startswith(PREFIX)


def name_of(model: str) -> str:
    """The model's name on its hub, or its folder: without the prefix."""
    return model.removeprefix(PREFIX)


def require(model: str) -> None:
    """MissingExtra where the model is to come from ModelScope and its package is not installed. Imports nothing."""
    if is_there(model) and find_spec("modelscope") is None:
        raise MissingExtra(f"modelscope is not installed: it would fetch {name_of(model)}", "modelscope")


def folder_of(model: str) -> str:
    """Where the files of the model are: fetched into ModelScope's cache unless they are there. Other models stay as named.

    MissingExtra without the package; BackendError with the reason where ModelScope gives no files.
    """
    if not is_there(model):
        return model
    require(model)
    from modelscope import snapshot_download
    from modelscope_hub.errors import HubError

    try:
        return str(snapshot_download(name_of(model)))
    except (HubError, OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise BackendError(
            f"ModelScope gives no {name_of(model)}: {reason}", remedy="check the name and the network, or name a local folder"
        ) from error
