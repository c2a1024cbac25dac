"""Workbooks and decks as Excel and PowerPoint show them: formats of numbers, merged cells, hidden sheets, notes, charts, groups.

Knows no reader.
"""

from __future__ import annotations

import datetime
import io

from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from tests.coverage_set.sample import Sample
from tests.unit.loaders.office.test_office import saved, zipped

_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_P = "http://schemas.openxmlformats.org/package/2006/relationships"


def _stock() -> bytes:
    made = Workbook()
    sheet = made.active
    sheet.title = "Stock"
    sheet["A1"] = "Chandlery stock"
    sheet.merge_cells("A1:D1")
    sheet.append(["item", "counted on", "share sold", "price"])
    rows = [("shackle", datetime.date(2024, 3, 9), 0.175, 12.5), ("thimble", datetime.date(2023, 12, 24), 0.05, 1300)]
    for number, values in enumerate(rows, start=3):
        sheet.append(values)
        for column, shown in zip("BCD", ("DD.MM.YYYY", "0.0%", '#,##0.00" €"'), strict=True):
            sheet[f"{column}{number}"].number_format = shown
    sheet["A5"] = CellRichText("Swan", TextBlock(InlineFont(b=True), "neck"), " hook")
    sheet["B5"] = True
    sheet["C5"] = datetime.time(14, 30)
    sheet["C5"].number_format = "hh:mm"
    sheet["A4"].comment = Comment("Reorder soon", "Pia")
    sheet.oddHeader.center.text = "Store 3"
    other = made.create_sheet("Lease & tax")
    other.append(["rent", 700])
    other.sheet_state = "hidden"
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def _calculated() -> bytes:
    """As Excel saves it: shared strings with readings, results of formulas, an error, text from a formula."""
    shared = (
        f'<sst xmlns="{_S}" count="4" uniqueCount="4"><si><t>fee</t></si><si><r><t xml:space="preserve">harbour'
        f" </t></r><r><rPr><b/>"
        "</rPr><t>dues</t></r></si><si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si><si><t>total</t></si></sst>"
    )
    cells = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>'
        '<row r="2"><c r="A2" s="1"><v>45</v></c><c r="B2" s="2"><v>45362</v></c><c r="C2" t="e"><v>#DIV/0!</v></c></row>'
        '<row r="4"><c r="A4" t="s"><v>3</v></c><c r="B4" s="1"><f>SUM(A2:A3)*2</f><v>90</v></c>'
        '<c r="C4" t="str"><f>"due in "&amp;A2&amp;" days"</f><v>due in 45 days</v></c>'
        '<c r="D4" t="inlineStr"><is><t>at the office</t></is></c></row>'
    )
    styles = (
        f'<styleSheet xmlns="{_S}"><numFmts count="2"><numFmt numFmtId="164" formatCode="0.00&quot; kr&quot;"/>'
        '<numFmt numFmtId="165" formatCode="d\\ mmmm\\ yyyy"/></numFmts><fonts count="1"><font/></fonts><fills'
        ' count="1"><fill><patternFill patternType="none"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0"'
        ' borderId="0"/></cellStyleXfs>'
        '<cellXfs count="3"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165"'
        ' applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    parts = {"workbook": "sheet.main", "worksheets/sheet1": "worksheet", "styles": "styles", "sharedStrings": "sharedStrings"}
    return zipped(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            + "".join(f'<Override PartName="/xl/{n}.xml" ContentType="{kind}{k}+xml"/>' for n, k in parts.items())
            + "</Types>",
            "_rels/.rels": f'<Relationships xmlns="{_P}">'
            f'<Relationship Id="r1" Type="{_R}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
            "xl/workbook.xml": f'<workbook xmlns="{_S}" xmlns:r="{_R}"><sheets>'
            f'<sheet name="Dues" sheetId="1" r:id="rId1"/></sheets>'
            "</workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_P}">'
            f'<Relationship Id="rId1" Type="{_R}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="rId2" Type="{_R}/styles" Target="styles.xml"/>'
            f'<Relationship Id="rId3" Type="{_R}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_S}"><sheetData>{cells}</sheetData></worksheet>',
            "xl/styles.xml": styles,
            "xl/sharedStrings.xml": shared,
        }
    )


def _talk() -> bytes:
    made = Presentation()
    first = made.slides.add_slide(made.slide_layouts[0])
    first.shapes.title.text = "Dredging the Ems"
    first.placeholders[1].text = "Harbour council, June"
    second = made.slides.add_slide(made.slide_layouts[1])
    box = second.shapes.add_textbox(0, Inches(6.8), Inches(3), Inches(0.5))  # drawn below, but listed before what is above it
    second.shapes._spTree.remove(box._element)
    second.shapes._spTree.insert(2, box._element)
    box.text_frame.text = "Source: water board"
    second.shapes.title.text = "Three steps"
    frame = second.placeholders[1].text_frame
    frame.text = "survey"
    for level, words in ((1, "by sonar"), (0, "dig"), (0, "dump")):
        paragraph = frame.add_paragraph()
        paragraph.text, paragraph.level = words, level
    second.notes_slide.notes_text_frame.text = "Mention the eels."
    return saved(made)


def _figures() -> bytes:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Silt"
    table = slide.shapes.add_table(2, 2, 0, Inches(2), Inches(4), Inches(1)).table
    for (row, column), words in {(0, 0): "year", (0, 1): "tons", (1, 0): "2023", (1, 1): "41,000"}.items():
        table.cell(row, column).text = words
    data = CategoryChartData()
    data.categories = ["Basin", "Lock"]
    data.add_series("Depth", (7.5, 9))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, Inches(3), Inches(4), Inches(2), data).chart
    chart.has_title = True
    chart.plots[0].has_data_labels = True  # so that the numbers are seen
    chart.chart_title.text_frame.text = "Depth by place"
    group = slide.shapes.add_group_shape()
    for at, words in enumerate(("before", "after")):
        group.shapes.add_textbox(Inches(at), Inches(6), Inches(1), Inches(1)).text_frame.text = words
    hidden = made.slides.add_slide(made.slide_layouts[6])
    hidden.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "Backup slide"
    hidden._element.set("show", "0")
    return saved(made)


SAMPLES = [
    Sample(
        "stock.xlsx",
        _stock,
        "Stock Chandlery stock item counted on share sold price shackle 09 03 2024 17 5 12 50 € thimble 24 12 2023 5 0 1 300 00 €"
        " Swanneck hook TRUE 14 30 Lease tax rent 700",
        ("Reorder soon", "Store 3"),
    ),
    Sample(
        "dues.xlsx",
        _calculated,
        "Dues fee harbour dues 東京 45 00 kr 11 March 2024 DIV 0 total 90 00 kr due in 45 days at the office",
    ),
    Sample(
        "talk.pptx",
        _talk,
        "Dredging the Ems Harbour council June Three steps survey by sonar dig dump Source water board",
        ("Mention the eels",),
    ),
    Sample(
        "figures.pptx",
        _figures,
        "Silt year tons 2023 41 000 Depth by place Basin Lock before after Backup slide",
        ("Depth", "7 5", "9"),
    ),
]
