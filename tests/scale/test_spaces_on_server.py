"""Laws of further vector spaces on a real Milvus server, 2.3.5: some of those that need no words of it.

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

HERE = (  # each makes collections, half a minute on such a server
    "test_the_nearest_in_a_space_are_those_of_brute_force_with_their_scores",
    "test_filters_hold_in_every_space_and_what_it_lacks_is_not_found",
    "test_a_vector_follows_its_content_to_new_versions_copies_and_other_names",
    "test_one_fills_at_a_time_and_others_write_meanwhile",
    "test_a_run_that_did_not_see_the_vector_of_a_copy_leaves_it_to_be_followed",
    "test_a_fill_whose_model_is_dropped_meanwhile_forgets_its_vectors",
    "test_rows_that_no_document_names_are_swept_from_every_space",
)
globals().update({name: vars(laws)[name] for name in HERE})


@pytest.fixture
def room(server: MilvusServer) -> Iterator[MilvusRoom]:  # noqa: F811
    """An index of its own, which does not exist yet."""
    yield MilvusRoom(f"milvus://127.0.0.1:{server.port}/index{next(NUMBERS)}")


@pytest.fixture
def milvus(room: MilvusRoom) -> MilvusRoom:
    return room
