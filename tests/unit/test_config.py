"""Settings: who wins, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.config import load_settings, origin
from rag.errors import WrongSetting


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_flags_beat_variables_beat_the_file_beat_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings({}).top_k == 10
    (tmp_path / "rag.toml").write_text('top_k = 3\nocr = "never"\n')
    assert (load_settings({}).top_k, load_settings({}).ocr) == (3, "never")
    monkeypatch.setenv("RAG_TOP_K", "4")
    assert load_settings({"top_k": None}).top_k == 4
    assert load_settings({"top_k": 5}).top_k == 5
    assert origin("top_k", {"top_k": 5}) == "--top-k"
    assert origin("top_k", {}) == "RAG_TOP_K"
    assert origin("ocr", {}) == str(tmp_path / "rag.toml")
    assert origin("candidates", {}) == "default"


def test_the_nearest_file_upward_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rag.toml").write_text("top_k = 3\n")
    (tmp_path / "a/b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a/b")
    assert load_settings({}).top_k == 3


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_CLUES", "ocr, date")
    assert load_settings({}).clues == ("ocr", "date")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("RAG_TOPK", "3", "RAG_TOPK is not a setting"), ("RAG_TOP_K", "none", "RAG_TOP_K"), ("RAG_OCR", "maybe", "RAG_OCR")],
)
def test_what_cannot_be_meant_is_refused(name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=message) as caught:
        load_settings({})
    assert caught.value.remedy


def test_an_unknown_key_and_a_broken_file_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_text("topk = 3\n")
    with pytest.raises(WrongSetting, match=r"rag\.toml: topk: is not a setting"):
        load_settings({})
    (tmp_path / "rag.toml").write_text("topk = \n")
    with pytest.raises(WrongSetting, match=r"rag\.toml: is not valid TOML"):
        load_settings({})
