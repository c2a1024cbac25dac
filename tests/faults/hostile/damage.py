"""Every format that is read, damaged in every way that disks, networks and liars damage files.

Knows the sample of each format; knows nothing of what is inside them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from tests.contracts.test_loaders import HERE, picture, video
from tests.faults.hostile.bad import Bad, filled

_OFTEN_TEXT = {"ts", "doc", "xls", "rtf", "gz"}  # TypeScript; what programs export under an old name; unpacked by a download
_TEXTS = {"text", "markdown", "code", "html", "mail", "notebook"}  # damage leaves text that can be read, mostly


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _zeroed(content: bytes) -> bytes:
    third = len(content) // 3
    return content[:third] + bytes(third) + content[2 * third :]


def _flipped(seed: int, share: int) -> Callable[[bytes], bytes]:
    """One bit in `share` bytes is turned over."""

    def flip(content: bytes) -> bytes:
        dice = random.Random(seed)
        changed = bytearray(content)
        for _ in range(max(1, len(changed) // share)):
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        return bytes(changed)

    return flip


def _lying(content: bytes) -> bytes:
    """Every size in the first kilobyte is huge: runs of small numbers become 0xFF."""
    head = bytes(0xFF if byte < 4 else byte for byte in content[12:1024])
    return content[:12] + head + content[1024:]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "head": lambda content: content[:64],
    "half": _half,
    "no-end": lambda content: content[:-40],
    "no-start": lambda content: content[40:],
    "all-zero": lambda content: content[:16] + bytes(max(0, len(content) - 16)),
    "zeroed": _zeroed,
    "flip-1": _flipped(1, 400),
    "flip-2": _flipped(2, 60),
    "flip-3": _flipped(3, 2000),
    "lying": _lying,
    "doubled": lambda content: content + content,
    "tail": lambda content: content + random.Random(4).randbytes(4096),
}


def damaged_files() -> Iterator[Bad]:
    """Each sample under each damage, a text under the name of each, and each under the name of the next."""
    formats = [(family, name, make()) for family, made in HERE.items() for name, make in made.items()]
    formats += [("video", f"a.{suffix}", video(*how)) for suffix, how in _MORE_VIDEOS.items()]
    formats += [("picture", "a.avif", picture("AVIF")), ("picture", "a.heic", _heic())]
    for family, name, content in formats:
        suffix = name.rpartition(".")[2]
        for damage, change in DAMAGE.items():
            yield Bad(f"damaged/{suffix}/{damage}.{suffix}", filled(change(content)), "either")
        if family not in _TEXTS:
            if suffix not in _OFTEN_TEXT:
                yield Bad(f"damaged/{suffix}/text.{suffix}", filled(b"only words\n" * 20), "skipped", "contains text")
            yield Bad(f"damaged/{suffix}/empty.{suffix}", filled(b""), "skipped", "is empty")
            noise = random.Random(5).randbytes(5000)
            yield Bad(f"damaged/{suffix}/noise.{suffix}", filled(b"\x00\x01" + noise), "skipped", ".")
    for (_, _, content), (_, name, _) in zip(formats, formats[1:] + formats[:1], strict=True):
        suffix = name.rpartition(".")[2]
        yield Bad(f"damaged/{suffix}/another.{suffix}", filled(content), "either")


def _heic() -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return picture("HEIF")


_MORE_VIDEOS = {
    "mkv": ("matroska", "libx264"),
    "ts": ("mpegts", "libx264"),
    "webm": ("webm", "libvpx"),
    "mov": ("mov", "libx264"),
    "m4v": ("mp4", "libx264"),
}
