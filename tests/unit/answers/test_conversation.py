"""Follow-ups, and conversations that are kept. Knows the scripted server and the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag.answers.chat import ChatModel
from rag.answers.conversation import CONDENSE, recent, standalone
from rag.answers.sessions import load_session, save_session, session_folder
from rag.backends.base import Choice
from rag.cli.app import app
from rag.errors import WrongRequest
from tests.unit.answers.chat_server import Script, chatting

HISTORY = [("When does the ferry sail?", "At 08:15 [2].")]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("written", "query"),
    [
        ('"When does the ferry sail in summer?"\nBecause…', "When does the ferry sail in summer?"),
        ('Who wrote "old plan" -draft?', "Who wrote old plan draft?"),
        ("<think>hm</think>When in summer?", "When in summer?"),
        ("", "When does the ferry sail? and in summer?"),
        ("x" * 500, "When does the ferry sail? and in summer?"),
        ("…", "When does the ferry sail? and in summer?"),
    ],
)
def test_a_follow_up_is_rewritten_or_joined_with_the_last_question(written: str, query: str) -> None:
    script = Script(reply=lambda _: written)
    with chatting(script) as url:
        assert standalone(ChatModel(Choice(urls=(url,))), HISTORY, "and in summer?") == query
    system, user = script.bodies[-1]["messages"]
    assert system["content"] == CONDENSE and user["content"].endswith(
        "Assistant: At 08:15.\nUser: and in summer?\n</conversation>"
    )


def test_the_first_question_is_searched_for_as_it_is() -> None:
    with chatting(Script()) as url:
        assert standalone(ChatModel(Choice(urls=(url,))), [], "when?") == "when?"


def test_only_the_last_turns_are_sent_again() -> None:
    sent = recent([(f"q{at}", f"a{at} [3]. " + "x" * 3_000) for at in range(9)])
    assert [question for question, _ in sent] == [f"q{at}" for at in range(3, 9)]
    assert all(answer.startswith("a") and len(answer) == 1_500 and "[3]" not in answer for _, answer in sent)


def test_a_session_is_kept_for_this_user_only() -> None:
    assert load_session("port") == []
    save_session("port", HISTORY)
    file = session_folder() / "port.json"
    assert load_session("port") == HISTORY and stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("{")
    with pytest.raises(WrongRequest, match="is no conversation"):
        load_session("port")
    for wrong in ("../x", "a/b", "", ".hidden"):
        with pytest.raises(WrongRequest, match="is no name of a session"):
            load_session(wrong)


def test_a_conversation_on_the_command_line_goes_on(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reply(turns: list[dict[str, Any]]) -> str:
        if turns[0]["content"] == CONDENSE:
            return "Were the harbour dues raised in winter?"
        return "About this. [1]"

    script = Script(reply=reply)
    with chatting(script) as url:
        monkeypatch.setenv("RAG_ANSWER_URL", url)
        words = ["ask", "--session", "one", "-i", str(index), "when does the ferry sail"]
        first = CliRunner().invoke(app, words, input="and the dues?\n\n", catch_exceptions=False)
        again = CliRunner().invoke(app, ["ask", "--session", "one", "-i", str(index)], input="really?\n", catch_exceptions=False)
    assert first.exit_code == again.exit_code == 0 and first.stdout.count("About this. [1]") == 2
    assert "dues.txt" in first.stdout.rpartition("About this.")[2] and "session one: 2 earlier questions" in again.stderr
    assert len(load_session("one")) == 3
    asked = [body["messages"] for body in script.bodies if len(body["messages"]) > 2]
    assert [len(messages) for messages in asked] == [4, 6]


def test_the_command_line_prints_each_format(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(reply=lambda _: 'By nine percent [1 "raised by nine percent"]. It is green [1].')
    with chatting(script) as url:
        monkeypatch.setenv("RAG_ANSWER_URL", url)
        words = ["ask", "-i", str(index), "were the harbour dues raised"]
        text, md, told = (
            CliRunner().invoke(app, [*words, *more], catch_exceptions=False) for more in ([], ["--format", "md"], ["--json"])
        )
        many = CliRunner().invoke(app, ["ask", "-i", str(index), "-", "--json"], input="dues?\nferry?\n", catch_exceptions=False)
    assert (
        text.stdout.startswith("By nine percent [1]. It is green [1].\n\n  [1] dues.txt")
        and "“raised by nine percent”" in text.stdout
    )
    assert "not verified: It is green. [1]" in text.stderr
    assert (
        md.stdout.startswith("## were the harbour dues raised\n\nBy nine percent [1].") and "1. [dues.txt](<file://" in md.stdout
    )
    assert "Not verified:\n\n- It is green. [1]" in md.stdout
    assert json.loads(told.stdout)["claims"][0] == {"text": "By nine percent.", "sources": [1], "verified": True}
    assert [one["question"] for one in json.loads(many.stdout)] == ["dues?", "ferry?"]


def test_without_a_model_the_command_line_prints_the_evidence(
    index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    shown = CliRunner().invoke(app, ["ask", "-i", str(index), "--format", "context", "harbour dues"], catch_exceptions=False)
    assert shown.exit_code == 0 and "[1] dues.txt, line 1 (text)\nHarbour dues were raised by nine percent" in shown.stdout
    failed = CliRunner().invoke(app, ["ask", "-i", str(index), "harbour dues", "--json"])
    assert failed.exception is not None and "no chat model is set" in str(failed.exception)
    missing = json.loads(failed.stdout)
    assert (missing["answer"], missing["enough"], missing["sources"][0]["document"]) == (None, False, "dues.txt")
