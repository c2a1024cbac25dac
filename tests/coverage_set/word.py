"""Word documents in the forms that Word and Google Docs write: split runs, numbering, fields, controls, changes, boxes, notes.

Knows no reader.
"""

from __future__ import annotations

from tests.coverage_set.sample import Sample
from tests.unit.loaders.office.test_beside_the_text import related
from tests.unit.loaders.office.test_office import RELATIONSHIPS, STYLES, zipped

_SPACES = " ".join(
    f'xmlns:{short}="{name}"'
    for short, name in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "pic": "http://schemas.openxmlformats.org/drawingml/2006/picture",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "v": "urn:schemas-microsoft-com:vml",
        "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    }.items()
)
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    + "".join(
        f'<Override PartName="/word/{part}.xml" ContentType='
        f'"application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}+xml"/>'
        for part, kind in {
            "document": "document.main",
            "styles": "styles",
            "numbering": "numbering",
            "footnotes": "footnotes",
            "endnotes": "endnotes",
            "comments": "comments",
            "header1": "header",
            "footer1": "footer",
        }.items()
    )
    + "</Types>"
)
_LINK = (
    '<Relationship Id="x" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"'
    ' Target="https://example.org/annex" TargetMode="External"/></Relationships>'
)
_LEVEL = '<w:lvl w:ilvl="{}"><w:start w:val="1"/><w:numFmt w:val="{}"/><w:lvlText w:val="{}"/></w:lvl>'
_NUMBERING = (
    f'<w:numbering {_SPACES}><w:abstractNum w:abstractNumId="0">{_LEVEL.format(0, "decimal", "%1.")}'
    f'{_LEVEL.format(1, "lowerLetter", "%2)")}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/>'
    f"</w:num></w:numbering>"
)


def r(text: str, style: str = "") -> str:
    """A run."""
    return f'<w:r w:rsidR="00A77427"><w:rPr>{style}<w:lang w:val="en-GB"/></w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def p(*runs: str, style: str = "", level: int | None = None) -> str:
    """A paragraph of runs, perhaps an item of the numbered list."""
    listed = "" if level is None else f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>'
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f'<w:p w:rsidR="00A77427" w:rsidRDefault="00A77427"><w:pPr>{named}{listed}</w:pPr>{"".join(runs)}</w:p>'


def tc(*paragraphs: str, properties: str = "") -> str:
    return f'<w:tc><w:tcPr><w:tcW w:w="2000" w:type="dxa"/>{properties}</w:tcPr>{"".join(paragraphs) or "<w:p/>"}</w:tc>'


def tr(*cells: str) -> str:
    return f"<w:tr>{''.join(cells)}</w:tr>"


def _package(body: str, **parts: str) -> bytes:
    members = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": RELATIONSHIPS,
        "word/document.xml": f"<w:document {_SPACES}><w:body>{body}<w:sectPr/></w:body></w:document>",
        "word/_rels/document.xml.rels": related(
            styles="styles.xml", numbering="numbering.xml", **{n: f"{n}.xml" for n in parts}
        ).replace("</Relationships>", _LINK),
        "word/styles.xml": STYLES,
        "word/numbering.xml": _NUMBERING,
    }
    declared = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    members |= {f"word/{name}.xml": content for name, content in parts.items()}
    return zipped({name: declared + content for name, content in members.items()})


def _report() -> bytes:
    """Headings, a list of two levels, a table with merged cells, notes, header and footer."""
    body = p(
        r("Annual "),
        '<w:proofErr w:type="spellStart"/>',
        r("drydock"),
        '<w:proofErr w:type="spellEnd"/>',
        r(" report"),
        style="T",
    )
    body += p(r("Repairs"), style="berschrift1")
    body += p(
        r("The hull was "),
        r("re"),
        r("plated", "<w:b/>"),
        "<w:r><w:tab/></w:r>",
        r("in 12"),
        "<w:r><w:noBreakHyphen/></w:r>",
        r("mm steel"),
        '<w:r><w:footnoteReference w:id="1"/></w:r>',
        r("."),
    )
    body += p(r("Scrape"), level=0) + p(r("below the line"), level=1) + p(r("Paint"), level=0)
    merged = '<w:gridSpan w:val="2"/>'
    body += (
        "<w:tbl><w:tblGrid><w:gridCol/><w:gridCol/><w:gridCol/></w:tblGrid>"
        + tr(tc(p(r("Ship")), properties='<w:vMerge w:val="restart"/>'), tc(p(r("Cost in €")), properties=merged))
        + tr(tc(properties="<w:vMerge/>"), tc(p(r("planned"))), tc(p(r("paid"))))
        + tr(tc(p(r("Skua"))), tc(p(r("12,000"))), tc(p(r("12,750")), p(r("in May"))))
        + "</w:tbl>"
    )
    body += p(r("Signed in Emden"), '<w:r><w:endnoteReference w:id="1"/></w:r>')
    notes = '<w:{0}note w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:{0}note>'
    return _package(
        body,
        footnotes=f"<w:footnotes {_SPACES}>{notes.format('foot')}"
        f'<w:footnote w:id="1">{p(r("Grade A."))}</w:footnote></w:footnotes>',
        endnotes=f"<w:endnotes {_SPACES}>{notes.format('end')}"
        f'<w:endnote w:id="1">{p(r("Before two witnesses."))}</w:endnote></w:endnotes>',
        header1=f"<w:hdr {_SPACES}>{p(r('Nordship AG'))}</w:hdr>",
        footer1=f"<w:ftr {_SPACES}>{p(r('Confidential'))}</w:ftr>",
    )


def _reviewed() -> bytes:
    """Tracked changes, a comment, a text box with its fallback, a content control, fields, a formula, an alternative text."""
    field = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    box = f"<w:txbxContent>{p(r('Mind the step'))}</w:txbxContent>"
    body = p(
        r("The crew "),
        f'<w:ins w:id="1" w:author="Eva" w:date="2024-01-01T00:00:00Z">{r("gladly ")}</w:ins>',
        '<w:del w:id="2" w:author="Eva"><w:r><w:delText>never </w:delText></w:r></w:del>',
        '<w:commentRangeStart w:id="0"/>',
        r("accepts"),
        '<w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r>',
        r(" the offer of "),
        field.format("begin"),
        '<w:r><w:instrText xml:space="preserve"> DATE \\@ "d MMMM" </w:instrText></w:r>',
        field.format("separate"),
        r("9 March"),
        field.format("end"),
        r(", see "),
        f'<w:hyperlink r:id="x" w:history="1">{r("the annex")}</w:hyperlink>',
        f'<w:fldSimple w:instr="PAGE">{r(" 4")}</w:fldSimple>',
    )
    body += p(
        "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:anchor><wp:docPr id='1' name='Box 1'/>"
        f"<a:graphic><a:graphicData><wps:wsp><wps:txbx>{box}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing>"
        f"</mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )
    body += (
        "<w:sdt><w:sdtPr><w:alias w:val='Name'/></w:sdtPr><w:sdtContent>"
        + p(r("Name: "), f"<w:sdt><w:sdtContent>{r('Olga Brandt')}</w:sdtContent></w:sdt>")
        + "</w:sdtContent></w:sdt>"
    )
    body += p(
        "<m:oMathPara><m:oMath><m:r><m:t>P</m:t></m:r><m:r><m:t>=</m:t></m:r><m:f><m:num><m:r><m:t>F</m:t></m:r></m:num>"
        "<m:den><m:r><m:t>A</m:t></m:r></m:den></m:f></m:oMath></m:oMathPara>"
    )
    body += p(
        "<w:r><w:drawing><wp:inline><wp:docPr id='2' name='Picture 2' descr='A gangway in fog'/></wp:inline></w:drawing></w:r>"
    )
    body += p(r("hidden words", "<w:vanish/>"), r("THE END", "<w:caps/>"), '<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>')
    said = f'<w:comment w:id="0" w:author="Jan Smit" w:initials="JS">{p(r("Did they?"))}</w:comment>'
    return _package(body, comments=f"<w:comments {_SPACES}>{said}</w:comments>")


def _manual() -> bytes:
    """A table of contents, a table in a cell, a drop-down and a ticked box, an equation in a line, a break of columns."""
    entry = p(f'<w:hyperlink w:anchor="_Toc1">{r("Engine")}<w:r><w:tab/></w:r>{r("2")}</w:hyperlink>', style="TOC1")
    body = f"<w:sdt><w:sdtPr><w:docPartObj/></w:sdtPr><w:sdtContent>{p(r('Contents'))}{entry}</w:sdtContent></w:sdt>"
    body += p('<w:bookmarkStart w:id="1" w:name="_Toc1"/>', r("Eng"), r("ine", "<w:i/>"), style="berschrift1")
    inner = f"<w:tbl>{tr(tc(p(r('idle'))), tc(p(r('600 rpm'))))}</w:tbl>"
    body += f"<w:tbl>{tr(tc(p(r('Speed'))), tc(inner, p(r('never above 2,400'))))}</w:tbl>"
    box = '<w14:checkbox><w14:checked w14:val="1"/></w14:checkbox>'
    body += p(f"<w:sdt><w:sdtPr>{box}</w:sdtPr><w:sdtContent>{r(chr(0x2612))}</w:sdtContent></w:sdt>", r(" oil checked"))
    power = "<m:sSup><m:e><m:r><m:t>v</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
    body += p(
        r("where "),
        f"<m:oMath>{power}</m:oMath>",
        r(" is drag"),
        '<w:r><w:br w:type="column"/></w:r>',
        r("and"),
        "<w:r><w:br/></w:r>",
    )
    body += p(r("Ask H"), r("2", '<w:vertAlign w:val="subscript"/>'), r("O tank"), "<w:r><w:softHyphen/></w:r>", r("er"))
    return _package(body)


def _scripts() -> bytes:
    """Right-to-left text with a number in it, Chinese, and Japanese with readings above."""
    ruby = f"<w:r><w:ruby><w:rt>{r('こうわん')}</w:rt><w:rubyBase>{r('港湾')}</w:rubyBase></w:ruby></w:r>"
    body = p(r("שעות הפתיחה", "<w:rtl/>"), r(" 8:00", "<w:rtl/>"), r(" בבוקר", "<w:rtl/>"))
    body += p(r("港口今天开放。")) + p(ruby, r("管理"))
    return _package(body)


SAMPLES = [
    Sample(
        "drydock-report.docx",
        _report,
        "Annual drydock report Repairs The hull was replated in 12 mm steel Scrape below the line Paint Ship Cost"
        " in € planned paid"
        " Skua 12 000 12 750 in May Signed in Emden",
        ("Grade A", "Before two witnesses", "Nordship AG", "Confidential"),
    ),
    Sample(
        "reviewed.docx",
        _reviewed,
        "The crew gladly accepts the offer of 9 March see the annex 4 Mind the step Name Olga Brandt P F A A"
        " gangway in fog THE END",
        ("Jan Smit Did they",),
    ),
    Sample(
        "manual.docx",
        _manual,
        "Contents Engine 2 Engine Speed idle 600 rpm never above 2 400 oil checked where v2 is drag and Ask H2O tanker",
    ),
    Sample("scripts.docx", _scripts, "שעות הפתיחה 8 00 בבוקר 港口今天开放 港湾管理"),
]
