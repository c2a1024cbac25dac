"""Keeps conversations between runs: one JSON file for each, readable by this user only.

Knows files and turns; knows no model and no terminal.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from rag.errors import WrongRequest

NAME = re.compile(r"[\w.-]{1,80}")


def session_folder() -> Path:
    """$XDG_STATE_HOME/multimodal-rag/chats, else below ~/.local/state. It need not exist."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state else Path.home() / ".local/state") / "multimodal-rag/chats"


def load_session(name: str) -> list[tuple[str, str]]:
    """The turns of a conversation as (question, answer), oldest first; none of a new one. WrongRequest."""
    file = _file(name)
    try:
        rows = json.loads(file.read_text("utf-8"))
        return [(str(row["question"]), str(row["answer"])) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongRequest(f"{file} is no conversation: {error}", remedy="remove it, or name another --session") from error


def save_session(name: str, turns: Sequence[tuple[str, str]]) -> None:
    """Writes all turns of a conversation. WrongRequest where that fails."""
    file = _file(name)
    rows = [{"question": question, "answer": answer} for question, answer in turns]
    draft = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(json.dumps(rows, ensure_ascii=False, indent=1))
        draft.replace(file)
    except OSError as error:
        raise WrongRequest(f"{file} cannot be written: {error.strerror}", remedy="make the folder writable") from error


def _file(name: str) -> Path:
    if not NAME.fullmatch(name) or name.startswith("."):
        raise WrongRequest(f"{name!r} is no name of a session", remedy="use letters, digits, hyphens and dots, up to 80")
    return session_folder() / f"{name}.json"
