"""OpenDocument texts, presentations and spreadsheets, in packages and flat; damage and false claims."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rag.errors import UnreadableDocument
from rag.types import Sheet, Slide
from tests.unit.loaders.office.test_office import split, zipped

URN = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(
    [f'xmlns:{one}="{URN}:{one}:1.0"' for one in ("office", "text", "table", "style", "presentation", "meta")]
    + [f'xmlns:draw="{URN}:drawing:1.0"', f'xmlns:svg="{URN}:svg-compatible:1.0"', 'xmlns:dc="http://purl.org/dc/elements/1.1/"']
)


def package(kind: str, body: str, styles: str = "", automatic: str = "") -> dict[str, str]:
    """The members of an OpenDocument file."""
    content = f"<office:automatic-styles>{automatic}</office:automatic-styles>"
    content += f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": f"<office:document-content {SPACES}>{content}</office:document-content>",
        "styles.xml": f"<office:document-styles {SPACES}>{styles}</office:document-styles>",
        "meta.xml": f"<office:document-meta {SPACES}><dc:title>Harbour papers</dc:title></office:document-meta>",
    }


TEXT = (
    "<text:tracked-changes><text:p>struck out</text:p></text:tracked-changes>"
    '<text:h text:outline-level="1">Ships</text:h><text:p>They<text:s text:c="2"/>came'
    "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>in spring</text:p></text:note-body></text:note>"
    "<office:annotation><dc:creator>Ann</dc:creator><dc:date>2025</dc:date><text:p>all?</text:p></office:annotation>.</text:p>"
    "<text:list><text:list-item><text:p>salt</text:p></text:list-item></text:list>"
    "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
    "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    "<text:p><draw:frame><draw:text-box><text:p>in a box</text:p></draw:text-box>"
    "<svg:desc>A red boat</svg:desc></draw:frame></text:p>"
)
EDGES = "<style:master-page><style:header><text:p>Harbour Board</text:p></style:header></style:master-page>"
SHEETS = (
    '<table:table table:name="Stock"><table:table-row><table:table-cell><text:p>part</text:p></table:table-cell>'
    "<table:table-cell><text:p>share</text:p></table:table-cell></table:table-row>"
    '<table:table-row table:visibility="collapse"><table:table-cell><office:annotation>'
    "<dc:creator>Ann</dc:creator><text:p>old</text:p>"
    "</office:annotation><text:p>rope</text:p></table:table-cell>"
    '<table:table-cell office:value-type="percentage" office:value="0.175"><text:p>17.5%</text:p></table:table-cell>'
    "</table:table-row>"
    '<table:table-row table:number-rows-repeated="1048000">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    '<table:table-row table:number-rows-repeated="500"><table:table-cell table:number-columns-repeated="9999">'
    "<text:p>x</text:p></table:table-cell></table:table-row></table:table>"
    '<table:table table:name="Kept" table:style-name="ta1"><table:table-row>'
    "<table:table-cell><text:p>thyme</text:p></table:table-cell>"
    "</table:table-row></table:table>"
)
HIDDEN = '<style:style style:name="ta1" style:family="table"><style:table-properties table:display="false"/></style:style>'
PAGES = (
    "<draw:page><draw:frame><draw:text-box><text:p>Body</text:p></draw:text-box></draw:frame>"
    '<draw:frame presentation:class="title">'
    "<draw:text-box><text:p>Cranes</text:p></draw:text-box></draw:frame><presentation:notes><draw:frame><draw:text-box>"
    "<text:p>speak up</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>"
)


def test_a_text_with_all_that_stands_beside_it(tmp_path: Path) -> None:
    passages = split(tmp_path, zipped(package("text", TEXT, EDGES)))
    assert "\n\n".join(one.text for one in passages).split("\n\n") == [
        *("# Ships", "They  came.", "Footnote: in spring", "Comment (Ann): all?", "- salt", "a | b", "in a box", "A red boat"),
        "Header: Harbour Board",
    ]
    assert {one.context.title for one in passages} == {"Harbour papers"}


def test_a_flat_text_reads_as_its_package(tmp_path: Path) -> None:
    flat = f'<?xml version="1.0"?><office:document {SPACES} office:mimetype="application/vnd.oasis.opendocument.text">'
    flat += f"<office:meta><dc:title>Harbour papers</dc:title></office:meta>{EDGES}"
    flat += f"<office:body><office:text>{TEXT}</office:text></office:body>"
    packed = [one.text for one in split(tmp_path, zipped(package("text", TEXT, EDGES)))]
    assert [one.text for one in split(tmp_path, f"{flat}</office:document>".encode())] == packed


def test_a_spreadsheet_whose_claims_cost_nothing(tmp_path: Path) -> None:
    stock, kept = split(tmp_path, zipped(package("spreadsheet", SHEETS, automatic=HIDDEN)))
    lines = stock.text.split("\n")
    assert lines[:2] == ["part | share", "rope [note by Ann: old] | 17.5% (0.175) (hidden row)"]
    assert lines[2] == " | ".join("x" * 64)
    assert len(lines) == 3
    assert (stock.locator, kept.locator, kept.context.heading) == (Sheet("Stock"), Sheet("Kept"), "hidden sheet")


def test_a_presentation_by_its_slides(tmp_path: Path) -> None:
    (only,) = split(tmp_path, zipped(package("presentation", PAGES)))
    assert (only.locator, only.text, only.context.heading) == (Slide(1), "Body\n\nCranes\n\nNotes: speak up", "Cranes")


def test_a_chart_says_its_words_and_its_numbers(tmp_path: Path) -> None:
    rows = "".join(
        f"<table:table-row><table:table-cell><text:p>{month}</text:p></table:table-cell>"
        f"<table:table-cell><text:p>{tide}</text:p></table:table-cell></table:table-row>"
        for month, tide in (("May", "4.54"), ("June", "9.02"), ("July", "NaN"))
    )
    shown = '<draw:object xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="./Object 1"/>'
    body = f"<text:p>Tides</text:p><text:p><draw:frame>{shown}</draw:frame></text:p>"
    chart = package("chart", f"<text:p>Spring tides</text:p><table:table>{rows}</table:table>")
    made = zipped(package("text", body) | {"Object 1/content.xml": chart["content.xml"]})
    text = "\n".join(one.text for one in split(tmp_path, made))
    assert text.split() == ["Tides", "Spring", "tides", "May", "4.54", "June", "9.02", "July"]


def test_an_encrypted_document_is_said_to_be(tmp_path: Path) -> None:
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:encryption-data/></m:manifest>'
    with pytest.raises(UnreadableDocument, match="is encrypted; save it without a password"):
        split(tmp_path, zipped(package("text", TEXT) | {"META-INF/manifest.xml": manifest}))


@pytest.mark.parametrize(("kind", "body"), [("text", TEXT), ("spreadsheet", SHEETS), ("presentation", PAGES)])
def test_damage_gives_passages_or_a_reason(tmp_path: Path, kind: str, body: str) -> None:
    chance = random.Random(kind)
    members = package(kind, body, EDGES)
    refused = 0
    for _ in range(150):
        name = chance.choice(["content.xml", "content.xml", "styles.xml", "meta.xml"])
        whole = members[name].encode()
        at = chance.randrange(len(whole))
        damaged = chance.choice(
            [whole[:at], whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :], whole[:at] + whole[at + 9 :]]
        )
        try:
            split(tmp_path, zipped(members | {name: damaged}))
        except UnreadableDocument as error:
            refused += bool(error.what)
    assert 0 < refused < 150
