"""Packed files: what is inside, under which name, within which bounds; and as a reader answers for them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from PIL import Image

from rag.decoding.messages import Answer, Done, Failed, Identified, Identify, ListPassages, PassageRead, ReadAll, Returned, Rules
from rag.decoding.messages import Call as CallJob
from rag.decoding.tasks import is_light, perform
from rag.errors import UnreadableDocument
from rag.loaders import unpacked as module
from rag.loaders.base import Limits
from rag.loaders.unpacked import in_memory, unpacked
from rag.types import Content, Document, DocumentId
from tests.contracts.test_loaders import pdf

TEXT = "".join(f"Line {n}: the harbour master writes about tide {n}.\n" for n in range(4000)).encode()
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zst": zstd.compress,
}


def written(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def content(file: Path, limits: Limits | None = None) -> tuple[str, bytes]:
    with unpacked(file, limits or Limits()) as found:
        return found.name, found.read_bytes()


@pytest.mark.parametrize("form", PACKERS)
def test_every_form_gives_the_bytes_and_the_name_inside(form: str, tmp_path: Path) -> None:
    assert content(written(tmp_path / f"notes.txt.{form}", PACKERS[form](TEXT))) == ("notes.txt", TEXT)


@pytest.mark.parametrize("form", ["gz", "bz2", "xz", "zst"])
def test_streams_that_follow_one_another_are_one_file_and_what_follows_them_is_ignored(form: str, tmp_path: Path) -> None:
    packed = PACKERS[form](TEXT) + PACKERS[form](b"more\n")
    assert content(written(tmp_path / f"a.log.{form}", packed)) == ("a.log", TEXT + b"more\n")
    assert content(written(tmp_path / f"a.log.{form}", packed + bytes(512) + b"rubbish"))[1] == TEXT + b"more\n"


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("manual.1.gz", "manual.1"),
        ("A.PDF.GZ", "A.PDF"),
        ("drawing.svgz", "drawing.svg"),
        ("a.b.tar.gz", "a.b.tar"),
        ("x.gz", "x"),
    ],
)
def test_names(name: str, inner: str, tmp_path: Path) -> None:
    assert content(written(tmp_path / name, gzip.compress(b"words")))[0] == inner


def test_a_name_kept_in_the_file_gives_the_suffix_that_its_own_lacks(tmp_path: Path) -> None:
    with (tmp_path / "x.gz").open("wb") as out, gzip.GzipFile("old/report.md", "wb", fileobj=out) as packer:
        packer.write(b"# Words")
    assert content(tmp_path / "x.gz") == ("x.md", b"# Words")


def test_what_only_has_the_name_is_left_as_it_is(tmp_path: Path) -> None:
    file = written(tmp_path / "notes.gz", b"plain words")
    with unpacked(file, Limits()) as found:
        assert found is file


def test_layers(tmp_path: Path) -> None:
    assert content(written(tmp_path / "a.txt.xz.gz", gzip.compress(lzma.compress(b"words")))) == ("a.txt", b"words")
    deep = b"words"
    for _ in range(4):
        deep = gzip.compress(deep)
    with pytest.raises(UnreadableDocument, match="is packed more than 3 times"):
        content(written(tmp_path / "a.gz.gz.gz.gz", deep))


@pytest.mark.parametrize("form", PACKERS)
def test_bombs_end_at_the_limit(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_RATIO", 1_000_000)
    file = written(tmp_path / f"a.txt.{form}", PACKERS[form](bytes(30_000_000)))
    with pytest.raises(UnreadableDocument, match="unpacks to more than 10,000,000 bytes"):
        content(file, Limits(max_file_bytes=10_000_000))


def test_a_bomb_is_told_by_its_ratio(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="is a bomb"):
        content(written(tmp_path / "a.txt.bz2", bz2.compress(bytes(70_000_000))))


def test_an_endless_stream_ends_at_the_limit() -> None:
    with (
        pytest.raises(UnreadableDocument, match="unpacks to more than 5,000,000 bytes"),
        in_memory("a", iter(lambda: bytes(1000), b""), 5_000_000),
    ):
        pass


def test_memory_in_use_for_the_file_is_taken_from_what_the_process_may_use(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (8_000_000_000, before[0][1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1][1]))
        with unpacked(written(tmp_path / "a.txt.gz", gzip.compress(TEXT)), Limits()) as found:
            assert resource.getrlimit(resource.RLIMIT_DATA)[0] == 8_000_000_000 - len(TEXT)
            assert found.stat().st_size == len(TEXT)
        assert resource.getrlimit(resource.RLIMIT_DATA)[0] == 8_000_000_000
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before[0])
        resource.setrlimit(resource.RLIMIT_FSIZE, before[1])


@pytest.mark.parametrize("form", PACKERS)
def test_damage_is_a_reason(form: str, tmp_path: Path) -> None:
    whole = PACKERS[form](TEXT)
    chance, refused = random.Random(11), 0
    for _ in range(60):
        broken = bytearray(whole[: chance.randrange(8, len(whole))])
        if chance.random() < 0.5:
            broken = bytearray(whole)
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        try:
            content(written(tmp_path / f"a.txt.{form}", bytes(broken)), Limits(max_file_bytes=20_000_000))
        except UnreadableDocument as error:
            refused += error.what.startswith((f"is a damaged .{form} file: ", "unpacks to", "is a bomb"))
    assert refused > 25


# ---- as a reader answers ------------------------------------------------------------------------

RULES = Rules(Limits(), "never", captions=False, key="k")


def answers(job: Identify | ReadAll | ListPassages | CallJob) -> list[Answer]:
    return list(perform(job, lambda digest: None))


def document(file: Path) -> Document:
    return Document(DocumentId("docs", f"old/{file.name}"), file)


def test_a_packed_text_keeps_its_own_name_and_is_read_by_the_one_inside(tmp_path: Path) -> None:
    packed = document(written(tmp_path / "ships.md.gz", gzip.compress(b"# Ships\n\nTwo came in.\n")))
    (found,) = answers(Identify(packed, RULES))
    assert isinstance(found, Identified) and (found.loader, found.reading.partition(":")[0]) == ("markdown", "markdown.md")
    read, done = answers(ReadAll(packed, RULES, found.loader))
    assert isinstance(read, PassageRead) and isinstance(done, Done) and not done.changed
    assert (read.passage.document, read.passage.context.heading) == (packed.id, "Ships")
    assert not is_light(ReadAll(packed, RULES, found.loader))


def test_pages_and_pictures_inside_are_shown(tmp_path: Path) -> None:
    packed = document(written(tmp_path / "ships.pdf.xz", lzma.compress(pdf())))
    pages = [one for one in answers(ReadAll(packed, RULES, "pdf", readers=4)) if isinstance(one, PassageRead)]
    assert [one.passage.kind for one in pages] == ["page"] * 3
    assert all(isinstance(one.outcome, Content) and one.outcome.pixels for one in pages)
    stream = io.BytesIO()
    Image.new("RGB", (320, 200), "navy").save(stream, "PNG")
    picture = written(tmp_path / "a.png.gz", gzip.compress(stream.getvalue()))
    (size,) = answers(CallJob("rag.loaders.questions:picture_size", picture, {"limits": Limits()}))
    assert isinstance(size, Returned) and size.values == {"family": "picture", "width": 320, "height": 200}


def test_what_cannot_be_read_inside_has_a_reason(tmp_path: Path) -> None:
    for name, inside, reason in [
        ("a.tar.gz", b"x", "is named .tar but contains text"),
        ("a.exe.gz", b"MZ", ".exe is not a format this program reads"),
        ("a.txt.gz", b"", "is empty"),
        ("a.bin.gz", bytes(range(256)) * 9, "binary data"),
    ]:
        (failed,) = answers(Identify(document(written(tmp_path / name, gzip.compress(inside))), RULES))
        assert isinstance(failed, Failed) and reason in failed.reason and not failed.passing
