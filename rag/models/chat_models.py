"""What a server must know of a chat model: whether it sees, and how much it is given to read.

Knows names and a local folder's config.json; starts nothing and asks nothing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from rag.backends.families import Family, model_name
from rag.errors import WrongRequest

CONTEXT = 32_768  # tokens: the evidence of a question, its answer and some turns before; more costs memory that two others need
PICTURES = 8  # in one prompt
_SEES = re.compile(r"(?<![a-z])(vl|vision|omni|llava|pixtral|internvl)(?![a-z])", re.IGNORECASE)
_NO_CHAT = re.compile(r"embedding|rerank", re.IGNORECASE)


def chat_family(model: str) -> Family:
    """How a chat model is served. WrongRequest if it is made for another role."""
    name = model_name(model)
    if _NO_CHAT.search(name):
        raise WrongRequest(f"{model} is not an answerer", remedy="serve a chat model, such as Qwen/Qwen3-VL-4B-Instruct")
    return Family("chat", sees_by_name(model), CONTEXT, "", "", "", templated=False)


def sees_by_name(model: str) -> bool:
    """Whether a model sees: by its folder's config.json, else by its name."""
    file = Path(model).expanduser() / "config.json"
    try:
        config = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    except (OSError, ValueError):
        config = {}
    if isinstance(config, dict) and config:
        return "vision_config" in config
    return bool(_SEES.search(model_name(model)))
