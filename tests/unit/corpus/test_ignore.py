"""Ignore files: the verdicts of git, in linear time for every rule and every name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from rag.corpus.ignore import _spec
from rag.corpus.walk import FileEntry, Inaccessible, Root, walk

RULES = st.lists(
    st.sampled_from(["a", "b", "ab", "*", "?", "[ab]", "[!a]", "/", "/**/", "**/", r"\\*", "."]), min_size=1, max_size=9
)
PATHS = st.text("ab*./", min_size=1, max_size=14)


@given(rule=RULES.map("".join), path=PATHS)
@settings(max_examples=600, deadline=None)
@example(rule="**/a*b/**/b*a*b/**/ab", path="x/aab/a/bbab/ab")
@example(rule="*a*?b*[ab]*", path="aabba")
def test_a_rewritten_rule_decides_as_before(rule: str, path: str) -> None:
    expected = GitIgnoreSpec.from_lines([rule], backend="simple").check_file(path).include
    assert _spec([rule])[0].check_file(path).include == expected


SLOW = """
import sys
from rag.corpus.ignore import _spec
name = "a" * 250 + ".txt"
assert _spec(["*a" * 20 + "*b"])[0].check_file(name).include is None
assert _spec(["*a" * 20 + "*t"])[0].check_file(name).include
assert _spec(["**/a/" * 20 + "b"])[0].check_file("a/" * 2000 + "c").include is None
assert _spec(["**/a/" * 20 + "c"])[0].check_file("a/" * 2000 + "c").include
"""


def test_no_rule_takes_forever_on_one_name() -> None:
    """With the backtracking of `re`, the first of these would outlast the universe."""
    subprocess.run([sys.executable, "-c", SLOW], check=True, timeout=60)


def test_an_ignore_file_of_gigabytes_blocks_its_folder_and_nothing_else(tmp_path: Path) -> None:
    for folder in ("huge", "sound"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("words")
    with (tmp_path / "huge/.gitignore").open("wb") as stream:
        stream.truncate(10_000_000_000)
    seen = list(walk(Root("r", tmp_path)))
    assert [one.path for one in seen if isinstance(one, FileEntry)] == ["sound/a.txt"]
    assert [one for one in seen if isinstance(one, Inaccessible)] == [
        Inaccessible("huge", "its ignore file cannot be read: it has more than 500,000 bytes")
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="a file of /proc")
def test_an_ignore_file_that_blocks_does_not_stop_the_walk(tmp_path: Path) -> None:
    (tmp_path / ".ragignore").symlink_to("/proc/kmsg")
    seen = list(walk(Root("r", tmp_path)))
    assert all(isinstance(one, Inaccessible) or one.path == ".ragignore" for one in seen)
