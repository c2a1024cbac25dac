"""Calls that reach nothing: made again while their owner has patience, and only those."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from rag.errors import IndexFailure
from rag.index.milvus.patience import Patience, is_unreachable, persistent


class Refused(Exception):
    def __init__(self, code: object) -> None:
        super().__init__("refused")
        self.code = code


AWAY = Refused(2)


@dataclass
class Client:
    """Fails so many times, then answers."""

    failures: int
    error: Exception = AWAY
    patience: Patience = field(default_factory=Patience)
    calls: int = 0

    @persistent
    def ask(self, word: str) -> str:
        self.calls += 1
        if self.calls > self.failures:
            return word
        raise IndexFailure("cannot be read") from self.error


def test_a_call_is_made_again_until_it_is_answered_and_only_while_there_is_patience() -> None:
    client = Client(failures=2)
    with client.patience.held():
        assert (client.ask("found"), client.calls) == ("found", 3)
    client.calls = 0
    with pytest.raises(IndexFailure):
        client.ask("found")
    assert client.calls == 1


def test_what_is_refused_is_not_asked_again() -> None:
    client = Client(failures=1, error=Refused(1100))
    with client.patience.held(), pytest.raises(IndexFailure):
        client.ask("found")
    assert client.calls == 1


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (Refused(2), True),
        (Refused(SimpleNamespace(name="UNAVAILABLE")), True),
        (Refused(lambda: SimpleNamespace(name="UNAVAILABLE")), True),
        (Refused(lambda: SimpleNamespace(name="DEADLINE_EXCEEDED")), False),
        (Refused(65535), False),
        (None, False),
    ],
)
def test_which_errors_say_that_nothing_was_reached(error: Exception | None, away: bool) -> None:
    assert is_unreachable(error) is away
