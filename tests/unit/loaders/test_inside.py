"""Files inside files: their paths, their bounds, and the reasons for what is not read. Makes its archives itself."""

from __future__ import annotations

import base64
import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from zlib import crc32

import pytest

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name
from rag.loaders.inside.base import Names, plain_path
from rag.loaders.inside.reader import loader_of
from rag.types import Content, Document, DocumentId, Lines, Page, Passage, Skipped, Whole
from tests.contracts.test_loaders import pdf, picture

LIMITS = Limits(max_pixels=20_000)


def zipped(members: Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]) -> bytes:
    """A zip of these files; pairs, where a name comes twice."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            archive.writestr(zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10)), content)
    return stream.getvalue()


def tarred(members: Mapping[str, bytes], mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_700_000_000
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def document(folder: Path, name: str, content: bytes) -> Document:
    (folder / name).write_bytes(content)
    return Document(DocumentId("r", f"below/{name}"), folder / name)


def read(folder: Path, name: str, content: bytes, limits: Limits = LIMITS) -> list[tuple[Passage, object]]:
    """Passages and what is read of them, the same in one pass and in two."""
    made = document(folder, name, content)
    loader = loader_of(loader_name(made.file, limits))
    passages = list(loader.split(made, limits))
    contents = list(loader.read(made, passages, limits))
    if hasattr(loader, "split_and_read"):
        again, at_once = zip(*loader.split_and_read(made, limits), strict=True)
        assert list(again) == passages
        assert [_told(one) for one in at_once] == [_told(one) for one in contents]
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    assert {passage.document for passage in passages} == {made.id}
    return list(zip(passages, contents, strict=True))


def _told(outcome: object) -> object:
    return (outcome.text, [one.tobytes() for one in outcome.pixels]) if isinstance(outcome, Content) else outcome


def words(read: list[tuple[Passage, object]]) -> dict[str, str]:
    """The texts of what is read, by path inside."""
    return {passage.inner: passage.text for passage, outcome in read if isinstance(outcome, Content)}


def reasons(read: list[tuple[Passage, object]]) -> list[str]:
    return [outcome.reason for _, outcome in read if isinstance(outcome, Skipped)]


def _packed(kind: str) -> Callable[[Mapping[str, bytes]], bytes]:
    return lambda members: tarred(members, f"w:{kind}")


ARCHIVES = {"a.zip": zipped, "a.tar": tarred, **{f"a.tar.{kind}": _packed(kind) for kind in ("gz", "bz2", "xz")}}


@pytest.mark.parametrize("name", ARCHIVES)
def test_what_is_in_an_archive_is_read_with_its_place(tmp_path: Path, name: str) -> None:
    inner = zipped({"pages/d.pdf": pdf(), "note.txt": "Salt"})
    found = read(tmp_path, name, ARCHIVES[name]({"x/a.md": b"# Ships\n\nThey came.", "b.png": picture("PNG"), "c.zip": inner}))
    assert [(passage.inner, passage.kind, passage.locator) for passage, _ in found] == [
        ("x/a.md", "text", Lines(1, 3)),
        ("b.png", "image", Whole()),
        *(("c.zip/pages/d.pdf", "page", Page(number)) for number in (1, 2, 3)),
        ("c.zip/note.txt", "text", Lines(1, 1)),
    ]
    assert all(isinstance(outcome, Content) for _, outcome in found)
    assert found[0][0].context.title == "Ships"
    assert found[2][0].text == "Page 0 about a harbour"
    assert found[0][0].taken is not None


def test_a_part_asked_for_alone_or_in_another_order_is_the_same(tmp_path: Path) -> None:
    made = document(tmp_path, "a.tar.gz", tarred({"a.png": picture("PNG"), "b.pdf": pdf(), "c.png": picture("PNG")}, "w:gz"))
    loader = loader_of("archive")
    passages = list(loader.split(made, LIMITS))
    together = [_told(one) for one in loader.read(made, passages, LIMITS)]
    assert [_told(one) for one in loader.read(made, passages[::-1], LIMITS)] == together[::-1]
    assert [_told(*loader.read(made, [passage], LIMITS)) for passage in passages] == together


def test_names_stay_inside_and_differ(tmp_path: Path) -> None:
    names = ["../../etc/a.txt", "/abs/b.txt", "C:\\win\\c.txt", "d.txt", "d.txt", "./d.txt", "x\u202egpj.txt", ".hidden/e.txt"]
    found = read(tmp_path, "a.zip", zipped([(name, f"words {at}") for at, name in enumerate(names)]))
    assert list(words(found)) == ["etc/a.txt", "abs/b.txt", "win/c.txt", "d.txt", "d (2).txt", "d (3).txt", "x\ufffdgpj.txt"]
    assert reasons(found) == ["inside it: .hidden/e.txt: hidden, as files in a folder whose names begin with a dot"]
    assert (plain_path("..\\.."), plain_path(""), len(plain_path("x" * 9_000 + ".txt"))) == ("unnamed", "unnamed", 150)
    taken = Names()
    assert [taken.take(name) for name in ("a", "a (2)", "a", "a")] == ["a", "a (2)", "a (2) (2)", "a (3)"]


def test_a_name_in_utf8_without_its_flag_is_read_as_such(tmp_path: Path) -> None:
    raw = zipped({"QQQQQQ.txt": "words"}).replace(b"QQQQQQ", "Räum".encode() + b"e")
    assert list(words(read(tmp_path, "a.zip", raw))) == ["Räume.txt"]


def test_what_is_not_read_has_a_reason(tmp_path: Path) -> None:
    broken = zipped({"b.txt": "words " * 400})
    at = broken.index(b"b.txt") + 20
    members = {
        "a.exe": b"MZ",
        "b.exe": b"MZ",
        "c.pdf": b"%PDF-1.4 cut",
        "ok.txt": "fine",
        "d.zip": broken[:at] + b"??" + broken[at + 2 :],
    }
    found = read(tmp_path, "a.zip", zipped(members))
    assert words(found) == {"ok.txt": "fine"}
    assert reasons(found)[0] == "inside it: c.pdf: is cut off: its end is missing"
    assert reasons(found)[1].startswith("inside it: d.zip/b.txt: is damaged in its archive: ")
    assert reasons(found)[2] == "inside it: a.exe, b.exe: .exe is not a format this program reads"


def test_encrypted_members_and_links_have_reasons(tmp_path: Path) -> None:
    raw = bytearray(zipped({"a.txt": "open", "b.txt": "secret"}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.rindex(mark) + at] |= 1
    found = read(tmp_path, "a.zip", bytes(raw))
    assert (words(found), reasons(found)) == ({"a.txt": "open"}, ["inside it: b.txt: is encrypted; unpack it with its password"])
    stream = io.BytesIO(tarred({"a.txt": b"open"}))
    with tarfile.open(fileobj=stream, mode="a") as archive:
        link = tarfile.TarInfo("passwords")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found = read(tmp_path, "a.tar", stream.getvalue())
    assert (words(found), reasons(found)) == ({"a.txt": "open"}, ["inside it: passwords: are links to other files"])


def test_depth_members_and_bytes_are_bounded(tmp_path: Path) -> None:
    nested = zipped({"z.txt": "deepest"})
    for name in "dcb":
        nested = zipped({f"{name}.zip": nested, f"{name}.txt": name})
    found = read(tmp_path, "a.zip", nested)
    assert words(found) == {"b.txt": "b", "b.zip/c.txt": "c", "b.zip/c.zip/d.txt": "d"} | {}
    assert reasons(found) == ["inside it: b.zip/c.zip/d.zip: holds files that are nested too deeply; the limit is max_depth = 3"]
    many = zipped({f"{number}.txt": f"word{number}" for number in range(9)})
    found = read(tmp_path, "m.zip", many, Limits(max_members=4))
    assert len(words(found)) == 4
    assert reasons(found) == ["inside it: 4.txt: and what follows are beyond the limit max_members = 4"]
    large = zipped({"a.txt": "x " * 400, "b.txt": "y " * 400, "c.txt": "z " * 40})
    found = read(tmp_path, "l.zip", large, Limits(max_unpacked_bytes=1_000))
    assert list(words(found)) == ["a.txt"]
    assert reasons(found) == ["inside it: b.txt, c.txt: is beyond what is unpacked of a document: max_unpacked_bytes = 1,000"]
    with pytest.raises(UnreadableDocument, match="holds no files"):
        read(tmp_path, "off.zip", many, Limits(max_depth=0))


def test_an_archive_of_nothing_that_is_read_is_unreadable(tmp_path: Path) -> None:
    for content, reason in ((zipped({}), "holds no files"), (zipped({"a.exe": b"MZ"}), "inside it: a.exe: .exe is not")):
        with pytest.raises(UnreadableDocument, match=reason):
            read(tmp_path, "a.zip", content)


def test_an_archive_that_holds_itself_ends(tmp_path: Path) -> None:
    """A zip whose member is as deep as one likes: each level is an archive of two of the level below."""
    level = zipped({"a.txt": "bottom"})
    for _ in range(8):
        level = zipped({"l.zip": level, "r.zip": level})
    with pytest.raises(UnreadableDocument, match="max_depth = 3"):
        read(tmp_path, "quine.zip", level)


def test_a_tar_that_goes_on_without_end_is_bounded(tmp_path: Path) -> None:
    import gzip

    member = tarfile.TarInfo("zeros.bin")
    member.size = 8_000_000_000_000
    bomb = gzip.compress(tarred({"a.txt": b"words"})[:1024] + member.tobuf(tarfile.GNU_FORMAT) + bytes(30_000_000))
    found = read(tmp_path, "a.tar.gz", bomb, Limits(max_unpacked_bytes=20_000_000))
    assert words(found) == {"a.txt": "words"}
    assert reasons(found) == ["inside it: zeros.bin: says it has 8,000,000,000,000 bytes, more than the archive may hold"]


@pytest.mark.parametrize("name", ARCHIVES)
def test_damage_anywhere_gives_words_or_a_reason(tmp_path: Path, name: str) -> None:
    chance = random.Random(crc32(name.encode()))
    whole = ARCHIVES[name]({"a.txt": b"some words " * 50, "b.zip": zipped({"c.txt": "others"}), "d.md": b"# Last"})
    for number in range(120):
        at = chance.randrange(len(whole))
        damaged = whole[:at] if number % 3 == 0 else whole[:at] + chance.randbytes(4) + whole[at + 4 :]
        made = document(tmp_path, name, damaged)
        try:
            passages = list(loader_of("archive").split(made, LIMITS))
            assert all(list(loader_of("archive").read(made, passages, LIMITS)))
        except UnreadableDocument as error:
            assert error.what


def test_pictures_of_a_notebook_are_found_at_their_cell(tmp_path: Path) -> None:
    png, jpeg = (base64.b64encode(picture(kind)).decode() for kind in ("PNG", "JPEG"))
    drawn = {"image/png": [png[:40], png[40:]], "text/plain": "<Figure>"}
    outputs = [{"text": "done"}, {"data": drawn}, {"data": {"image/jpeg": "!!!x"}}, {"png": png}]
    cells = [
        {"cell_type": "markdown", "source": "# Tides", "attachments": {"gauge.jpg": {"image/jpeg": jpeg}}},
        {"cell_type": "code", "source": "plot()", "outputs": outputs},
        {"cell_type": "code", "source": "again()", "outputs": [{"data": {"image/png": png}}]},
    ]
    found = read(tmp_path, "tides.ipynb", json.dumps({"cells": cells, "nbformat": 4}).encode())
    shown = [passage.inner for passage, outcome in found if isinstance(outcome, Content) and passage.modality == "image"]
    assert shown == ["gauge.jpg", "cell 2 picture 1.png", "cell 2 picture 3.png", "cell 3 picture.png"]
    assert reasons(found) == ["inside it: cell 2 picture 2.jpg: is damaged in its notebook"]
    assert "plot()" in words(found)[""]
