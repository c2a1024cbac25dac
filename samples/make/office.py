"""Writes the DOCX, the PPTX, the XLSX and the notebook, packed so that every build gives the same bytes.

Knows layout; the words are in words/, the sums below.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import datetime
from pathlib import Path

from docx import Document
from openpyxl import Workbook
from openpyxl.styles import Font
from pptx import Presentation
from pptx.util import Inches, Pt

from samples.make.places import place
from samples.make.words import read_pages

MADE = datetime(2026, 3, 1, 9, 0)

SHEETS = {
    "Income": [
        ("Source", "Budget 2026", "Actual 2025"),
        ("Ship dues", 2_640_000, 2_585_000),
        ("Cargo dues", 2_180_000, 2_140_000),
        ("Ferry tickets", 2_450_000, 2_405_000),
        ("Yacht harbour", 395_000, 361_000),
        ("Rents and other", 550_000, 542_000),
    ],
    "Spending": [
        ("Purpose", "Budget 2026", "Actual 2025"),
        ("Wages and pensions", 4_360_000, 4_205_000),
        ("Fuel and electricity", 860_000, 842_000),
        ("Dredging, Mudlark", 615_000, 702_000),
        ("Repairs ashore", 690_000, 764_000),
        ("Interest and depreciation", 910_000, 921_000),
        ("Training and travel", 142_000, 128_000),
        ("Other", 230_000, 220_000),
    ],
    "Instruments": [
        ("Tag", "What", "Where", "Bought", "Price"),
        ("TG-4071", "tide gauge, radar", "north mole", 2019, 8_900),
        ("TG-4072", "tide gauge, radar", "ferry berth", 2021, 9_200),
        ("TG-4075", "tide gauge, float", "lock gate", 2009, 4_100),
        ("AN-12", "anemometer, ultrasonic", "Gull Head", 2023, 3_350),
        ("MB-1", "multibeam sonar 400 kHz", "workboat Dunlin", 2024, 186_000),
    ],
}


def pack(raw: bytes, target: Path) -> None:
    """The same zip with every member dated 1980: office libraries stamp the hour."""
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb">\d{4}-\d\d-\d\dT[^<]*<", b">2026-03-01T09:00:00Z<", content)
            copy.writestr(member, content)


def write_policy() -> None:
    """reports/vessel-use-policy.docx."""
    document = Document()
    document.core_properties.title, document.core_properties.author = "Use of the Trust's vessels", "Ines Halvard"
    document.core_properties.created = document.core_properties.modified = MADE
    for block in read_pages("vessel-use-policy")[0]:
        if block.shape in ("title", "heading"):
            document.add_heading(block.words, level=0 if block.shape == "title" else 1)
        elif block.shape == "bullets":
            for row in block.rows:
                document.add_paragraph(row[0], style="List Bullet")
        elif block.shape == "table":
            table = document.add_table(rows=0, cols=len(block.rows[0]), style="Light Grid Accent 1")
            for row in block.rows:
                for cell, words in zip(table.add_row().cells, row, strict=True):
                    cell.text = words
        else:
            document.add_paragraph(block.words)
    stream = io.BytesIO()
    document.save(stream)
    pack(stream.getvalue(), place("reports", "vessel-use-policy.docx"))


def write_briefing() -> None:
    """reports/board-briefing.pptx: seven slides, one with a table and notes."""
    show = Presentation()
    show.core_properties.title, show.core_properties.created, show.core_properties.modified = (
        "Board briefing, spring 2026",
        MADE,
        MADE,
    )
    for number, page in enumerate(read_pages("board-briefing")):
        slide = show.slides.add_slide(show.slide_layouts[0 if number == 0 else 1])
        slide.shapes.title.text = page[0].words
        body = slide.placeholders[1].text_frame
        paragraphs = []
        for block in page[1:]:
            if block.words.startswith("Notes: "):
                slide.notes_slide.notes_text_frame.text = block.words[7:]
            elif block.shape == "table":
                size = (len(block.rows), len(block.rows[0]), Inches(0.6), Inches(3.4), Inches(8.8), Inches(2.4))
                table = slide.shapes.add_table(*size).table
                for row, cells in enumerate(block.rows):
                    for column, words in enumerate(cells):
                        table.cell(row, column).text = words
            else:
                paragraphs += [row[0] for row in block.rows] or [block.words]
        body.text = "\n".join(paragraphs)
        for paragraph in body.paragraphs:
            paragraph.font.size = Pt(24)
    stream = io.BytesIO()
    show.save(stream)
    pack(stream.getvalue(), place("reports", "board-briefing.pptx"))


def write_budget() -> None:
    """reports/budget-2026.xlsx: income, spending, instruments."""
    book = Workbook()
    book.remove(book.active)
    book.properties.created = book.properties.modified = MADE
    for name, rows in SHEETS.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.column_dimensions["A"].width = 26
    stream = io.BytesIO()
    book.save(stream)
    pack(stream.getvalue(), place("reports", "budget-2026.xlsx"))


def write_notebook() -> None:
    """code/harmonic-fit.ipynb: fits tidal constituents to a month of levels."""

    def words(*lines: str) -> dict[str, object]:
        return {
            "cell_type": "markdown",
            "id": f"w{len(lines)}{len(lines[0])}",
            "metadata": {},
            "source": [f"{line}\n" for line in lines],
        }

    def code(*lines: str, prints: str = "") -> dict[str, object]:
        output = [{"name": "stdout", "output_type": "stream", "text": [f"{prints}\n"]}] if prints else []
        source = [f"{line}\n" for line in lines[:-1]] + [lines[-1]]
        return {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{len(lines)}{len(lines[0])}",
            "metadata": {},
            "outputs": output,
            "source": source,
        }

    cells = [
        words(
            "# Harmonic analysis of the tide at the north mole",
            "",
            "We fit the amplitudes and phases of five constituents to one month of levels by least squares.",
        ),
        code(
            "import numpy as np",
            "",
            "hours = np.arange(0, 30 * 24, 1 / 6)  # every ten minutes",
            'levels = np.load("north-mole-2026-02.npy")',
        ),
        words(
            "## Speeds of the constituents",
            "",
            "Degrees per hour. M2 is the moon twice a day, S2 the sun, K1 and O1 once a day.",
            "M4 is what shallow water does to M2.",
        ),
        code(
            'SPEEDS = {"M2": 28.984, "S2": 30.0, "K1": 15.041, "O1": 13.943, "M4": 57.968}',
            "angles = np.deg2rad(np.outer(hours, list(SPEEDS.values())))",
            "design = np.hstack([np.ones((len(hours), 1)), np.cos(angles), np.sin(angles)])",
        ),
        words("## The fit"),
        code(
            "solution, *_ = np.linalg.lstsq(design, levels, rcond=None)",
            "amplitude = np.hypot(solution[1:6], solution[6:])",
            "for name, metres in zip(SPEEDS, amplitude, strict=True):",
            '    print(f"{name}: {metres:.2f} m")',
            prints="M2: 1.21 m\nS2: 0.43 m\nK1: 0.08 m\nO1: 0.06 m\nM4: 0.11 m",
        ),
        words(
            "## What is left over",
            "",
            "The residual has a standard deviation of 9 cm, nearly all of it air pressure and wind.",
            "M4 is large for an open coast: the river bar.",
        ),
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    place("code", "harmonic-fit.ipynb").write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
