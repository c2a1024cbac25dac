"""What is made once for all unit tests. Knows pytest only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rag.media.service import MediaService
from tests.unit.api_server import asking, build_library


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index folder of a few samples. Not to be changed."""
    return build_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="session")
def api(library: Path) -> Iterator[TestClient]:
    """The API over `library`, on loopback without a key."""
    with asking(library) as client:
        yield client


@pytest.fixture(scope="module")
def media_service() -> Iterator[MediaService]:
    """Its decoders start when they are asked for."""
    with MediaService() as one:
        yield one
