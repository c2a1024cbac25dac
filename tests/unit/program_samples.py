"""Files that only programs read: DjVu, made by DjVuLibre's own programs, and XPS, written here.

Knows the formats; knows no loader. Tests that need a program are skipped, with the package to install, where it is absent.
"""

from __future__ import annotations

import io
import struct
import subprocess
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.loaders.programs import cannot_read

needs_djvu = pytest.mark.skipif(bool(cannot_read("djvu")), reason=cannot_read("djvu"))
needs_xps = pytest.mark.skipif(bool(cannot_read("xps")), reason=cannot_read("xps"))

HIDDEN = {
    1: '(page 0 0 425 550 (line 40 480 300 510 (word 40 480 140 510 "Harbour") (word 150 480 300 510 "traf\ufb01c")))',
    2: '(page 0 0 425 550 (line 40 380 300 410 "Salt is unloaded at the quay."))',
}
OUTLINE = '(bookmarks ("Arrivals" "#1") ("Cargo" "#b.djvu" ("Nowhere" "#99")))'


def drawn(words: str, mode: str) -> Image.Image:
    """A page of 425 × 550 pixels with a line of large letters."""
    image = Image.new("RGB", (425, 550), "white")
    drawing = ImageDraw.Draw(image)
    drawing.text((40, 40), words, "black", ImageFont.load_default(34))
    drawing.ellipse((120, 200, 300, 420), fill="teal" if mode == "RGB" else "black")
    return image.convert(mode)


@cache
def djvu() -> bytes:
    """Three pages at 100 dpi: black on white and in colours, both with hidden text, and one without; bookmarks and properties."""
    script = "".join(f"select {page}; set-txt\n{text}\n.\n" for page, text in HIDDEN.items())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        drawn("Harbour traffic", "1").save(folder / "a.pbm")
        drawn("Salt", "RGB").save(folder / "b.ppm")
        drawn("Lighthouse", "1").save(folder / "c.pbm")
        (folder / "meta").write_text('Title\t"The harbour book"\nAuthor\t"Ann Pilot"\n')
        (folder / "outline").write_text(OUTLINE)
        (folder / "script").write_text(f"{script}select; set-outline outline; create-shared-ant; set-meta meta; save", "utf-8")
        for command in (
            "cjb2 -dpi 100 a.pbm a.djvu",
            "c44 -dpi 100 b.ppm b.djvu",
            "cjb2 -dpi 100 c.pbm c.djvu",
            "djvm -c all.djvu a.djvu b.djvu c.djvu",
            "djvused -f script all.djvu",
        ):
            subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
        return (folder / "all.djvu").read_bytes()


@cache
def turned_djvu() -> bytes:
    """One page, kept lying and shown upright: 550 × 425 pixels as kept."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        drawn("Upright", "1").transpose(Image.Transpose.ROTATE_90).save(folder / "a.pbm")
        for command in ("cjb2 -dpi 100 a.pbm a.djvu", "djvused -s -e set-rotation|-1 a.djvu"):
            subprocess.run([word.replace("|", " ") for word in command.split()], cwd=folder, check=True, capture_output=True)
        return (folder / "a.djvu").read_bytes()


_NAMESPACES = {
    "xps": ("http://schemas.microsoft.com/xps/2005/06", "http://schemas.microsoft.com/xps/2005/06/fixedrepresentation"),
    "oxps": ("http://schemas.openxps.org/oxps/v1.0", "http://schemas.openxps.org/oxps/v1.0/fixedrepresentation"),
}


def xps(form: str = "xps", pages: tuple[str, ...] = ("A crane lifts salt", "The second page", "Ropes and sails")) -> bytes:
    """A page of a line of text each, 400 × 300 units of 1/96 inch."""
    schema, relation = _NAMESPACES[form]
    font = ImageFont.load_default(20).path
    assert isinstance(font, io.BytesIO)
    relations = "http://schemas.openxmlformats.org/package/2006"
    rels = '<Relationships xmlns="%s/relationships"><Relationship Id="r" Type="%s" Target="%s"/></Relationships>'
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{relations}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="fdseq" ContentType="application/vnd.ms-package.xps-fixeddocumentsequence+xml"/>'
        '<Default Extension="fdoc" ContentType="application/vnd.ms-package.xps-fixeddocument+xml"/>'
        '<Default Extension="fpage" ContentType="application/vnd.ms-package.xps-fixedpage+xml"/>'
        '<Default Extension="ttf" ContentType="application/vnd.ms-opentype"/></Types>',
        "_rels/.rels": rels % (relations, relation, "/a.fdseq"),
        "a.fdseq": f'<FixedDocumentSequence xmlns="{schema}"><DocumentReference Source="/a.fdoc"/></FixedDocumentSequence>',
        "a.fdoc": f'<FixedDocument xmlns="{schema}">'
        + "".join(f'<PageContent Source="/{number}.fpage"/>' for number in range(len(pages)))
        + "</FixedDocument>",
        "f.ttf": font.getvalue(),
    }
    for number, words in enumerate(pages):
        members[f"{number}.fpage"] = (
            f'<FixedPage xmlns="{schema}" Width="400" Height="300" xml:lang="en">'
            f'<Path Data="M 40,100 L 160,100 160,220 40,220 z" Fill="#FF2080{40 * number + 20:02X}"/>'
            f'<Glyphs OriginX="40" OriginY="60" FontRenderingEmSize="24" FontUri="/f.ttf" Fill="#FF000000"'
            f' UnicodeString="{words}"/></FixedPage>'
        )
        members[f"_rels/{number}.fpage.rels"] = rels % (relations, f"{schema}/required-resource", "/f.ttf")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def chunked_djvu() -> bytes:
    """What looks like a DjVu file of one page of 100 × 100 pixels, and holds no picture."""
    info = b"INFO" + struct.pack(">I", 10) + struct.pack(">HHBBHBB", 100, 100, 24, 0, 0x6400, 22, 1)
    return b"AT&TFORM" + struct.pack(">I", 4 + len(info)) + b"DJVU" + info
