"""Sizes as people write them, and how memory is shared."""

from __future__ import annotations

import re

import pytest

from rag.config import load_settings
from rag.decoding.memory_budget import budget, shortfall
from rag.errors import WrongSetting
from rag.index.files.parallel import cores


@pytest.mark.parametrize(
    ("written", "bytes_"),
    [("8G", 8_000_000_000), ("500 MB", 500_000_000), ("2GiB", 2 * 1024**3), ("1.5k", 1_500), ("700", 700), (700, 700)],
)
def test_sizes_as_people_write_them(written: object, bytes_: int) -> None:
    assert load_settings({"max_file_bytes": written}).max_file_bytes == bytes_


@pytest.mark.parametrize("written", ["much", "", "-1G", "8X", "1..5G", "9" * 400 + "T"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(WrongSetting, match=r"--max-memory: should be a size such as 8G or 500M \(given: "):
        load_settings({"max_memory": written})


def test_too_little_memory_is_said() -> None:
    assert [shortfall(given) for given in (0, 1_000_000_000, 8_000_000_000)] == ["", "", ""]
    assert "less than the 1.0G" in shortfall(10_000_000)


def test_memory_is_shared_and_there_are_fewer_readers_where_it_is_little() -> None:
    assert budget("auto", 0).jobs == cores()
    assert budget(3, 0).jobs == 3
    assert budget(0, 8_000_000_000).jobs == 0
    shared = budget(8, 8_000_000_000)
    assert shared.jobs == 8
    assert shared.jobs * shared.memory + 2 * shared.queue + 600_000_000 <= 8_000_000_000
    assert [budget(jobs, 0).decoded for jobs in (0, 2, 6, 64)] == [32_000_000, 32_000_000, 48_000_000, 64_000_000]
    assert budget(2, 500_000_000).decoded == 25_000_000
    assert budget(8, 1_500_000_000).jobs == 1
    assert budget(8, 1).memory == 400_000_000


def test_the_setting_takes_a_number_or_auto() -> None:
    assert (load_settings({"jobs": "2"}).jobs, load_settings({"jobs": "auto"}).jobs) == (2, "auto")
    for given, said in (
        ("many", "should be 'auto' or a valid integer (given: 'many')"),
        ("-1", "should be 'auto' or greater than or equal to 0 (given: '-1')"),
        ("100000", "should be 'auto' or less than or equal to 1024 (given: '100000')"),
    ):
        with pytest.raises(WrongSetting, match=re.escape(f"--jobs: {said}")):
            load_settings({"jobs": given})
