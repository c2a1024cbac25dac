"""Rooms for the tests of indexes outside folders: a folder, and Milvus' own core in process. Knows rooms and pytest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import rag
from rag.index.folder_room import FolderRoom
from rag.index.milvus.room import MilvusRoom
from rag.index.room import Room

SAMPLES = Path(__file__).parents[2] / "samples"
ROOMS = ("folder", "milvus")


def room_at(kind: str, place: Path) -> Room:
    return FolderRoom(place / "index") if kind == "folder" else MilvusRoom(f"milvus-lite://{place}/index.db")


@pytest.fixture(params=ROOMS)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    return room_at(request.param, tmp_path)


@pytest.fixture(scope="session")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The samples in a folder and in Milvus."""
    place = tmp_path_factory.mktemp("samples")
    folder, address = place / "folder", f"milvus-lite://{place}/team.db"
    reports = [rag.build_index(SAMPLES / "corpus", index=index, ocr="never") for index in (folder, address)]
    assert reports[0].passages == reports[1].passages and reports[0].indexed == reports[1].indexed
    return folder, address


@pytest.fixture
def milvus(tmp_path: Path) -> MilvusRoom:
    return MilvusRoom(f"milvus-lite://{tmp_path}/index.db")


@pytest.fixture(scope="session", autouse=True)
def _the_client_asks_often() -> Iterator[None]:
    """Whether an index over nothing is built: the client waits half a second before it asks again."""
    hasty = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: time.sleep(min(seconds, 0.02))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pymilvus.client.grpc_handler.time", hasty)
        yield


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that ended goes at once."""
    monkeypatch.setattr("rag.index.milvus.room.LINGERS", 0.0)
