"""Sizes as people write them, and how memory is shared."""

from __future__ import annotations

import pytest

from rag.config import load_settings
from rag.decoding.budget import budget, processors
from rag.errors import WrongSetting


@pytest.mark.parametrize(
    ("written", "bytes_"),
    [("8G", 8_000_000_000), ("500 MB", 500_000_000), ("2GiB", 2 * 1024**3), ("1.5k", 1_500), ("700", 700), (700, 700)],
)
def test_sizes_as_people_write_them(written: object, bytes_: int) -> None:
    assert load_settings({"max_file_bytes": written}).max_file_bytes == bytes_


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(WrongSetting, match="max-memory"):
        load_settings({"max_memory": "much"})


def test_memory_is_shared_and_there_are_fewer_readers_where_it_is_little() -> None:
    assert budget("auto", 0).jobs == processors()
    assert budget(3, 0).jobs == 3
    assert budget(0, 8_000_000_000).jobs == 0
    shared = budget(8, 8_000_000_000)
    assert shared.jobs == 8
    assert shared.jobs * shared.memory + 2 * shared.queue + 600_000_000 <= 8_000_000_000
    assert budget(8, 1_500_000_000).jobs == 1
    assert budget(8, 1).memory == 400_000_000


def test_the_setting_takes_a_number_or_auto() -> None:
    assert (load_settings({"jobs": "2"}).jobs, load_settings({"jobs": "auto"}).jobs) == (2, "auto")
    with pytest.raises(WrongSetting, match="jobs"):
        load_settings({"jobs": "many"})
