"""Alternative texts of tagged PDFs: each figure's, once, and none where nothing is tagged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.loaders.base import Limits
from rag.loaders.pdf.pdf import PdfLoader
from rag.types import Document, DocumentId


def tagged(alternatives: Sequence[str], *, loop: bool = False) -> bytes:
    """A page with a line of text and figures that have these alternative texts; `loop`: the first figure holds the document."""
    drawn = b"".join(b"/Figure <</MCID %d>> BDC 10 %d 50 9 re f EMC\n" % (at, 10 * at) for at in range(len(alternatives)))
    content = drawn + b"BT /F1 12 Tf 20 180 Td (Quay seven) Tj ET\n"
    figures = " ".join(f"{8 + at} 0 R" for at in range(len(alternatives)))
    page = "/MediaBox [0 0 200 200] /Contents 4 0 R /StructParents 0 /Resources << /Font << /F1 5 0 R >> >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /MarkInfo << /Marked true >> /StructTreeRoot 6 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R {page} >>",
        f"<< /Length {len(content)} >>\nstream\n{content.decode()}endstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Type /StructTreeRoot /K [7 0 R] /ParentTree << /Nums [0 [{figures}]] >> >>",
        f"<< /Type /StructElem /S /Document /P 6 0 R /K [{figures}] >>",
    ]
    for at, words in enumerate(alternatives):
        kids = f"[{at} 7 0 R]" if loop and at == 0 else str(at)
        said = ("\ufeff" + words).encode("utf-16-be").hex()
        objects.append(f"<< /Type /StructElem /S /Figure /P 7 0 R /Pg 3 0 R /K {kids} /Alt <{said}> >>")
    out, offsets = b"%PDF-1.7\n", []
    for number, one in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{one}\nendobj\n".encode("latin-1")
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end.encode()


def words(folder: Path, content: bytes) -> str:
    file = folder / "a.pdf"
    file.write_bytes(content)
    [passage] = PdfLoader().split(Document(DocumentId("root", "a.pdf"), file), Limits())
    return passage.text


def test_what_figures_show_is_in_the_words_of_the_page(tmp_path: Path) -> None:
    found = words(tmp_path, tagged(["A heron on the slipway", "Lageplan des Hafens, 港口", "A heron on the slipway"]))
    assert found.splitlines() == ["Quay seven", "A heron on the slipway", "Lageplan des Hafens, 港口"]


def test_a_tree_that_holds_itself_ends(tmp_path: Path) -> None:
    assert "A heron" in words(tmp_path, tagged(["A heron", "A boat"], loop=True))


def test_a_very_long_text_is_left_out(tmp_path: Path) -> None:
    assert words(tmp_path, tagged(["x" * 9_000, "A boat"])).splitlines() == ["Quay seven", "A boat"]
