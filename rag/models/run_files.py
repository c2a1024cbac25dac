"""Run files of the servers started on this machine: `rag serve` and `rag ui` write them, other commands find them.

Knows a small folder of JSON files and whether a port answers; knows no model and no HTTP.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from rag.errors import WrongRequest

Task = Literal["embedder", "reranker"]
TASKS: tuple[Task, ...] = ("embedder", "reranker")
ModelRole = Task | Literal["answerer"]
Role = ModelRole | Literal["ui"]

CONNECT_SECONDS = 0.3  # for a local port to accept a connection


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server on this machine: `url` without /v1, `pid` of the server, `started` in seconds since the epoch.

    Those of `rag ui` also say which index folders they serve, with which models, and an id that their API repeats.
    """

    role: Role
    url: str
    model: str
    pid: int
    started: float
    serves: tuple[str, ...] = ()
    asks: str = ""  # `rag.models.selection.query_print` of its settings: with which models it searches
    token: str = field(default="", repr=False)  # the key that opens it; "": none, or one that its user must name
    id: str = ""


def run_folder() -> Path:
    """$XDG_RUNTIME_DIR/multimodal-rag, else ~/.cache/multimodal-rag. It need not exist."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return (Path(runtime) if runtime else Path.home() / ".cache") / "multimodal-rag"


def private_folder() -> Path:
    """The folder of run files, made if need be. WrongRequest if it is not private to this user; OSError."""
    folder = run_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _private(folder):
        raise WrongRequest(f"{folder} is not private to this user", remedy=f"make it private (chmod 700 {folder}), or remove it")
    return folder


def announce(endpoint: RunningServer) -> Path:
    """Writes the run file of a server that answers, into a private folder (0700). WrongRequest if it is not private."""
    folder = run_folder()
    try:
        private_folder()
        for stale, server in _found(folder):
            if not alive(server.pid):
                stale.unlink(missing_ok=True)
        file = folder / f"{endpoint.role}-{endpoint.pid}.json"
        draft = file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(json.dumps(asdict(endpoint)))  # mode 0600, because it holds the key and an older folder may be readable
        draft.replace(file)
    except OSError as error:
        raise WrongRequest(
            f"{folder} cannot be written: {error.strerror}", remedy="set XDG_RUNTIME_DIR to a folder of your own"
        ) from error
    return file


def withdraw(file: Path) -> None:
    """Removes the run file of a server that ends."""
    file.unlink(missing_ok=True)


def running(role: Role) -> list[RunningServer]:
    """The servers of this user that are alive and accept a connection, newest first. Never raises, and changes no file."""
    folder = run_folder()
    if not _private(folder):
        return []
    found = [endpoint for _, endpoint in _found(folder) if endpoint.role == role]
    return sorted((one for one in found if alive(one.pid) and _accepts(one.url)), key=lambda one: -one.started)


def run_files(name: str) -> list[Path]:
    """The files of this user whose names begin so; none where the folder is not private. Never raises."""
    folder = run_folder()
    return sorted(folder.glob(f"{name}-*.json")) if _private(folder) else []


def key_for(url: str) -> str:
    """The key that a model server of this user at that address asks for; "" if there is none, or none that is known."""
    place = url.rstrip("/").removesuffix("/v1")
    found = [one for role in TASKS for one in running(role) if one.url == place]
    return found[0].token if found else ""


def alive(pid: int) -> bool:
    """Whether this user has a process with that number."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _private(folder: Path) -> bool:
    """Whether the folder is this user's and not writable by others, whose files could name their own servers."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _found(folder: Path) -> list[tuple[Path, RunningServer]]:
    endpoints: list[tuple[Path, RunningServer]] = []
    for file in sorted(folder.glob("*.json")):
        try:
            row = json.loads(file.read_text("utf-8"))
            one = RunningServer(row["role"], str(row["url"]), str(row["model"]), int(row["pid"]), float(row["started"]))
            one = replace(one, token=str(row.get("token", "")))
            if one.role == "ui":
                one = replace(
                    one,
                    serves=tuple(map(str, row["serves"])),
                    asks=str(row["asks"]),
                    id=str(row["id"]),
                )
        except (OSError, ValueError, KeyError, TypeError):
            continue
        endpoints.append((file, one))
    return endpoints


def _accepts(url: str) -> bool:
    try:
        place = urlsplit(url)
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False
