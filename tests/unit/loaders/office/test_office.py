"""Office documents and books: the content of their passages; bombs and damage get a reason."""

from __future__ import annotations

import datetime
import io
import random
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import Workbook
from PIL import Image
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.office import OfficeLoader
from rag.types import Document, DocumentId, Lines, Passage, Sheet, Slide

W = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
RELATIONSHIPS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{OFFICE}" Target="word/document.xml"/></Relationships>'
)
STYLES = (
    f'<w:styles {W}><w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Kapitel"><w:name w:val="Kapitel"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="T"><w:name w:val="Title"/></w:style></w:styles>'
)


def paragraph(text: str, style: str = "", inner: str = "") -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{inner}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr>"


def word(body: str, prolog: str = "") -> dict[str, str]:
    """The members of a Word document."""
    document = f'<?xml version="1.0"?>{prolog}<w:document {W}><w:body>{body}</w:body></w:document>'
    return {"_rels/.rels": RELATIONSHIPS, "word/document.xml": document, "word/styles.xml": STYLES, "word/media/a.png": "x"}


def book() -> dict[str, str]:
    """The members of an EPUB book of two chapters."""
    container = '<rootfiles><rootfile full-path="OEBPS/p.opf"/></rootfiles>'
    return {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": f'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">{container}</container>',
        "OEBPS/p.opf": (
            '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<dc:title>The Book</dc:title></metadata>"
            '<manifest><item id="a" href="c%201.xhtml"/><item id="b" href="c2.xhtml"/><item id="x" href="gone.xhtml"/></manifest>'
            '<spine><itemref idref="b"/><itemref idref="a"/><itemref idref="x"/><itemref idref="b"/></spine></package>'
        ),
        "OEBPS/c 1.xhtml": '<?xml version="1.0" encoding="utf-8"?><html><body><h1>One</h1><p>first é</p></body></html>',
        "OEBPS/c2.xhtml": "<html><body><h1>Two</h1><p>second</p></body></html>",
    }


def workbook() -> bytes:
    made = Workbook()
    sheet = made.active
    sheet.title = "Budget 2024"
    sheet.append(["date", "city", "amount"])
    for number in range(100):
        sheet.append([datetime.date(2024, 1, 1), f"Riga {number}", 0.1 + 0.2])
    made.create_sheet("Empty")
    made.create_sheet("Lone").append(["only", None, True])
    return saved(made)


def deck() -> bytes:
    made = Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text = "Harbour"
    first.placeholders[1].text = "Line one\nLine two"
    first.notes_slide.notes_text_frame.text = "Say hello"
    made.slides.add_slide(made.slide_layouts[6])
    third = made.slides.add_slide(made.slide_layouts[6])
    table = third.shapes.add_table(2, 2, 0, 0, Inches(2), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text, table.cell(1, 0).text = "a", "b", "c"
    picture = io.BytesIO()
    Image.new("RGB", (30, 30)).save(picture, "PNG")
    shown = third.shapes.add_picture(picture, 0, 0)
    shown._element._nvXxPr.cNvPr.set("descr", "A red boat")
    group = third.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "in a group"
    return saved(made)


def saved(made) -> bytes:
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def split(folder: Path, content: bytes, limits: Limits | None = None) -> list[Passage]:
    file = folder / "document"
    file.write_bytes(content)
    return list(OfficeLoader().split(Document(DocumentId("r", "document"), file), limits or Limits()))


# ---- what is in them ----------------------------------------------------------------------------


def test_word_headings_lists_tables_boxes_and_alt_texts(tmp_path):
    box = f"<w:txbxContent>{paragraph('in a box')}</w:txbxContent>"
    body = (
        paragraph("Annual report", "T")
        + paragraph("Ships", "berschrift1")
        + paragraph("They came.")
        + paragraph("first", inner="<w:numPr/>")
        + f"<w:tbl>{row(paragraph('a'), paragraph('b') + paragraph('b2'))}"
        + row(f"<w:tbl>{row(paragraph('n1'), paragraph('n2'))}</w:tbl>", paragraph("d"))
        + "</w:tbl>"
        + paragraph("Cargo", "Kapitel")
        + '<w:p><w:r><w:drawing><wp:docPr id="1" name="x" descr="A red boat"/></w:drawing></w:r>'
        + f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:p>"
    )
    first, second = split(tmp_path, zipped(word(body)))
    assert first.text == "# Annual report\n\n# Ships\n\nThey came.\n\n- first\n\na | b b2\nn1 | n2 | d"
    assert (first.context.title, first.context.heading, first.locator) == ("Annual report", "Ships", Lines(1, 10))
    assert (second.text, second.context.heading) == ("## Cargo\n\nin a box\n\nA red boat", "Ships › Cargo")


def test_slides_with_notes_tables_groups_and_alt_texts(tmp_path):
    first, third = split(tmp_path, deck())
    assert (first.locator, first.text) == (Slide(1), "Harbour\n\nLine one\nLine two\n\nNotes: Say hello")
    assert (first.context.title, first.context.heading, first.context.slide) == ("Harbour", "Harbour", 1)
    assert (third.locator, third.text) == (Slide(3), "a | b\nc |\n\nA red boat\n\nin a group")


def test_the_words_of_charts_and_diagrams_are_read(tmp_path: Path) -> None:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    figures = CategoryChartData()
    figures.categories = ["Riga", "Gdansk"]
    figures.add_series("Tons of cargo", (3, 4))
    slide.shapes.add_chart(XL_CHART_TYPE.PIE, 0, 0, Inches(3), Inches(3), figures).chart.has_title = True
    kind = "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml"
    boxes = "".join(f"<a:p><a:r><a:t>{words}</a:t></a:r></a:p>" for words in ("Moor", "Unload", "Moor"))
    spaces = 'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    part = Part(
        PackURI("/ppt/diagrams/data1.xml"), kind, made.part.package, f"<dgm:dataModel {spaces}>{boxes}</dgm:dataModel>".encode()
    )
    relation = slide.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData")
    frame = slide.shapes.add_table(1, 1, 0, 0, Inches(1), Inches(1))._element
    frame.graphic.graphicData.clear()
    frame.graphic.graphicData.set("uri", "http://schemas.openxmlformats.org/drawingml/2006/diagram")
    etree.SubElement(frame.graphic.graphicData, "relIds").set(f"{{{OFFICE.rpartition('/')[0]}}}dm", relation)
    [only] = split(tmp_path, saved(made))
    assert only.text == "Tons of cargo\nRiga\nGdansk\n3 | 4\n\nMoor\nUnload"


def test_a_picture_in_the_place_of_a_title_does_no_harm(tmp_path: Path) -> None:
    def titled(name: str, content: bytes) -> bytes:
        shown = b'<p:pic><p:nvPicPr><p:cNvPr id="99" name="x" descr="A title drawn"/><p:cNvPicPr/>'
        shown += b'<p:nvPr><p:ph type="title"/></p:nvPr></p:nvPicPr><p:blipFill/><p:spPr/></p:pic></p:spTree>'
        return content.replace(b"</p:spTree>", shown) if name == "ppt/slides/slide3.xml" else content

    first, third = split(tmp_path, rewritten(deck(), titled))
    assert (first.context.heading, third.context.heading) == ("Harbour", "")
    assert third.text == "a | b\nc |\n\nA red boat\n\nin a group\n\nA title drawn"


def test_a_workbook_is_read_without_the_styles_that_cannot_be_read(tmp_path: Path) -> None:
    def strange(name: str, content: bytes) -> bytes:
        return content.replace(b"</cellXfs>", b'<xf strange="1"/></cellXfs>') if name == "xl/styles.xml" else content

    odd = split(tmp_path, rewritten(workbook(), strange))
    assert odd[0].text.startswith("date | city | amount\n2024-01-01 | Riga 0 | 0.3\n")  # what is known of them is used
    assert odd[-1].text == "only |  | TRUE"
    none = split(tmp_path, rewritten(workbook(), lambda name, content: b"<" if name == "xl/styles.xml" else content))
    assert none[0].text.startswith("date | city | amount\n45292 | Riga 0 | 0.3\n")  # a day of 2024, as Excel counts them


def test_every_span_of_a_sheet_begins_with_its_header_row(tmp_path):
    passages = split(tmp_path, workbook())
    assert [passage.locator for passage in passages] == [Sheet("Budget 2024")] * 3 + [Sheet("Lone")]
    assert all(passage.text.startswith("date | city | amount\n2024-01-01 | Riga ") for passage in passages[:3])
    assert sum(passage.text.count("\n") for passage in passages[:3]) == 100
    assert passages[0].text.split("\n")[1] == "2024-01-01 | Riga 0 | 0.3"
    assert (passages[3].text, passages[3].context.sheet) == ("only |  | TRUE", "Lone")


def test_a_header_row_longer_than_a_span_is_kept_whole_once(tmp_path):
    made = Workbook()
    made.active.append(["heading " * 30])
    made.active.append(["value"])
    passages = split(tmp_path, saved(made), Limits(passage_characters=90))
    assert all(len(passage.text) <= 90 for passage in passages)
    assert " ".join(passage.text for passage in passages[:-1]) == ("heading " * 30).strip()
    assert passages[-1].text == "heading heading heading headin\nvalue"


def test_a_book_is_read_in_the_order_of_its_spine(tmp_path):
    passages = split(tmp_path, zipped(book()))
    assert [(one.text, one.context.title, one.context.heading, one.locator) for one in passages] == [
        ("# Two\n\nsecond", "The Book", "Two", Lines(1, 3)),
        ("# One\n\nfirst é", "The Book", "One", Lines(6, 8)),
    ]


# ---- bombs and damage ---------------------------------------------------------------------------

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (word(paragraph("&b;"), prolog=LAUGHS), "declares XML entities"),
        (word("") | {"word/document.xml": LAUGHS.encode("utf-16")}, "declares XML entities"),
        (word(" " * 30_000_000), "is a zip bomb: .* bytes that unpack to 30,00"),
        (word("") | {f"word/{n}.xml": "" for n in range(20_001)}, "is a zip bomb: its directory has 20,005 members in"),
        (word("<w:p>" * 1000), "is a damaged Word document: Excessive depth"),
        (word(""), "contains no text"),
        ({"word/x.xml": "<a/>"}, "is a damaged Word document: its main part is missing"),
        ({"ppt/x.xml": "<a/>"}, "is a damaged PowerPoint deck"),
        ({"xl/x.xml": "<a/>"}, "is a damaged Excel workbook"),
        ({"META-INF/x.xml": "<a/>"}, "is a damaged EPUB book"),
        ({"other": ""}, "is a zip archive"),
    ],
)
def test_bombs_and_fragments_get_a_reason(tmp_path, members, reason):
    with pytest.raises(UnreadableDocument, match=reason):
        split(tmp_path, zipped(members))


def test_more_text_than_the_limit_is_a_reason_and_markup_is_no_text(tmp_path):
    with pytest.raises(UnreadableDocument, match=r"contains more text than the limit max_text_bytes \(1,000\)"):
        split(tmp_path, zipped(word(paragraph("x" * 1000))), Limits(max_text_bytes=1000))
    with pytest.raises(
        UnreadableDocument, match=r"unpacks to [\d,]+ bytes of markup; the limit is 20 times max_text_bytes, 20,000"
    ):
        split(tmp_path, zipped(word(paragraph("x") * 1000)), Limits(max_text_bytes=1000))
    assert len(split(tmp_path, zipped(word(paragraph("x") * 100)), Limits(max_text_bytes=1000))) == 1


def test_a_film_in_a_deck_is_not_unpacked(tmp_path):
    members = _members(deck()) | {"ppt/media/film.mp4": b"\0" * 30_000_000}
    assert len(split(tmp_path, zipped(members), Limits(max_text_bytes=1_000_000))) == 2


def _members(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("<row><c><v>1</v></c></row>" * 2_000_001, "is a workbook of more than 2,000,000 rows or 20,000,000 cells"),
        ('<row><c t="s"><v>0</v></c></row>' * 2000, "contains more text than the limit max_text_bytes"),
    ],
)
def test_a_workbook_that_expands_without_end_is_stopped(tmp_path, rows, reason):
    members = _members(workbook())
    shared = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{"word " * 5000}</t></si></sst>'
    members["xl/sharedStrings.xml"] = shared.encode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(b"</Types>", override.encode())
    members["xl/worksheets/sheet1.xml"] = rows_replaced(members["xl/worksheets/sheet1.xml"], rows)
    with pytest.raises(UnreadableDocument, match=reason):
        split(tmp_path, zipped(members), Limits(max_text_bytes=5_000_000))


def test_places_far_away_cost_nothing(tmp_path):
    far = (
        '<row r="1000000000"><c r="A1000000000"><v>1</v></c></row>'
        + '<row><c r="XFD1"><v>1</v></c><c r="ZZZZ1"><v>9</v></c></row>' * 2000
    )
    passages = split(
        tmp_path, rewritten(workbook(), lambda name, content: rows_replaced(content, far) if "sheet1" in name else content)
    )
    assert passages[0].text.split("\n")[:3] == ["1", " | 1", " | 1"]


def rows_replaced(sheet: bytes, rows: str) -> bytes:
    return re.sub("<sheetData>.*</sheetData>", f"<sheetData>{rows}</sheetData>", sheet.decode()).encode()


@pytest.mark.parametrize("made", [deck, workbook, lambda: zipped(word(paragraph("one", "T"))), lambda: zipped(book())])
def test_damage_gives_passages_or_a_reason_and_nothing_on_stdout(tmp_path, made, capsys):
    chance = random.Random(4)
    members = _members(made())
    texts = [name for name in members if name.endswith((".xml", ".rels", ".opf", ".xhtml"))]
    refused = 0
    for _ in range(75):
        name = chance.choice(texts)
        try:
            split(tmp_path, zipped(members | {name: _damaged(members[name], chance)}))
        except UnreadableDocument as error:
            assert error.what
            refused += 1
    assert 0 < refused < 75
    assert capsys.readouterr().out == ""


def _damaged(content: bytes, chance: random.Random) -> bytes:
    """One flipped byte, a cut, a missing tag, or another value of an attribute."""
    tags = [match.span() for match in re.finditer(rb"<[^<>]+>", content)]
    values = [match.span(1) for match in re.finditer(rb'"([^"]*)"', content)]
    start, end = chance.choice(chance.choice([tags, values or tags]))
    at = chance.randrange(len(content))
    flipped = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
    replaced = content[:start] + chance.choice([b"", b"-1", b"999999999", b"rId99", b"A1:ZZZ99999"]) + content[end:]
    return chance.choice([flipped, content[:at], replaced, replaced])


def test_a_member_without_a_name_is_a_reason(tmp_path):
    packed = zipped(word(paragraph("one")) | {"x": ""})
    at = packed.rindex(b"PK\x01\x02") + 46  # the last name of the directory
    with pytest.raises(UnreadableDocument, match="is a damaged zip file: a member has no name"):
        split(tmp_path, packed[:at] + b"\0" + packed[at + 1 :])


def test_bytes_flipped_in_the_archive_give_passages_or_a_reason(tmp_path):
    chance = random.Random(5)
    packed = zipped(word(paragraph("one", "T")))
    for _ in range(200):
        at = chance.randrange(len(packed))
        try:
            split(tmp_path, packed[:at] + bytes([chance.randrange(256)]) + packed[at + 1 :])
        except UnreadableDocument as error:
            assert error.what


# ---- dialects -----------------------------------------------------------------------------------


def rewritten(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """A zip file with each member changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return zipped({name: change(name, archive.read(name)) for name in archive.namelist()})


def strict(name: str, content: bytes) -> bytes:
    """A part in the strict dialect, as Excel and PowerPoint save it on demand."""
    return re.sub(
        rb"http://schemas\.openxmlformats\.org/(spreadsheetml|presentationml|drawingml|officeDocument)/2006/(main|relationships)",
        rb"http://purl.oclc.org/ooxml/\1/\2",
        content,
    )


@pytest.mark.parametrize("make", [workbook, deck])
def test_the_strict_dialect_reads_as_the_common_one(tmp_path: Path, make: Callable[[], bytes]) -> None:
    common = split(tmp_path, make())
    assert [one.text for one in split(tmp_path, rewritten(make(), strict))] == [one.text for one in common] != []


@pytest.mark.parametrize(
    "kind",
    [
        "openxmlformats-officedocument.presentationml.slideshow",
        "openxmlformats-officedocument.presentationml.template",
        "ms-powerpoint.slideshow.macroEnabled",
    ],
)
def test_a_slide_show_reads_as_its_presentation(tmp_path: Path, kind: str) -> None:
    def show(name: str, content: bytes) -> bytes:
        return content.replace(
            b"openxmlformats-officedocument.presentationml.presentation.main+xml", kind.encode() + b".main+xml"
        )

    assert split(tmp_path, rewritten(deck(), show)) == split(tmp_path, deck()) != []
