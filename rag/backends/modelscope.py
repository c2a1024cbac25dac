"""Models named `modelscope:NAME`, whose files come from ModelScope instead of Hugging Face.

Knows names and one variable of vLLM; knows no family of models.
"""

from __future__ import annotations

from importlib.util import find_spec

from rag.errors import BackendError, MissingExtra, first_line

PREFIX = "modelscope:"
VARIABLE = "VLLM_USE_MODELSCOPE"  # if True, vLLM looks every name up on ModelScope


def is_there(model: str) -> bool:
    """Whether the name says that the model comes from ModelScope."""
    return model.startswith(PREFIX)


def name_of(model: str) -> str:
    """The model's name on its hub, or its folder, without the prefix."""
    return model.removeprefix(PREFIX)


def require(model: str) -> None:
    """MissingExtra if the model comes from ModelScope and the `modelscope` package is not installed. Imports nothing."""
    if is_there(model) and find_spec("modelscope") is None:
        raise MissingExtra(f"modelscope is not installed, which is needed to fetch {name_of(model)}", "modelscope")


def folder_of(model: str) -> str:
    """The folder of the model's files, fetched into ModelScope's cache if necessary; other models keep their name.

    MissingExtra without the package; BackendError, with the reason, if the files cannot be fetched.
    """
    if not is_there(model):
        return model
    require(model)
    from modelscope import snapshot_download
    from modelscope_hub.errors import HubError

    try:
        return str(snapshot_download(name_of(model)))
    except (HubError, OSError, ValueError, RuntimeError) as error:
        raise BackendError(
            f"{name_of(model)} cannot be fetched from ModelScope: {first_line(error)}",
            remedy="check the name and the network, or name a local folder",
        ) from error
