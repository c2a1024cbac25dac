"""Workbooks: what a row says with the names of its columns, what stands beside the cells, and what costs nothing."""

from __future__ import annotations

import io
import time
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment

from rag.loaders.base import Limits
from rag.loaders.office.office import OfficeLoader
from rag.loaders.office.tables import Row, spans
from rag.types import Content, Document, DocumentId, Skipped
from tests.unit.loaders.office.test_office import rewritten, saved, split


def test_what_a_person_sees_in_a_workbook_is_read(tmp_path: Path) -> None:
    made = Workbook()
    sheet = made.active
    sheet.title = "Answers"
    sheet.append(["Question", "Answer"])
    sheet.append(["Share", 0.175])
    sheet["B2"].number_format = "0.0%"
    sheet["A2"].comment = Comment("agreed in Valparaiso", "Ana")
    sheet.append(["Kept away", "marjoram"])
    sheet.row_dimensions[3].hidden = True
    sheet["D9"].comment = Comment("on an empty cell", "Ana")
    sheet.oddHeader.center.text = "Strictly & internal"
    secret = made.create_sheet("Secret")
    secret.sheet_state = "hidden"
    secret.append(["code", "tarragon"])
    first, edges, hidden = split(tmp_path, saved(made))
    assert first.text.split("\n") == [
        "Question | Answer",
        "Share [note by Ana: agreed in Valparaiso] | 17.5% (0.175)",
        "Kept away | marjoram (hidden row)",
        " |  |  | [note by Ana: on an empty cell]",
    ]
    assert (edges.text, edges.context.sheet) == ("Strictly & internal", "Answers")
    assert (hidden.text, hidden.context.heading) == ("code | tarragon", "hidden sheet")


def test_a_formula_without_a_result_is_read_as_it_is_written_and_reported(tmp_path: Path) -> None:
    made = Workbook()
    made.active.append(["who", '=CONCATENATE("the night ","porter Ottilie")'])
    *texts, unread = split(tmp_path, saved(made))
    assert texts[0].text == 'who | =CONCATENATE("the night ","porter Ottilie")'
    document = Document(DocumentId("r", "document"), tmp_path / "document")
    content, reason = OfficeLoader().read(document, [texts[0], unread], Limits())
    assert isinstance(content, Content) and isinstance(reason, Skipped)
    assert reason.reason.startswith("sheet Sheet one formula has no stored result (B1): open the workbook")


def test_a_sheet_formatted_to_its_last_row_is_cheap(tmp_path: Path) -> None:
    made = Workbook()
    made.active["A1"] = "Supplier list"
    empty = "".join(f'<row r="{row}" spans="1:8" s="1" customFormat="1"><c r="A{row}" s="1"/></row>' for row in range(2, 200_000))

    def padded(name: str, content: bytes) -> bytes:
        return content.replace(b"</sheetData>", f"{empty}</sheetData>".encode()) if "sheet1" in name else content

    content = rewritten(saved(made), padded)
    begun = time.process_time()
    (only,) = split(tmp_path, content, Limits(max_text_bytes=1_000_000))
    assert only.text == "Supplier list"
    assert time.process_time() - begun < 8  # seconds; markup is no text, and little work


def test_each_part_of_a_table_says_what_its_columns_mean() -> None:
    rows = [Row(1, [(0, "Stock of the harbour")]), Row(3, [(1, "Part"), (2, "Count")])]
    rows += [Row(number, [(1, f"rope {number}"), (2, str(number))]) for number in range(4, 40)]
    rows += [Row(50, [(0, "City"), (1, "Crew")]), Row(51, [(0, "Riga"), (1, "12")])]
    texts = list(spans(rows, 120))
    assert texts[0].startswith("Stock of the harbour\nPart | Count\nrope 4 | 4\n")
    assert all(text.startswith("Part | Count\n") for text in texts[1:-1])
    assert texts[-1] == "City | Crew\nRiga | 12"
    assert all(len(text) <= 120 for text in texts)
    assert sum(text.count("rope") for text in texts) == 36


def test_shared_texts_have_no_phonetic_readings(tmp_path: Path) -> None:
    made = Workbook()
    made.active["A1"] = "東京"
    stream = io.BytesIO()
    made.save(stream)

    def read_aloud(name: str, content: bytes) -> bytes:
        return (
            content.replace(b"</si>", "<rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si>".encode()) if "shared" in name else content
        )

    (only,) = split(tmp_path, rewritten(stream.getvalue(), read_aloud))
    assert only.text == "東京"
