"""The format on disk: what indexes/README.md says is what is there."""

import re
from pathlib import Path

import apsw
import numpy as np

from rag.index.schema import APPLICATION, FORMAT, KIND_CODES
from tests.unit.index_samples import DIM, key_of, made, vector_of

PAGE = (Path(__file__).parents[2] / "indexes" / "README.md").read_text()


def test_the_page_names_every_table_and_column(tmp_path):
    connection = apsw.Connection(str(made(tmp_path / "index", {"a.md": ["one"]}) / "catalog.sqlite"))
    documented: dict[str, set[str]] = {}
    table = ""
    for line in re.findall(r"^\|.*\|$", PAGE, re.M)[2:]:
        _, name, columns, *_ = line.split("|")
        table = name.strip("` ") or table
        documented.setdefault(table, set()).update(re.findall(r"`(\w+)`", columns))
    shadows = tuple(f"lexical_{part}" for part in ("data", "idx", "content", "docsize", "config"))
    found = {
        name: {column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))}
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        if name not in shadows
    }
    found["lexical"].add("rowid")
    assert documented == found


def test_numbers_of_the_format(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one"]})
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    assert (connection.pragma("application_id"), connection.pragma("user_version")) == (APPLICATION, FORMAT) == (0x52414749, 1)
    assert f"number **{FORMAT}**" in PAGE
    assert ", ".join(f"{code} {kind}" for kind, code in KIND_CODES.items()) in PAGE
    assert (folder / "catalog.sqlite").read_bytes()[20] == 8  # bytes kept free at the end of a page
    assert connection.pragma("journal_mode") == "wal"


def test_vectors_can_be_read_without_faiss(tmp_path):
    folder = made(tmp_path / "index", {"a.md": ["one", "two"]})
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    ((header, rows, first),) = connection.execute("SELECT header, rows, first FROM segments").fetchall()
    stored = np.fromfile(folder / "segments" / "000001.faiss", "<f2", offset=header).reshape(rows, DIM)
    for text in ("one", "two"):
        number = connection.execute("SELECT number FROM vectors WHERE key = ?", (key_of(text),)).get
        np.testing.assert_array_equal(stored[number - first], vector_of(key_of(text)).astype(np.float16))
