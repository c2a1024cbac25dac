"""The laws of rag.loaders.base.Loader, for every row of LOADERS, on a small real file of each format."""

from __future__ import annotations

import io
import json
import random
import tarfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rag.decoding.tasks import own_programs
from rag.errors import UnreadableDocument
from rag.loaders import LOADERS, programs
from rag.loaders.base import Limits, Loader
from rag.loaders.detect import loader_name
from rag.loaders.inside.reader import loader_of
from rag.types import CaptionOf, Content, Document, DocumentId, Dropped, Passage, Skipped
from tests.unit.loaders.office.test_office import book, deck, paragraph, word, workbook, zipped
from tests.unit.loaders.office.test_old_office import SAMPLES as OLD_SAMPLES
from tests.unit.loaders.office.test_open_document import EDGES, PAGES, SHEETS, TEXT, package
from tests.unit.loaders.office.test_rich_text import SAMPLE
from tests.unit.program_samples import djvu, needs_djvu, needs_xps, xps

PROSE = "\n\n".join(f"## Part {n}\n\nThe {n}th ship came in at dawn. It carried {n} tons of salt." for n in range(40))
LIMITS = Limits(passage_characters=300, max_pixels=20_000)


def picture(name: str) -> bytes:
    """A drawing that is not blank."""
    image = Image.new("RGB", (320, 200), "white")
    drawing = ImageDraw.Draw(image)
    for n in range(12):
        drawing.ellipse((20 * n, 8 * n, 20 * n + 60, 8 * n + 90), fill=(20 * n, 255 - 20 * n, 90))
    stream = io.BytesIO()
    image.save(stream, name)
    return stream.getvalue()


def pdf() -> bytes:
    """Three pages of a line of text each."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [4 0 R 6 0 R 8 0 R] /Count 3 >>"]
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for number in range(3):
        content = f"BT /F1 24 Tf 20 100 Td (Page {number} about a harbour) Tj ET 0 0 {50 * number + 30} 40 re f"
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] {resources} /Contents {5 + 2 * number} 0 R >>")
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    written, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
    return (f"{written}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}").encode()


def video(suffix: str, codec: str) -> bytes:
    """Three seconds, another picture every second."""
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format=suffix) as container:
        track = container.add_stream(codec, rate=8, width=160, height=96, pix_fmt="yuv420p", options={"g": "8"})
        for number in range(24):
            image = Image.new("RGB", (160, 96), ("navy", "darkgreen", "maroon")[number // 8])
            ImageDraw.Draw(image).ellipse((20, 20, 60 + 30 * (number // 8), 80), fill="white")
            container.mux(track.encode(av.VideoFrame.from_image(image)))
        container.mux(track.encode())
    return stream.getvalue()


def notebook() -> bytes:
    cells = [{"cell_type": "markdown", "source": PROSE}, {"cell_type": "code", "source": "print(1)", "outputs": [{"text": "1"}]}]
    return json.dumps({"nbformat": 4, "cells": cells}).encode()


def tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in (("a.md", PROSE.encode()), ("b.png", picture("PNG")), ("c.zip", zipped({"d.txt": "One ship."}))):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


SAMPLES: dict[str, dict[str, Callable[[], bytes]]] = {
    "text": {
        "a.txt": PROSE.encode,
        "b.csv": lambda: b"name,tons\n" + b"ship,12\n" * 200,
        "c.log": lambda: PROSE.encode("gb18030"),
    },
    "markdown": {"a.md": lambda: f"# Ships\n\n![A boat](boat.png)\n\n{PROSE}".encode()},
    "code": {"a.py": lambda: "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(60)).encode()},
    "notebook": {"a.ipynb": notebook},
    "html": {"a.html": lambda: f"<h1>Ships</h1><img src='boat.png' alt='A boat'>{'<p>One ship.</p>' * 90}".encode()},
    "office": {
        "a.docx": lambda: zipped(
            {**word("".join(paragraph(f"Ship number {n} came in.") for n in range(40))), "word/media/a.png": picture("PNG")}
        ),
        "a.pptx": deck,
        "a.xlsx": workbook,
        "a.epub": lambda: zipped(book()),
        "a.odt": lambda: zipped(package("text", TEXT, EDGES)),
        "a.ods": lambda: zipped(package("spreadsheet", SHEETS)),
        "a.odp": lambda: zipped(package("presentation", PAGES)),
        "a.rtf": lambda: SAMPLE,
        **{f"a.{kind}": made for kind, made in OLD_SAMPLES.items()},
    },
    "mail": {"a.eml": lambda: b"Subject: Ships\nFrom: a@b.c\n\n" + PROSE.encode()},
    "archive": {"a.zip": lambda: zipped({"a/b.txt": PROSE, "c.png": picture("PNG"), "d.pdf": pdf()}), "a.tar.gz": tar},
    "pdf": {"a.pdf": pdf},
    "djvu": {"a.djvu": djvu},
    "xps": {"a.xps": xps, "a.oxps": lambda: xps("oxps")},
    "picture": {f"a.{name.lower()}": lambda name=name: picture(name) for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")},
    "video": {"a.mp4": lambda: video("mp4", "libx264"), "a.avi": lambda: video("avi", "mpeg4")},
}
HERE = {  # those whose programs are installed
    family: made for family, made in SAMPLES.items() if family not in ("djvu", "xps") or not programs.cannot_read(family)
}
NEED = {"djvu": [needs_djvu], "xps": [needs_xps]}  # programs
CASES = [
    pytest.param(family, name, id=name, marks=NEED.get(family, ())) for family, samples in SAMPLES.items() for name in samples
]


@pytest.fixture(autouse=True)
def programs_are_run() -> Iterator[None]:
    before = list(programs._lent)
    programs.lend(own_programs())
    yield
    programs._lent[:] = before


@pytest.fixture
def document(family: str, name: str, tmp_path: Path) -> Document:
    return written(tmp_path, name, SAMPLES[family][name]())


@pytest.fixture
def loader(family: str) -> Loader:
    return loader_of(family)


def written(folder: Path, name: str, content: bytes) -> Document:
    (folder / name).write_bytes(content)
    return Document(DocumentId("docs", f"below/{name}"), folder / name)


def equal(one: Content | Dropped | Skipped, other: Content | Dropped | Skipped) -> bool:
    if not (isinstance(one, Content) and isinstance(other, Content)):
        return one == other
    pixels = len(one.pixels) == len(other.pixels) and all(map(np.array_equal, one.pixels, other.pixels))
    return pixels and (one.modality, one.text, one.clues) == (other.modality, other.text, other.clues)


def all_equal(ones: Sequence[Content | Dropped | Skipped], others: Sequence[Content | Dropped | Skipped]) -> bool:
    return len(ones) == len(others) and all(map(equal, ones, others))


def test_every_row_of_the_table_has_a_sample():
    assert set(SAMPLES) == set(LOADERS)


@pytest.mark.parametrize(("family", "name"), CASES)
def test_the_sample_is_detected_as_its_family(document, family):
    assert loader_name(document.file, LIMITS) == family


@pytest.mark.parametrize(("family", "name"), CASES)
def test_split_is_deterministic_and_counts_from_zero(document, loader):
    passages = list(loader.split(document, LIMITS))
    assert passages == list(loader.split(document, LIMITS)) != []
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    assert {passage.document for passage in passages} == {document.id}
    assert isinstance(loader.version, int)


@pytest.mark.parametrize(("family", "name"), CASES)
def test_split_is_an_iterator_that_can_be_left_early(document, loader):
    passages = loader.split(document, LIMITS)
    assert isinstance(passages, Iterator)
    assert len(list(islice(passages, 1))) == 1


@pytest.mark.parametrize(("family", "name"), CASES)
def test_read_gives_one_content_for_each_passage_in_order_and_the_first_always(document, loader):
    passages = list(loader.split(document, LIMITS))
    contents = list(loader.read(document, passages, LIMITS))
    assert len(contents) == len(passages)
    assert isinstance(contents[0], Content)
    assert not any(isinstance(content, Skipped) for content in contents)
    for passage, content in zip(passages, contents, strict=True):
        if isinstance(content, Content):
            assert content.modality == passage.modality
            assert content.text if passage.modality == "text" else content.pixels
    assert list(loader.read(document, [], LIMITS)) == []


@pytest.mark.parametrize(("family", "name"), CASES)
def test_content_stays_within_the_limits(document, loader):
    passages = list(loader.split(document, LIMITS))
    assert all(len(passage.text) <= 300 for passage in passages if passage.kind == "text")
    for content in loader.read(document, passages, LIMITS):
        for pixels in content.pixels if isinstance(content, Content) else ():
            assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
            assert pixels.shape[0] * pixels.shape[1] <= LIMITS.max_pixels


@pytest.mark.parametrize(("family", "name"), CASES)
def test_content_does_not_depend_on_what_else_is_read(document, loader):
    passages = list(loader.split(document, LIMITS))
    together = list(loader.read(document, passages, LIMITS))
    for passage, content in list(zip(passages, together, strict=True))[:6]:
        (alone,) = loader.read(document, [passage], LIMITS)
        assert isinstance(alone, Content)  # asked for by itself, nothing is left out
        assert isinstance(content, Dropped) or equal(alone, content)
    # the other way round, other frames may be the ones left out as like the one before; those read in both are the same
    backwards = reversed(list(loader.read(document, passages[::-1], LIMITS)))
    both = [(a, b) for a, b in zip(together, backwards, strict=True) if isinstance(a, Content) and isinstance(b, Content)]
    assert both and all(equal(a, b) for a, b in both)


@pytest.mark.parametrize(("family", "name"), CASES)
def test_equal_bytes_elsewhere_give_equal_content(document, loader, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    copy = written(tmp_path / "elsewhere", name, document.file.read_bytes())
    passages = list(loader.split(document, LIMITS))
    assert passages == list(loader.split(copy, LIMITS))
    assert all_equal(list(loader.read(document, passages, LIMITS)), list(loader.read(copy, passages, LIMITS)))


@pytest.mark.parametrize(("family", "name"), CASES)
def test_captions_are_of_documents_below_the_root(document, loader, family):
    shown = list(loader.captions(document, LIMITS))
    assert shown == ([CaptionOf("below/boat.png", "A boat")] if family in ("markdown", "html") else [])


@pytest.mark.parametrize(("family", "name"), CASES)
def test_damage_gives_content_or_a_reason(document, loader, family, name, tmp_path):
    chance = random.Random(name)
    whole = document.file.read_bytes()
    damaged = [b"", b"\0" * 4096, chance.randbytes(4096), *(whole[: int(len(whole) * share)] for share in (0.02, 0.3, 0.6, 0.95))]
    for _ in range(6):
        at = chance.randrange(len(whole))
        damaged.append(whole[:at] + chance.randbytes(8) + whole[at + 8 :])
    for number, content in enumerate(damaged):
        broken = written(tmp_path, f"{number}-{name}", content)
        try:
            passages: list[Passage] = list(islice(loader.split(broken, LIMITS), 8))
            list(loader.read(broken, passages, LIMITS))
        except UnreadableDocument as error:
            assert error.what and "\n" not in error.what
        else:
            assert content.strip(b"\0"), "an empty file has no passages"


@pytest.mark.parametrize(("family", "name"), CASES)
def test_a_file_that_is_gone_gives_a_reason(document, loader):
    document.file.unlink()
    with pytest.raises(UnreadableDocument):
        list(loader.split(document, LIMITS))
