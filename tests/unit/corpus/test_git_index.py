"""The parser of git's index: every version git writes, and the lies of those who write one by hand."""

from __future__ import annotations

import hashlib
import random
import struct
import time

import pytest

from rag.corpus.git_index import MAX_NAMES, read_tracked


def entry(name: bytes, mode: int = 0o100644, extended: bool = False) -> bytes:
    flags = min(len(name), 0xFFF) | (0x4000 if extended else 0)
    fixed = struct.pack(">6I", *range(6)) + struct.pack(">4I", mode, 0, 0, 7) + b"i" * 20 + struct.pack(">H", flags)
    found = fixed + (b"\x20\0" if extended else b"") + name
    return found + b"\0" * (8 - len(found) % 8)


def summed(content: bytes) -> bytes:
    return content + hashlib.sha1(content).digest()


def index_of(*names: bytes, version: int = 2, count: int | None = None, extra: bytes = b"") -> bytes:
    header = b"DIRC" + struct.pack(">II", version, len(names) if count is None else count)
    return summed(header + b"".join(entry(name, extended=version == 3) for name in names) + extra)


def compressed(*names: tuple[int, bytes], count: int | None = None) -> bytes:
    """Version 4: each name as how much of the one before goes, and what comes."""
    content = b"DIRC" + struct.pack(">II", 4, len(names) if count is None else count)
    before = b""
    for gone, suffix in names:
        before = before[: len(before) - gone] + suffix
        fixed = struct.pack(">6I", *range(6)) + struct.pack(">4I", 0o100644, 0, 0, 7) + b"i" * 20
        content += fixed + struct.pack(">H", min(len(before), 0xFFF)) + bytes([gone]) + suffix + b"\0"
    return summed(content)


@pytest.mark.parametrize("version", [2, 3])
def test_names_are_read(version: int) -> None:
    names = [b"a/b.txt", b"a/report.pdf", "a/über.txt".encode(), b"b" * 5, b"c" * 4_095]
    assert read_tracked(index_of(*names, version=version)).names == names


def test_names_of_version_4_share_their_beginnings() -> None:
    assert read_tracked(compressed((0, b"docs/a.pdf"), (5, b"b.pdf"), (10, b"x"))).names == [b"docs/a.pdf", b"docs/b.pdf", b"x"]


def test_a_repository_without_checksums_is_read() -> None:
    whole = index_of(b"a.txt")
    assert read_tracked(whole[:-20] + b"\0" * 20).names == [b"a.txt"]


def test_a_split_index_names_the_shared_one() -> None:
    link = b"link" + struct.pack(">I", 20) + b"\x12" * 20
    assert read_tracked(index_of(b"a", extra=b"TREE" + struct.pack(">I", 2) + b"xx" + link)) == ([b"a"], "12" * 20)


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (b"", "cut off"),
        (b"DIRC", "cut off"),
        (summed(b"PACK" + b"\0" * 40), "not an index"),
        (index_of(b"a", version=5), "version is 5"),
        (index_of(b"a", count=MAX_NAMES + 1), "claims 1,000,001 names"),
        (index_of(b"a", count=MAX_NAMES), "damaged"),
        (index_of(b"a")[:-1] + b"?", "checksum"),
        (index_of(b"n" * 5_000), "damaged"),
        (compressed((9, b"a")), "damaged"),
    ],
)  # fmt: skip
def test_lies_are_said(index: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_tracked(index)


def test_a_few_bytes_cannot_unfold_to_gigabytes_of_names() -> None:
    steps = [(0, b"a" * 4_000)] + [(0, b"")] * 200_000
    began = time.process_time()
    content = b"DIRC" + struct.pack(">II", 4, len(steps))
    fixed = struct.pack(">6I", *range(6)) + struct.pack(">4I", 0o100644, 0, 0, 7) + b"i" * 20 + struct.pack(">H", 4_000)
    content += b"".join(fixed + b"\0" + suffix + b"\0" for _, suffix in steps)
    with pytest.raises(ValueError, match="names have more than"):
        read_tracked(summed(content))
    assert time.process_time() - began < 5


def test_damage_raises_value_errors_alone() -> None:
    chance = random.Random(7)
    whole = [index_of(*(b"folder/%d.txt" % number for number in range(20)), version=v) for v in (2, 3)]
    whole.append(compressed((0, b"docs/a.pdf"), *[(5, b"%d.pdf" % number) for number in range(10, 30)]))
    for _ in range(600):
        damaged = bytearray(chance.choice(whole)[:-20])
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        del damaged[chance.randint(12, len(damaged)) :]
        try:
            names = read_tracked(summed(bytes(damaged))).names
        except ValueError:
            continue
        assert all(isinstance(name, bytes) for name in names)
