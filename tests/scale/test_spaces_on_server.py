"""The laws of further vector spaces on a real Milvus server, 2.3.5: those that need no words of it.

Knows the tests of `test_spaces`, which run here once more, on another engine.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.index.milvus.room import MilvusRoom
from tests.scale import test_spaces as laws
from tests.scale.milvus_server import MilvusServer, why_not
from tests.scale.test_server import NUMBERS, server  # noqa: F401 (a fixture)
from tests.scale.test_spaces import made, two  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(why_not()), reason=why_not())]

NEED_WORDS = {
    "test_words_that_a_query_demands_hold_in_every_space",
    "test_a_space_takes_the_place_of_the_first_and_the_others_stay",
}
globals().update({name: law for name, law in vars(laws).items() if name.startswith("test_") and name not in NEED_WORDS})


@pytest.fixture
def room(server: MilvusServer) -> Iterator[MilvusRoom]:  # noqa: F811
    """An index of its own, which does not exist yet."""
    yield MilvusRoom(f"milvus://127.0.0.1:{server.port}/index{next(NUMBERS)}")


@pytest.fixture
def milvus(room: MilvusRoom) -> MilvusRoom:
    return room
