"""OpenDocument files as LibreOffice writes them, rich text as WordPad and Word do, and Office before 2007.

Knows no reader.
"""

from __future__ import annotations

from tests.coverage_set.sample import Sample
from tests.unit.loaders.office.ole_files import bare_sheet, doc, ppt
from tests.unit.loaders.office.test_office import zipped
from tests.unit.loaders.office.test_open_document import SPACES, package

_LETTER = (
    '<text:sequence-decls><text:sequence-decl text:name="Table" text:display-outline-level="0"/></text:sequence-decls>'
    "<text:tracked-changes><text:changed-region><text:deletion><office:change-info><dc:creator>Ole</dc:creator></office:change-info>"
    "<text:p>struck words</text:p></text:deletion></text:changed-region></text:tracked-changes>"
    '<text:h text:outline-level="1">Notice to <text:span>mariners</text:span></text:h>'
    '<text:p>Buoy<text:s/>12 is<text:line-break/>unlit<text:tab/>until <text:date text:fixed="true">3 May</text:date>'
    '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>'
    "<text:p>Lamp stolen.</text:p>"
    "</text:note-body></text:note>.<office:annotation><dc:creator>Siv</dc:creator><dc:date>2024-05-01T00:00:00</dc:date>"
    "<text:p>Really stolen?</text:p></office:annotation></text:p>"
    "<text:list><text:list-item><text:p>keep clear</text:p><text:list><text:list-item><text:p>by night</text:p></text:list-item>"
    "</text:list></text:list-item></text:list>"
    '<table:table table:name="T"><table:table-header-rows><table:table-row><table:table-cell table:number-columns-spanned="2">'
    "<text:p>Lights</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table-header-rows>"
    "<table:table-row><table:table-cell><text:p>red</text:p></table:table-cell><table:table-cell><text:p>4 s</text:p>"
    "</table:table-cell></table:table-row></table:table>"
    '<text:section text:name="S"><text:p>See <text:a>the chart</text:a>.</text:p></text:section>'
    "<text:p><draw:frame><draw:text-box><text:p>Sheet 2 of 3</text:p></draw:text-box></draw:frame></text:p>"
)
_EDGES = (
    "<office:master-styles><style:master-page><style:header><text:p>Pilot Office</text:p></style:header>"
    "<style:footer><text:p>Kirkwall</text:p></style:footer></style:master-page></office:master-styles>"
)
_TABLE = (
    '<table:table table:name="Tides"><table:table-row><table:table-cell table:number-columns-spanned="2">'
    "<text:p>High water</text:p>"
    "</table:table-cell><table:covered-table-cell/></table:table-row>"
    '<table:table-row><table:table-cell office:value-type="date" office:date-value="2024-03-09"><text:p>09/03/24</text:p>'
    '</table:table-cell><table:table-cell office:value-type="float" office:value="4.25"><text:p>4.25'
    " m</text:p></table:table-cell>"
    '<table:table-cell table:number-columns-repeated="2" office:value-type="string"><text:p>calm</text:p></table:table-cell>'
    "</table:table-row></table:table>"
    '<table:table table:name="Remarks"><table:table-row><table:table-cell><office:annotation><text:p>ask Bo</text:p>'
    "</office:annotation><text:p>first line</text:p><text:p>second line</text:p></table:table-cell>"
    "</table:table-row></table:table>"
)
_SLIDES = (
    '<draw:page draw:name="p1"><draw:frame presentation:class="title"><draw:text-box><text:p>Winter'
    " moorings</text:p></draw:text-box>"
    '</draw:frame><draw:frame presentation:class="outline"><draw:text-box><text:list><text:list-item>'
    "<text:p>ice</text:p></text:list-item>"
    "<text:list-item><text:p>chafe</text:p></text:list-item></text:list></draw:text-box></draw:frame>"
    "<draw:g><draw:custom-shape><text:p>to the north</text:p></draw:custom-shape></draw:g>"
    "<presentation:notes><draw:frame><draw:text-box><text:p>Show the rope.</text:p></draw:text-box>"
    "</draw:frame></presentation:notes>"
    "</draw:page>"
)
_FLAT = (
    f'<?xml version="1.0" encoding="UTF-8"?><office:document {SPACES} office:mimetype="application/vnd.oasis.opendocument.text">'
    "<office:body><office:text><text:h>Log of the Terne</text:h><text:p>Wind: SW 5, sea – rough.</text:p>"
    "</office:text></office:body>"
    "</office:document>"
)
_WORDPAD = (
    rb"{\rtf1\ansi\ansicpg1252\deff0\nouicompat\deflang1031{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1\fnil\fcharset161 Calibri;}}"
    rb"{\colortbl ;\red255\green0\blue0;}{\*\generator Riched20 10.0.19041}\viewkind4\uc1"
    b"\r\n"
    rb"\pard\sa200\sl276\slmult1\f0\fs22\lang7 Liegeplatz f\'fcr \b G\'e4ste\b0\par"
    b"\r\n"
    rb"Preis: 30 \u8364?\tab pro Nacht\line bis 12 m\par{\pntext\f0 1.\tab}Strom\par{\pntext\f0 2.\tab}Wasser\par"
    b"\r\n"
    rb"\f1\'ce\'eb\'e9 \u21644?\u21475?\f0\par}"
)
_WORD_RTF = (
    rb"{\rtf1\adeflang1025\ansi\ansicpg1252\uc1{\fonttbl{\f0\froman Times;}}{\stylesheet{\s1 heading"
    rb" 1;}}{\info{\title Cargo list}"
    rb"{\author Lena Voss}}{\header \pard Line A/S\par}{\footer \pard Page {\field{\*\fldinst PAGE}{\fldrslt 1}}\par}"
    rb"{\pard\s1 Cargo of the \ldblquote Ariel\rdblquote\par}{\pard 40 casks\~of rum{\footnote \pard Duty paid.\par}\par}"
    rb"\trowd\cellx3000\cellx6000\pard\intbl hold\cell weight\cell\row\trowd\cellx3000\cellx6000\pard\intbl"
    rb" aft\cell 3\emdash 4 t\cell\row"
    rb"\pard{\v secret}{\deleted gone}Done.\par}"
)


def _odf(kind: str, body: str, styles: str = "") -> bytes:
    """A package with its manifest."""
    body = body.replace("<draw:frame", '<draw:frame svg:width="8cm" svg:height="2cm"')
    members = package(kind, body, styles)
    named = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2"'
    entry = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="{}"/>'
    entries = entry.format("/", members["mimetype"]) + "".join(entry.format(name, "text/xml") for name in members if "." in name)
    members["META-INF/manifest.xml"] = f"<manifest:manifest {named}>{entries}</manifest:manifest>"
    return zipped(members)


SAMPLES = [
    Sample(
        "mariners.odt",
        lambda: _odf("text", _LETTER, _EDGES),
        "Notice to mariners Buoy 12 is unlit until 3 May keep clear by night Lights red 4 s See the chart Sheet 2 of 3",
        ("Lamp stolen", "Siv Really stolen", "Pilot Office", "Kirkwall"),
    ),
    Sample(
        "tides.ods",
        lambda: _odf("spreadsheet", _TABLE),
        "Tides High water 09 03 24 4 25 m calm calm Remarks first line second line",
        ("ask Bo",),
    ),
    Sample(
        "moorings.odp",
        lambda: _odf("presentation", _SLIDES),
        "Winter moorings ice chafe to the north",
        ("Show the rope",),
    ),
    Sample("terne.fodt", _FLAT.encode, "Log of the Terne Wind SW 5 sea rough"),
    Sample("wordpad.rtf", lambda: _WORDPAD, "Liegeplatz für Gäste Preis 30 € pro Nacht bis 12 m 1 Strom 2 Wasser Ξλι 和口"),
    Sample(
        "cargo.rtf",
        lambda: _WORD_RTF,
        "Cargo of the Ariel 40 casks of rum hold weight aft 3 4 t Done",
        ("Duty paid", "Line A S", "Page 1"),
    ),
    Sample(
        "crew.doc",
        lambda: doc("Crew list\rMate\x07Łukasz\x07\x07Cook\x07Bea\x07\x07Signed\x02 aboard\x0bat sea\r", "\x02 by radio\r"),
        "Crew list Mate Łukasz Cook Bea Signed aboard at sea",
        ("by radio",),
    ),
    Sample(
        "rates.xls",
        lambda: bare_sheet([["vessel", "rate"], ["barge", 12.5], ["tug", 40.0]]),
        "vessel rate barge 12 5 tug 40",
    ),
    Sample(
        "safety.ppt",
        lambda: ppt(["Life jackets\rone for each", "Fire drill"], notes="count them"),
        "Life jackets one for each Fire drill",
        ("count them",),
    ),
]
