"""PDFs written by hand: prose, columns, tables, forms, notes, spaced headings, split words, scans, pages that lie on their side.

Knows no reader.
"""

from __future__ import annotations

import io
import re

from PIL import Image

from tests.coverage_set.sample import Sample, drawn

Line = tuple[float, float, float, str]  # x, y and height in points, text


def line(x: float, y: float, size: float, text: str, more: str = "") -> str:
    """The operators that write a line in Helvetica; `more` sets the state before."""
    escaped = re.sub(r"([()\\])", r"\\\1", text)
    return f"BT {more} /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET\n"


def lines(*written: Line) -> str:
    """Several lines."""
    return "".join(line(*one) for one in written)


def pdf(pages: list[str], extra: str = "", objects: tuple[str, ...] = (), root: str = "") -> bytes:
    """A4 pages of operators. `extra` goes into each page; `objects` are numbered from 4, after the catalog,"
    " the pages and a font."""
    kids = range(4 + len(objects), 4 + len(objects) + 2 * len(pages), 2)
    bodies = [
        f"<< /Type /Catalog /Pages 2 0 R {root} >>",
        f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *objects,
    ]
    for kid, content in zip(kids, pages, strict=True):
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {kid + 1} 0 R {extra}"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        bodies.append(f"<< /Length {len(content.encode('cp1252'))} >>\nstream\n{content}\nendstream")
    out, places = "%PDF-1.7\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size, start = len(bodies) + 1, len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Root 1 0 R /Size {size} >>\nstartxref\n{start}\n%%EOF\n"
    return out.encode("cp1252")


_LEFT = [
    "The sluice was built by",
    "monks who drained the",
    "marsh for pasture. Their",
    "records name a keeper,",
    "paid in eels.",
]
_RIGHT = [
    "A second gate followed",
    "after the flood of 1717,",
    "which drowned cattle in",
    "every parish. Oak piles",
    "still carry it.",
]


def _columns() -> bytes:
    """The lines of both columns are written across the page, as some typesetting programs do."""
    page = line(60, 780, 20, "Two gates of the marsh")
    for at, (left, right) in enumerate(zip(_LEFT, _RIGHT, strict=True)):
        page += lines((60, 740 - 16 * at, 11, left), (320, 740 - 16 * at, 11, right))
    return pdf(
        [
            page
            + line(
                60, 640, 11, "Both are open on Sundays, except when the wind blows from the north-west, says the parish clerk."
            )
        ]
    )


_NEWS = (
    ["Fog kept the", "ferries in port", "for three days,", "and no bread", "came to Fair", "Isle. On the"],
    ["fourth day the", "lifeboat went", "out with flour,", "yeast and the", "mail. Forty", "people stood"],
    ["at the slip. A", "child asked if", "the boat could", "stay. It could", "not; the tide", "was turning."],
)


def _newspaper() -> bytes:
    """Three narrow columns, each written to its end, under a heading; the foot of the page first."""
    page = line(60, 60, 8, "Northern Herald, page 3") + line(60, 780, 22, "Bread by lifeboat")
    for at, column in enumerate(_NEWS):
        page += lines(*((60 + 160 * at, 740 - 13 * row, 10.5, words) for row, words in enumerate(column)))
    return pdf([page])


def _table() -> bytes:
    """A table written column by column."""
    page = line(60, 780, 14, "Lock fees")
    for at, column in enumerate([["Boat", "Punt", "Barge"], ["Length", "up to 6 m", "over 20 m"], ["Fee", "2.00", "18.50"]]):
        page += lines(*((60 + 150 * at, 740 - 20 * row, 11, words) for row, words in enumerate(column)))
    return pdf([page])


def _split_words() -> bytes:
    """Words divided at line ends, ligatures, a heading with wide spaces between its letters."""
    page = f"q {line(60, 780, 18, 'TIDEWATER', '8 Tc')} Q\n"
    page += lines(
        (60, 740, 11, "The observers meas-"),
        (60, 725, 11, "ured the salin-"),
        (60, 710, 11, "ity of the well-known pool"),
        (60, 695, 11, "and its tempera-"),
        (60, 680, 11, "ture at dawn."),
    )
    return pdf([page])


def _form() -> bytes:
    """A filled form: a text field, a ticked box, a choice; the values are in the fields, with what is drawn for the first."""
    drawn_value = "/Tx BMC BT /F1 11 Tf 2 4 Td (Greta Falk) Tj ET EMC"
    widget = "<< /Type /Annot /Subtype /Widget /F 4 /FT"
    resources = "/Resources << /Font << /F1 3 0 R >> >>"
    return pdf(
        [lines((60, 780, 14, "Berth application"), (60, 740, 11, "Name:"), (60, 710, 11, "Season:"))],
        extra="/Annots [4 0 R 5 0 R]",
        objects=(
            f"{widget} /Tx /T (name) /V (Greta Falk) /DA (/F1 11 Tf) /Rect [120 735 300 752] /AP << /N 6 0 R >> >>",
            f"{widget} /Ch /Ff 131072 /T (season) /Opt [(summer) (winter)] /V (winter) /DA (/F1 11 Tf) /Rect [120 705"
            f" 300 722] >>",
            f"<< /Type /XObject /Subtype /Form /BBox [0 0 180 17] {resources} /Length {len(drawn_value)}"
            f" >>\nstream\n{drawn_value}\nendstream",
        ),
        root="/AcroForm << /Fields [4 0 R 5 0 R] /DA (/F1 11 Tf) /NeedAppearances true /DR << /Font << /F1 3 0 R >> >> >>",
    )


def _reviewed() -> bytes:
    """A sticky note, a highlight with a remark, and free text on the page."""
    free = "BT /F1 11 Tf 2 4 Td (approved by Nils) Tj ET"
    return pdf(
        [lines((60, 780, 14, "Pier inspection"), (60, 740, 11, "The third pile is rotten below the ring."))],
        extra="/Annots [4 0 R 5 0 R 6 0 R]",
        objects=(
            "<< /Type /Annot /Subtype /Text /Rect [400 770 420 790] /T (Maja) /Contents (Replace before autumn) >>",
            "<< /Type /Annot /Subtype /Highlight /Rect [60 735 160 752] /QuadPoints [60 752 160 752 60 735 160 735] /T (Maja)"
            " /Contents (which side?) >>",
            "<< /Type /Annot /Subtype /FreeText /Rect [60 690 200 707] /DA (/F1 11 Tf) /Contents (approved by Nils)"
            " /AP << /N 7 0 R >> >>",
            f"<< /Type /XObject /Subtype /Form /BBox [0 0 140 17] /Resources << /Font << /F1 3 0 R >> >> /Length"
            f" {len(free)} >>\nstream\n"
            f"{free}\nendstream",
        ),
    )


def _sideways() -> bytes:
    """A page whose text runs upwards, to be read turned by /Rotate, as spreadsheets print wide tables."""
    page = "".join(
        f"BT /F1 11 Tf 0 1 -1 0 {100 + 18 * at} 80 Tm ({words}) Tj ET\n"
        for at, words in enumerate(["Wide table of soundings", "north arm 3.1 3.4 3.9", "south arm 2.2 2.0 1.8"])
    )
    return pdf([page], extra="/Rotate 90")


def _scan() -> bytes:
    """A scanned letter: one picture on the page, and no text."""
    page: Image.Image = drawn(
        [(90, 90, 36, "Harbour master's office"), (90, 190, 26, "The crane is out of order"), (90, 240, 26, "until Monday.")],
        (826, 600),
    )
    stream = io.BytesIO()
    page.save(stream, "PDF", resolution=100)
    return stream.getvalue()


_PROSE = [
    "In 1893 the company laid a second cable – “the long one” – from Horta to",
    "Waterville; it cost £ 41,000 and failed after nine days.",
    "• splice at 300 fathoms",
    "• tarred hemp, 2½ inches",
]

SAMPLES = [
    Sample(
        "cable.pdf",
        lambda: pdf(
            [
                lines(
                    (60, 800, 8, "Cable Review"),
                    (60, 760, 16, "The long cable"),
                    *((60, 730 - 16 * n, 11, t) for n, t in enumerate(_PROSE)),
                ),
                lines((60, 800, 8, "Cable Review"), (60, 760, 11, "It was never mended."), (290, 40, 8, "2")),
            ]
        ),
        "The long cable In 1893 the company laid a second cable the long one from Horta to Waterville it cost £"
        " 41 000 and failed after"
        " nine days splice at 300 fathoms tarred hemp 2½ inches It was never mended",
        ("Cable Review", "Cable Review 2"),
    ),
    Sample(
        "columns.pdf",
        _columns,
        "Two gates of the marsh The sluice was built by monks who drained the marsh for pasture Their records"
        " name a keeper paid in eels"
        " A second gate followed after the flood of 1717 which drowned cattle in every parish Oak piles still"
        " carry it Both are open on"
        " Sundays except when the wind blows from the north west says the parish clerk",
    ),
    Sample(
        "newspaper.pdf",
        _newspaper,
        "Bread by lifeboat Fog kept the ferries in port for three days and no bread came to Fair Isle On the"
        " fourth day the lifeboat"
        " went out with flour yeast and the mail Forty people stood at the slip A child asked if the boat could"
        " stay It could not the"
        " tide was turning",
        ("Northern Herald page 3",),
    ),
    Sample("fees.pdf", _table, "Lock fees Boat Length Fee Punt up to 6 m 2 00 Barge over 20 m 18 50"),
    Sample(
        "tidewater.pdf",
        _split_words,
        "TIDEWATER The observers measured the salinity of the well known pool and its temperature at dawn",
    ),
    Sample("form.pdf", _form, "Berth application Name Season", ("Greta Falk", "winter")),
    Sample(
        "inspection.pdf",
        _reviewed,
        "Pier inspection The third pile is rotten below the ring",
        ("Replace before autumn", "which side", "approved by Nils", "Maja"),
    ),
    Sample("soundings.pdf", _sideways, "Wide table of soundings north arm 3 1 3 4 3 9 south arm 2 2 2 0 1 8"),
    Sample("scan.pdf", _scan, "Harbour master s office The crane is out of order until Monday"),
]
