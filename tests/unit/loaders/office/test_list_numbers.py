"""Numbers that nobody typed: lists and headings of Word, and boxes of PowerPoint, as a person reads them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from lxml import etree
from pptx import Presentation
from pptx.util import Inches

from rag.loaders.office.list_formats import format_number
from tests.unit.loaders.office.test_office import W, paragraph, split, word, zipped
from tests.unit.loaders.office.test_open_document import package


def level(place: int, text: str, form: str = "decimal", inner: str = "", start: int = 1) -> str:
    return (
        f'<w:lvl w:ilvl="{place}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/>{inner}<w:lvlText w:val="{text}"/></w:lvl>'
    )


def numbering(*levels: str, more: str = "") -> str:
    lists = f'<w:abstractNum w:abstractNumId="7">{"".join(levels)}</w:abstractNum>'
    return f'<w:numbering {W}>{lists}<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>{more}</w:numbering>'


def item(text: str, place: int = 0, number: int = 1, style: str = "") -> str:
    return paragraph(text, style, f'<w:numPr><w:ilvl w:val="{place}"/><w:numId w:val="{number}"/></w:numPr>')


def read(tmp_path: Path, body: str, lists: str, styles: str = "") -> list[str]:
    members = word(body) | {"word/numbering.xml": lists}
    if styles:
        members["word/styles.xml"] = f"<w:styles {W}>{styles}</w:styles>"
    return "\n\n".join(one.text for one in split(tmp_path, zipped(members))).split("\n\n")


def test_levels_count_on_and_begin_anew_below_a_new_number(tmp_path):
    levels = level(0, "%1."), level(1, "%1.%2"), level(2, "(%3)", "lowerLetter")
    body = item("one") + item("a", 1) + item("b", 1) + item("deep", 2) + item("deeper", 2) + item("two") + item("again", 1)
    assert read(tmp_path, body, numbering(*levels)) == [
        *("1. one", "1.1 a", "1.2 b", "(a) deep", "(b) deeper"),
        *("2. two", "2.1 again"),
    ]


def test_clauses_of_a_chinese_contract(tmp_path):
    levels = level(0, "第%1条", "chineseCountingThousand"), level(1, "（%2）", "chineseCountingThousand")
    body = "".join(item(f"条款{at}") for at in range(11)) + item("细则", 1)
    assert read(tmp_path, body, numbering(*levels))[-2:] == ["第十一条 条款10", "（一） 细则"]


def test_a_heading_takes_its_number_from_its_style(tmp_path):
    linked = '<w:pStyle w:val="{}"/>'
    lists = numbering(level(0, "%1", inner=linked.format("H1")), level(1, "%1.%2", inner=linked.format("H2")))
    numbered = '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="H{at}"><w:name w:val="heading {at}"/>{numbered}</w:style>' for at in (1, 2)
    )
    based = '<w:style w:type="paragraph" w:styleId="Mine"><w:basedOn w:val="H2"/></w:style>'
    body = paragraph("Scope", "H1") + paragraph("Terms", "H2") + paragraph("Fees", "H2") + paragraph("Late fees", "Mine")
    assert read(tmp_path, body, lists, styles + based) == ["# 1 Scope", "## 1.1 Terms", "## 1.2 Fees", "## 1.3 Late fees"]


def test_a_list_of_its_own_begins_where_it_says_and_lists_of_one_kind_count_together(tmp_path):
    same = '<w:num w:numId="2"><w:abstractNumId w:val="7"/></w:num>'
    own = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>'
    anew = f'<w:num w:numId="3"><w:abstractNumId w:val="7"/>{own}</w:num>'
    body = item("a") + item("b", number=2) + item("c", number=3) + item("d", number=3)
    assert read(tmp_path, body, numbering(level(0, "%1)"), more=same + anew)) == ["1) a", "2) b", "5) c", "6) d"]


def test_bullets_unknown_lists_and_removed_numbers(tmp_path):
    lists = numbering(level(0, "", "bullet"), level(1, "%2.", "none"))
    body = item("dot") + item("nothing", 1) + item("unknown", number=9) + item("taken away", number=0)
    assert read(tmp_path, body, lists) == ["- dot", ". nothing", "- unknown", "taken away"]


def test_legal_numbers_and_levels_that_never_begin_anew(tmp_path):
    never = '<w:lvlRestart w:val="0"/>'
    levels = level(0, "%1.", "upperRoman"), level(1, "%1.%2", inner=f"{never}<w:isLgl/>")
    body = item("a") + item("b", 1) + item("c") + item("d", 1)
    assert read(tmp_path, body, numbering(*levels)) == ["I. a", "1.1 b", "II. c", "2.2 d"]


def test_a_level_that_was_passed_over_counts_as_used(tmp_path):
    levels = level(0, "%1"), level(1, "%1.%2"), level(2, "%1.%2.%3")
    body = item("a") + item("deep", 2) + item("b", 1)
    assert read(tmp_path, body, numbering(*levels)) == ["1 a", "1.1.1 deep", "1.2 b"]


@pytest.mark.parametrize(
    "lists",
    [
        numbering('<w:lvl w:ilvl="99999999999"><w:start w:val="x"/><w:lvlText w:val="%1"/></w:lvl>'),
        numbering(level(0, "%9%8%1", start=999_999_999)),
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="7"><w:numStyleLink w:val="L"/></w:abstractNum></w:numbering>',
        "<broken",
    ],
)
def test_nonsense_in_the_lists_costs_no_text(tmp_path, lists):
    styled = '<w:style w:type="numbering" w:styleId="L"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    assert "words" in "".join(read(tmp_path, item("words") + item("more words", 8), lists, styled))


def test_numbers_of_a_text_box_on_a_slide(tmp_path):
    made = Presentation()
    frame = made.slides.add_slide(made.slide_layouts[6]).shapes.add_textbox(0, 0, Inches(3), Inches(3)).text_frame
    frame.text = "Moor\nUnload\nboxes\nbarrels\nLeave\nplain\nfirst again"
    for at, one in enumerate(frame.paragraphs):
        properties = one._p.get_or_add_pPr()
        one.level = 1 if at in (2, 3) else 0
        if at != 5:
            scheme = "alphaLcParenBoth" if one.level else "arabicPeriod"
            etree.SubElement(properties, f"{{{properties.nsmap['a']}}}buAutoNum").set("type", scheme)
    file = io.BytesIO()
    made.save(file)
    (passage,) = split(tmp_path, file.getvalue())
    assert passage.text.split("\n") == ["1. Moor", "2. Unload", "(a) boxes", "(b) barrels", "3. Leave", "plain", "1. first again"]


def listed(number: str, *texts: str, more: str = "", attributes: str = "") -> str:
    items = "".join(f"<text:list-item><text:p>{text}</text:p>{more}</text:list-item>" for text in texts)
    return f'<text:list text:style-name="{number}" {attributes}>{items}</text:list>'


def test_lists_and_headings_of_an_open_document(tmp_path):
    one = '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
    two = '<text:list-level-style-number text:level="2" style:num-format="a" style:num-prefix="(" style:num-suffix=")"/>'
    style = f'<text:list-style style:name="L1">{one}{two}</text:list-style>'
    outline = "".join(
        f'<text:outline-level-style text:level="{at}" style:num-format="{form}" text:display-levels="{at}"/>'
        for at, form in ((1, "1"), (2, "1"), (3, ""))
    )
    styles = f"<office:styles><text:outline-style style:name='Outline'>{outline}</text:outline-style></office:styles>"
    inner = "<text:p>goes on</text:p><text:list><text:list-item><text:p>under</text:p></text:list-item></text:list>"
    body = "".join(f'<text:h text:outline-level="{at}">{text}</text:h>' for at, text in ((1, "One"), (2, "Two"), (3, "Three")))
    body += '<text:h text:outline-level="2">Four</text:h>'
    body += listed("L1", "salt", "rope", more=inner) + listed("L1", "anew")
    body += listed("L1", "on", attributes='text:continue-numbering="true"') + listed("gone", "dot")
    texts = "\n\n".join(one.text for one in split(tmp_path, zipped(package("text", body, styles, style)))).split("\n\n")
    assert texts == [
        *("# 1 One", "## 1.1 Two", "### Three", "## 1.2 Four"),
        *("1. salt", "goes on", "(a) under", "2. rope", "goes on", "(a) under", "1. anew", "2. on", "- dot"),
    ]


def test_formats_of_numbers():
    shown = {
        "lowerRoman": ["iv", "xlix"],
        "upperLetter": ["D", "WW"],
        "ordinal": ["4th", "49th"],
        "chineseCounting": ["四", "四十九"],
        "chineseLegalSimplified": ["肆", "肆拾玖"],
        "ideographDigital": ["四", "四九"],
        "decimalEnclosedCircle": ["④", "49"],
        "ideographTraditional": ["丁", "49"],
        "unheard of": ["4", "49"],
    }
    for name, (four, many) in shown.items():
        assert [format_number(4, name), format_number(49, name)] == [four, many], name
    assert [format_number(number, "chineseCountingThousand") for number in (10, 105, 110, 1001, 2310)] == [
        *("十", "一百零五", "一百一十", "一千零一", "二千三百一十"),
    ]
    assert [format_number(number, "ordinal") for number in (1, 2, 3, 11, 112, 121)] == [
        "1st",
        "2nd",
        "3rd",
        "11th",
        "112th",
        "121st",
    ]
