"""Where an index in Milvus is: what an address says, and what it must not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import WrongRequest
from rag.index.locations import index_folder, index_room, is_address
from rag.index.milvus.address import Address, parse_address
from rag.index.milvus.connection import is_old


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("milvus://host:19531/team", ("http://host:19531", "team", "")),
        ("milvus://host/team", ("http://host:19530", "team", "")),
        ("milvus+tls://host/base/team_2", ("https://host:19530", "team_2", "base")),
        ("milvus://[::1]:1/x", ("http://[::1]:1", "x", "")),
    ],
)
def test_a_server(text: str, expected: tuple[str, str, str]) -> None:
    found = parse_address(text)
    assert (found.uri, found.name, found.database) == expected and found.shown == text and found.file is None


def test_a_file(tmp_path: Path) -> None:
    assert parse_address(f"milvus-lite://{tmp_path}/my files/team.db") == Address(
        f"milvus-lite://{tmp_path}/my files/team.db", f"{tmp_path}/my files/team.db", "team", file=tmp_path / "my files/team.db"
    )
    assert parse_address("milvus-lite://./x.db").file == Path("x.db").absolute()


@pytest.mark.parametrize(
    "text",
    ["milvus://host", "milvus:///team", "milvus://host/a/b/c", "milvus://host/a-b", "milvus://host:x/a", "http://host/a", "milvus-lite:///x",
     "milvus://host/a?b=c", "milvus-lite:///my team.db", "milvus-lite:///a-b.db", "milvus-lite:///é.db",
     f"milvus-lite:///{'a' * 34}.db"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(WrongRequest):
        parse_address(text)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(WrongRequest, match="holds a password") as error:
        parse_address("milvus://root:secret@host/team")
    assert "secret" not in f"{error.value.what} {error.value.remedy}"


def test_a_server_without_16_bit_vectors_is_too_old() -> None:
    assert is_old("2.3.5") and is_old("v2.4.11") and not is_old("2.5.0") and not is_old("v2.10.1") and not is_old("master-7")


def test_a_location_chooses_the_room(tmp_path: Path) -> None:
    assert index_room(tmp_path).name == tmp_path.name and index_room("milvus://host/team").name == "team"
    assert is_address("milvus://host/team") and not is_address("indexes/team") and not is_address(tmp_path)
    with pytest.raises(WrongRequest, match="works with index folders only"):
        index_folder("milvus://host/team")
