"""Rooms for the tests of indexes outside folders: a folder, and Milvus' own core in process. Knows rooms and pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.index.folder_room import FolderRoom
from rag.index.milvus.room import MilvusRoom
from rag.index.room import Room

ROOMS = ("folder", "milvus")


def room_at(kind: str, place: Path) -> Room:
    return FolderRoom(place / "index") if kind == "folder" else MilvusRoom(f"milvus-lite://{place}/index.db")


@pytest.fixture(params=ROOMS)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    return room_at(request.param, tmp_path)


@pytest.fixture
def milvus(tmp_path: Path) -> MilvusRoom:
    return MilvusRoom(f"milvus-lite://{tmp_path}/index.db")
