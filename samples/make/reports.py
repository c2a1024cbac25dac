"""Sets the annual report (24 pages) and the two-column survey with reportlab.

Knows layout; the words are in words/, the figures in charts.
"""

from __future__ import annotations

import io
import re

from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4, A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from samples.make import charts
from samples.make.places import FONTS, place
from samples.make.words import Block, read_pages

BLUE = colors.HexColor("#12406a")
FIGURES = {"cargo": charts.chart_cargo, "bed": charts.map_bed_change}


def register_fonts() -> None:
    """Embeds our own faces, so that the pages look the same everywhere."""
    for face in ("sans", "bold", "serif", "serif-bold", "serif-italic"):
        pdfmetrics.registerFont(TTFont(face, str(FONTS[face])))
    pdfmetrics.registerFontFamily("serif", normal="serif", bold="serif-bold", italic="serif-italic", boldItalic="serif-bold")


def flow(block: Block, text_size: float, width: float) -> list[Flowable]:
    """The flowables of one block in a column of `width` points."""
    text = ParagraphStyle(
        "text", fontName="serif", fontSize=text_size, leading=text_size * 1.45, alignment=TA_JUSTIFY, spaceAfter=8
    )
    title = ParagraphStyle(
        "title", fontName="bold", fontSize=text_size * 2, leading=text_size * 2.4, textColor=BLUE, spaceAfter=14
    )
    heading = ParagraphStyle(
        "heading", fontName="bold", fontSize=text_size * 1.2, leading=text_size * 1.6, textColor=BLUE, spaceBefore=6
    )
    words = re.sub(r"\*(.+?)\*", r"<i>\1</i>", block.words)
    if block.shape == "title":
        return [Paragraph(words, title)]
    if block.shape == "heading":
        return [Paragraph(words, heading)]
    if block.shape == "bullets":
        return [Paragraph(row[0], text, bulletText="•") for row in block.rows]
    if block.shape == "figure":
        stream = io.BytesIO()
        figure = FIGURES[block.words]()
        figure.save(stream, format="PNG")
        return [Image(stream, width=width, height=width * figure.height / figure.width), Spacer(1, 10)]
    if block.shape == "table":
        style = [
            ("FONTNAME", (0, 0), (-1, -1), "sans"),
            ("FONTNAME", (0, 0), (-1, 0), "bold"),
            ("FONTSIZE", (0, 0), (-1, -1), text_size * 0.8),
        ]
        style += [("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e3ecf4"))]
        style += [("ALIGN", (1, 0), (-1, -1), "RIGHT" if max(len(row[-1]) for row in block.rows) < 12 else "LEFT")]
        return [Table([list(row) for row in block.rows], style=TableStyle(style), hAlign="LEFT", spaceAfter=12)]
    return [Paragraph(words, text)]


def set_annual_report() -> None:
    """reports/annual-report-2025.pdf, a booklet: a chapter on each of its 24 pages."""
    pages = read_pages("annual-report")
    width = A5[0] - 32 * mm
    story: list[Flowable] = []
    for number, page in enumerate(pages):
        story += [Spacer(1, 62 * mm)] if number == 0 else []
        for block in page:
            story += flow(block, 11.5, width)
        story.append(PageBreak())

    def foot(canvas: Canvas, document: BaseDocTemplate) -> None:
        if document.page == 1:
            canvas.setFillColor(BLUE)
            canvas.rect(0, A5[1] - 60 * mm, A5[0], 60 * mm, stroke=0, fill=1)
            return
        canvas.setFont("sans", 9)
        canvas.drawString(16 * mm, 10 * mm, "Skarvoy Harbour Trust · Annual Report 2025")
        canvas.drawRightString(A5[0] - 16 * mm, 10 * mm, str(document.page))

    file = place("reports", "annual-report-2025.pdf")
    document = BaseDocTemplate(str(file), pagesize=A5, title="Annual Report 2025", author="Skarvoy Harbour Trust", invariant=1)
    frame = Frame(16 * mm, 16 * mm, width, A5[1] - 32 * mm, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=foot))
    document.build(story[:-1])


def set_survey() -> None:
    """reports/north-channel-survey.pdf: two columns, as such papers are printed."""
    width = (A4[0] - 46 * mm) / 2
    story = [flowable for block in read_pages("north-channel-survey")[0] for flowable in flow(block, 12, width)]
    file = place("reports", "north-channel-survey.pdf")
    document = BaseDocTemplate(str(file), pagesize=A4, title="Where the silt comes from", author="Lin Mei", invariant=1)
    columns = [Frame(18 * mm + column * (width + 10 * mm), 18 * mm, width, A4[1] - 36 * mm, 0, 0, 0, 0) for column in range(2)]
    document.addPageTemplates(PageTemplate(frames=columns))
    document.build(story)
