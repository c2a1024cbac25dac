"""`rag doctor` on a chat server: what it says of each kind of server. Knows the scripted server."""

from __future__ import annotations

import pytest

from rag.answers.proof import examine_answerer
from rag.config import load_settings
from tests.unit.answers.chat_server import Script, chatting


def verdicts(script: Script) -> dict[str, tuple[str, str]]:
    with chatting(script) as url:
        found = examine_answerer(load_settings({"answer_url": url, "timeout": 2.0}))
    return {one.check: (one.verdict, one.detail) for one in found}


def test_a_server_with_everything() -> None:
    assert verdicts(Script(reply=lambda _: "Yes.")) == {
        "answers": ("ok", "tiny-chat"),
        "context": ("ok", "8,192 tokens of prompt and answer"),
        "streams": ("ok", "2 pieces, ended by stop"),
        "tokens": ("ok", "9 counted, as used"),
        "pictures": ("ok", "sees at least 8 in one prompt; 40 tokens for one of 256 × 256 pixels"),
    }


def test_a_server_that_only_reads_counts_nothing_and_says_little() -> None:
    found = verdicts(Script(reply=lambda _: "Yes.", sees=False, tokenize=False, context=0))
    assert found["context"] == ("warning", "the server does not say; 8,192 tokens are assumed")
    assert found["tokens"][0] == "warning" and "upper bound" in found["tokens"][1]
    assert found["pictures"] == ("ok", "the model only reads: pictures go to it as their words")


def test_the_number_of_pictures_is_found_out() -> None:
    assert verdicts(Script(reply=lambda _: "Yes.", most_pictures=3))["pictures"][1].startswith("sees at most 2 in one prompt")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script(reply=lambda _: "Yes.", fault="not-a-stream"), "instead of streaming"),
        (Script(reply=lambda _: "Yes.", fault="no-done"), "without saying that it is complete"),
        (Script(key="k"), "401"),
    ],
)
def test_what_is_wrong_is_a_finding(script: Script, words: str) -> None:
    verdict, detail = verdicts(script)["answers"]
    assert verdict == "failed" and words in detail


def test_without_a_server_it_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    [found] = examine_answerer(load_settings({}))
    assert found.verdict == "skipped"
