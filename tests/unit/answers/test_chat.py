"""The chat client against a server that answers by script, and its faults. Knows the server and the client."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from rag.answers.chat import ChatModel
from rag.backends.base import Choice
from rag.backends.server.client import RetryPolicy
from rag.errors import BackendError, TooLarge
from tests.unit.answers.chat_server import Script, chatting

QUICK = RetryPolicy(total=2.0, unreachable=0.2, first_rest=0.01)
TURNS = [{"role": "user", "content": "when does it sail?"}]


def choice(url: str, **fields: object) -> Choice:
    return replace(Choice(urls=(url,), timeout=2.0), **fields)  # type: ignore[arg-type]


def test_an_answer_comes_in_pieces_with_the_servers_usage() -> None:
    script = Script(reply=lambda _: "It sails at eight.", pieces=4)
    with chatting(script) as url:
        chat = ChatModel(choice(url), policy=QUICK)
        stream = chat.stream(TURNS, 50)
        pieces = list(stream)
    assert (chat.name, chat.context, chat.url) == ("tiny-chat", 8_192, url)
    assert pieces == ["It s", "ails", " at ", "eigh", "t."]
    assert stream.usage == {"prompt_tokens": 11, "completion_tokens": 7} and stream.finish == "stop"
    [body] = script.bodies
    assert body["stream"] and body["max_tokens"] == 50 and body["temperature"] == 0 and body["messages"] == TURNS


def test_tokens_are_counted_by_the_server_or_not_at_all() -> None:
    with chatting(Script()) as url:
        chat = ChatModel(choice(url), policy=QUICK)
        assert chat.count(["one two", "", "three"]) == [2, 0, 2]
        assert chat.count_turns(TURNS) == 11
    with chatting(Script(tokenize=False)) as url:
        chat = ChatModel(choice(url), policy=QUICK)
        assert chat.count(["one two"]) is None and chat.count_turns(TURNS) is None


@pytest.mark.parametrize("sees", [True, False])
def test_whether_a_model_sees_is_asked_once(sees: bool) -> None:
    script = Script(sees=sees)
    with chatting(script) as url:
        chat = ChatModel(choice(url), policy=QUICK)
        assert [chat.sees(), chat.sees()] == [sees, sees]
    assert len(script.bodies) == 2


def test_a_busy_server_is_asked_again() -> None:
    with chatting(Script(reply=lambda _: "Yes.", busy=2)) as url:
        assert "".join(ChatModel(choice(url), policy=QUICK).stream(TURNS, 50)) == "Yes."


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("reset", "broke off in the middle of an answer"),
        ("no-done", "without saying that it is complete"),
        ("garbage", "sent an event that is not JSON: {half"),
        ("no-choices", "answered without choices"),
        ("error", "failed in the middle of an answer: the engine died"),
        ("endless", "does not stop"),
        ("silent", "sent nothing for 0.5 s in the middle of an answer"),
        ("not-a-stream", "answered at once instead of streaming"),
    ],
)
def test_each_fault_is_told(fault: str, words: str) -> None:
    with chatting(Script(reply=lambda _: "It sails at eight.", fault=fault)) as url:
        chat = ChatModel(choice(url, timeout=0.5), policy=QUICK)
        with pytest.raises(BackendError) as told:
            list(chat.stream(TURNS, 50))
    assert words in told.value.what and url in told.value.what and told.value.remedy


def test_another_role_is_told() -> None:
    with chatting(Script(role="tool")) as url, pytest.raises(BackendError, match="answers in the role 'tool'"):
        list(ChatModel(choice(url), policy=QUICK).stream(TURNS, 50))


def test_a_wrong_key_is_told_with_its_setting() -> None:
    with chatting(Script(key="right")) as url:
        chat = ChatModel(choice(url, api_key="wrong"), policy=QUICK)
        with pytest.raises(BackendError) as told:
            chat.stream(TURNS, 50)
        assert "401" in told.value.what and "RAG_ANSWER_KEY" in told.value.remedy
        assert list(ChatModel(choice(url, api_key="right"), policy=QUICK).stream(TURNS, 50))


def test_what_the_server_finds_too_long_is_told() -> None:
    with chatting(Script(context=20)) as url, pytest.raises(TooLarge, match="maximum context length is 20"):
        ChatModel(choice(url), policy=QUICK).stream(TURNS, 50)


def test_a_server_that_is_not_there_and_a_model_that_is_not_served() -> None:
    with pytest.raises(BackendError, match="cannot be reached"):
        ChatModel(choice("http://127.0.0.1:9"), policy=QUICK)
    with chatting(Script()) as url, pytest.raises(BackendError, match="serves tiny-chat, not other"):
        ChatModel(choice(url, model="other"), policy=QUICK)


def test_an_answer_that_is_stopped_ends_and_the_server_notices() -> None:
    script = Script(reply=lambda _: "word " * 5_000, pause=0.005)
    with chatting(script) as url:
        stream = ChatModel(choice(url), policy=QUICK).stream(TURNS, 5_000)
        pieces = iter(stream)
        first = next(pieces)
        threading.Timer(0.05, stream.abort).start()
        rest = list(pieces)
        assert first == "wor" and len(rest) < 5_000
        assert script.ended.wait(5)
