"""What stands beside the main text of Word documents and decks: notes, comments, headers, changes, hidden slides."""

from __future__ import annotations

from pathlib import Path

from pptx import Presentation
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from rag.loaders.base import Limits
from rag.loaders.office.office import OfficeLoader
from rag.types import Document, DocumentId, Skipped
from tests.unit.loaders.office.test_office import W, paragraph, rewritten, saved, split, word, zipped

KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def related(**parts: str) -> str:
    listed = "".join(
        f'<Relationship Id="{name}" Type="{KIND}/{name.rstrip("0123456789")}" Target="{part}"/>' for name, part in parts.items()
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{listed}</Relationships>'


def test_notes_comments_headers_and_changes_of_a_word_document(tmp_path: Path) -> None:
    run = "<w:r><w:t>{}</w:t></w:r>"
    body = (
        f"<w:p>{run.format('The ships')}<w:ins>{run.format(' sailed')}</w:ins><w:del>{run.format(' sank')}</w:del>"
        f"<w:moveFrom>{run.format(' away')}</w:moveFrom>"
        '<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:commentReference w:id="0"/></w:r></w:p>'
        + '<w:p xmlns:v="urn:schemas-microsoft-com:vml"><w:pict><v:shape alt="A crane"><v:textpath string="DRAFT"/>'
        "</v:shape></w:pict></w:p>" + paragraph("The end.")
    )
    members = word(body) | {
        "word/_rels/document.xml.rels": related(
            styles="styles.xml", footnotes="footnotes.xml", comments="comments.xml", header1="header1.xml", header2="header2.xml"
        ),
        "word/footnotes.xml": f'<w:footnotes {W}><w:footnote w:id="2">{paragraph("in the year 1874")}</w:footnote></w:footnotes>',
        "word/comments.xml": f'<w:comments {W}><w:comment w:id="0" w:author="Ann">{paragraph("Which ones?")}</w:comment>'
        f'<w:comment w:id="9" w:author="Bob">{paragraph("lost its place")}</w:comment></w:comments>',
        "word/header1.xml": f"<w:hdr {W}>{paragraph('Harbour Board')}</w:hdr>",
        "word/header2.xml": f"<w:hdr {W}>{paragraph('Harbour Board')}</w:hdr>",
    }
    passages = split(tmp_path, zipped(members))
    text = "\n\n".join(passage.text for passage in passages)
    assert text.split("\n\n") == [
        "The ships sailed",
        "Footnote: in the year 1874",
        "Comment (Ann): Which ones?",
        "A crane  DRAFT",
        "The end.",
        "Comment (Bob): lost its place",
        "Header: Harbour Board",
    ]
    assert passages[-1].context.heading == "Header and footer"


def test_a_damaged_part_beside_the_text_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    members = word(paragraph("kept")) | {"word/comments.xml": f"<w:comments {W}><w:comment"}
    text, unread = split(tmp_path, zipped(members))
    assert text.text == "kept"
    (reason,) = OfficeLoader().read(Document(DocumentId("r", "document"), tmp_path / "document"), [unread], Limits())
    assert isinstance(reason, Skipped) and reason.reason.endswith("in its part word/comments.xml")


def commented_deck() -> bytes:
    made = Presentation()
    first = made.slides.add_slide(made.slide_layouts[5])
    first.shapes.title.text = "Cranes"
    authors = (
        b'<p:cmAuthorLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">'
        b'<p:cmAuthor id="1" name="Eve"/></p:cmAuthorLst>'
    )
    comments = (
        b'<p:cmLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">'
        b'<p:cm authorId="1"><p:text>too heavy</p:text></p:cm></p:cmLst>'
    )
    package = made.part.package
    made.part.relate_to(Part(PackURI("/ppt/commentAuthors.xml"), "application/xml", package, authors), f"{KIND}/commentAuthors")
    first.part.relate_to(Part(PackURI("/ppt/comments/comment1.xml"), "application/xml", package, comments), f"{KIND}/comments")
    second = made.slides.add_slide(made.slide_layouts[6])
    second.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "the reserve plan"
    second._element.set("show", "0")
    return saved(made)


def test_comments_and_hidden_slides_of_a_deck(tmp_path: Path) -> None:
    first, second = split(tmp_path, commented_deck())
    assert first.text == "Cranes\n\nComment (Eve): too heavy"
    assert (second.text, second.context.heading) == ("the reserve plan", "hidden slide")


def test_a_damaged_slide_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    content = rewritten(commented_deck(), lambda name, part: part[:200] if name == "ppt/slides/slide1.xml" else part)
    kept, unread = split(tmp_path, content)
    assert kept.text == "the reserve plan"
    assert unread.text == "" and unread.caption.startswith("slide 1 is damaged: ")


def test_hidden_words_end_their_paragraph_and_a_fraction_is_not_one_word(tmp_path: Path) -> None:
    math = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    hidden = '<w:r><w:rPr><w:vanish w:val="{}"/></w:rPr><w:t>{}</w:t></w:r>'
    body = (
        f"<w:p><w:r><w:t>re</w:t></w:r>{hidden.format('1', 'secret')}<w:r><w:t>plated</w:t>"
        f"</w:r>{hidden.format('0', ' hull')}</w:p>"
        f"<w:p {math}><m:oMath><m:f><m:num><m:r><m:t>F</m:t></m:r></m:num><m:den><m:r><m:t>A</m:t></m:r></m:den>"
        f"</m:f></m:oMath></w:p>"
    )
    (only,) = split(tmp_path, zipped(word(body)))
    assert only.text.split("\n\n") == ["replated hull secret", "F/A"]


def test_shapes_of_a_slide_are_read_downwards_and_columns_as_drawn(tmp_path: Path) -> None:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Title"
    for words, left, top in (("foot", 0, 6), ("head a", 0, 2), ("body a", 0, 3), ("head b", 5, 2), ("body b", 5, 3)):
        slide.shapes.add_textbox(Inches(left), Inches(top), Inches(4 if top < 6 else 9), Inches(0.5)).text_frame.text = words
    (only,) = split(tmp_path, saved(made))
    assert only.text.split("\n\n") == ["Title", "head a", "body a", "head b", "body b", "foot"]


def test_a_box_below_what_the_layout_places_is_read_after_it(tmp_path: Path) -> None:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    box = slide.shapes.add_textbox(0, Inches(7), Inches(3), Inches(0.4))
    box.text_frame.text = "Source: water board"
    slide.shapes._spTree.insert(2, box._element)
    slide.shapes.title.text = "Steps"
    slide.placeholders[1].text_frame.text = "dig"  # its frame is that of the layout
    (only,) = split(tmp_path, saved(made))
    assert only.text.split("\n\n") == ["Steps", "dig", "Source: water board"]
