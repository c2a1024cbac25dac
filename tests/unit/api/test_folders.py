"""Folders and uploads over HTTP: only below what is allowed, only with the key of this start, and nothing is overwritten."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rag.api import uploaded_files
from tests.unit.api.test_jobs import ended
from tests.unit.api_server import CORPUS, asking, managing


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in ("Pictures/2024", "Letters", ".ssh"):
        (home / name).mkdir(parents=True)
    (home / "Letters/first.txt").write_text("a lighthouse on the northern cape\n")
    (home / "Letters/.hidden").write_text("")
    (tmp_path / "elsewhere").mkdir()
    (home / "way-out").symlink_to(tmp_path / "elsewhere")
    return home


@pytest.fixture
def client(home: Path, tmp_path: Path) -> Iterator[TestClient]:
    with managing(tmp_path / "indexes/mine", browse=[home]) as client:
        yield client


def test_folders_are_listed_without_hidden_ones(client: TestClient, home: Path) -> None:
    first = client.get("/v1/folders").json()
    assert first["path"] == str(home) and first["parent"] is None
    assert [one["name"] for one in first["folders"]] == ["Letters", "Pictures", "way-out"]
    assert (first["roots"], first["samples"]) == ([str(home)], str(CORPUS))
    letters = client.get("/v1/folders", params={"path": f"{home}/Letters"}).json()
    assert (letters["parent"], letters["folders"], letters["files"]) == (str(home), [], 1)


@pytest.mark.parametrize(
    "path", ["/", "/etc", "..", "{home}/..", "{home}/way-out", "{home}/Letters/first.txt", "{home}/none", "\x00"]
)
def test_nothing_outside_is_shown_or_indexed(client: TestClient, home: Path, path: str) -> None:
    named = path.replace("{home}", str(home))
    assert client.get("/v1/folders", params={"path": named}).status_code == 400
    assert client.post("/v1/index", json={"folder": named}).status_code == 400


def test_a_folder_becomes_an_index(client: TestClient, home: Path) -> None:
    job = ended(client, client.post("/v1/index", json={"folder": f"{home}/Letters"}).json()["job"])
    assert (job["state"], job["report"]["indexed"]) == ("done", 1)
    assert client.post("/v1/search", json={"text": "lighthouse"}).json()["hits"][0]["document"] == "first.txt"


def test_uploads_are_kept_and_indexed(client: TestClient, tmp_path: Path) -> None:
    answer = client.put("/v1/uploads", params={"name": "trip/day one/log.txt"}, content=b"a buoy off the harbour mouth\n")
    assert answer.status_code == 201
    folder = tmp_path / "indexes/mine-uploads"
    assert answer.json() == {"path": str(folder / "trip/day one/log.txt"), "folder": str(folder)}
    job = ended(client, client.post("/v1/index", json={"folder": str(folder)}).json()["job"])
    assert job["report"]["indexed"] == 1
    assert client.post("/v1/search", json={"text": "buoy"}).json()["hits"][0]["document"] == "trip/day one/log.txt"


@pytest.mark.parametrize("has_links", [True, False])
def test_an_upload_takes_no_other_files_name(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:  # as on exFAT
        refusal = OSError(errno.EPERM, "Operation not permitted")
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(refusal))

    def put(content: bytes) -> str:
        return Path(client.put("/v1/uploads", params={"name": "a.txt"}, content=content).json()["path"]).name

    assert [put(b"one"), put(b"one"), put(b"two"), put(b"two")] == ["a.txt", "a.txt", "a (2).txt", "a (2).txt"]
    assert sorted(file.name for file in (tmp_path / "indexes/mine-uploads").iterdir()) == ["a (2).txt", "a.txt"]


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".bashrc", "a/.git/config", "a\\b", "a\nb", "é" * 200, "a/" * 40 + "b"],
)
def test_names_that_lead_elsewhere_are_refused(client: TestClient, tmp_path: Path, name: str) -> None:
    assert client.put("/v1/uploads", params={"name": name}, content=b"x").status_code == 400
    assert not (tmp_path / "indexes").exists()


def test_an_upload_is_bounded_by_the_limit_of_files_and_not_by_that_of_requests(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = b"x" * (40 << 20)  # more than other bodies may have
    assert client.put("/v1/uploads", params={"name": "large.bin"}, content=large).status_code == 201
    monkeypatch.setattr(uploaded_files, "FREE_BYTES", 1 << 60)
    full = client.put("/v1/uploads", params={"name": "other.bin"}, content=b"x")
    assert (full.status_code, full.json()["error"]["code"]) == (503, "storage_failed")
    assert [file.name for file in (tmp_path / "indexes/mine-uploads").iterdir()] == ["large.bin"]  # and no draft


def test_without_the_key_of_this_start_nothing_is_shown_or_kept(tmp_path: Path) -> None:
    with asking(tmp_path / "indexes/mine") as client:
        assert client.get("/v1/access").json() == {"manage": False, "opens": False}
        for answer in (client.get("/v1/folders"), client.put("/v1/uploads", params={"name": "a.txt"}, content=b"x")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "start_key_needed")
    assert not (tmp_path / "indexes").exists()
