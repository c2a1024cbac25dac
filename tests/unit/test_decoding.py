"""Jobs done in other processes: real ones, real kills."""

from __future__ import annotations

import os
import pickle
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from rag.decoding import wire
from rag.decoding.inbox import Inbox
from rag.decoding.jobs import Again, Ended, Failed, Identity, Look, Part, Read, Rules
from rag.decoding.pool import Answered, Pool
from rag.decoding.work import is_light, perform
from rag.loaders.base import Limits
from rag.types import Content, Document, DocumentId, Page, Passage

RULES = Rules(Limits(), "never", captions=True, key="k")


def document(file: Path) -> Document:
    return Document(DocumentId("r", file.name), file, stamp=f"{file.stat().st_size}:0:0:0")


def answers(inbox: Inbox[Answered, object], last: type = Ended) -> list[object]:
    found: list[object] = []
    while not found or not isinstance(found[-1], last):
        came = inbox.get(answers=True, seconds=60)
        assert isinstance(came, Answered)
        found.append(came.answer)
    return found


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    from PIL import Image

    Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_process_answers_what_this_one_would(picture: Path) -> None:
    inbox: Inbox[Answered, object] = Inbox(10_000_000)
    pool = Pool(1, inbox, lambda _: None)
    try:
        pool.submit(1, Look(document(picture), RULES))
        [identity] = answers(inbox, Identity)
        pool.submit(2, Read(document(picture), RULES, "picture"))
        part, ended = answers(inbox)
    finally:
        pool.close()
    assert [identity] == list(perform(Look(document(picture), RULES), lambda _: None, threads=1))
    here, _ = perform(Read(document(picture), RULES, "picture"), lambda _: None, threads=1)
    assert isinstance(part, Part) and isinstance(here, Part) and isinstance(ended, Ended)
    assert (part.passage, part.digests, part.words) == (here.passage, here.digests, here.words)
    assert isinstance(part.outcome, Content) and isinstance(here.outcome, Content)
    np.testing.assert_array_equal(part.outcome.pixels[0], here.outcome.pixels[0])


@pytest.mark.parametrize(
    ("plugin", "reason"), [("Segfault", "its reader crashed (SIGSEGV)"), ("Exit", "its reader ended with 7")]
)
def test_a_loader_that_dies_is_tried_twice_and_takes_nothing_with_it(picture: Path, plugin: str, reason: str) -> None:
    inbox: Inbox[Answered, object] = Inbox(10_000_000)
    pool = Pool(1, inbox, lambda _: None)
    try:
        pool.submit(1, Read(document(picture), RULES, f"tests.unit.bad_loaders:{plugin}"))
        pool.submit(2, Read(document(picture), RULES, "picture"))
        found = answers(inbox)
    finally:
        pool.close()
    assert found[:2] == [Again(), Failed(reason, killed=True)]
    assert isinstance(found[2], Part)


def test_known_words_are_not_recognised_again(picture: Path) -> None:
    rules = Rules(Limits(), "always", captions=True, key="k")
    asked: list[bytes] = []

    def known(digest: bytes) -> str:
        asked.append(digest)
        return "words of before"

    inbox: Inbox[Answered, object] = Inbox(10_000_000)
    pool = Pool(1, inbox, known)
    try:
        pool.submit(1, Read(document(picture), rules, "picture"))
        part, _ = answers(inbox)
    finally:
        pool.close()
    assert isinstance(part, Part)
    assert (part.words, part.fresh, asked) == (("words of before",), (), list(part.digests))


def test_what_is_small_and_plain_is_read_here(tmp_path: Path) -> None:
    for name, light in (("a.txt", True), ("a.html", False), ("a.md", True)):
        (tmp_path / name).write_text("words")
        assert is_light(Look(document(tmp_path / name), RULES)) is light, name
    (tmp_path / "large.txt").write_text("words " * 200_000)
    assert not is_light(Look(document(tmp_path / "large.txt"), RULES))
    assert not is_light(Read(document(tmp_path / "a.txt"), RULES, "pdf"))


def test_a_message_makes_nouns_and_nothing_else() -> None:
    near, far = socket.socketpair()
    with near, far:
        sent = Part(
            Passage(DocumentId("r", "p"), 3, Page(4), "page", "image"), Content("image", pixels=(np.eye(3, dtype=np.uint8),))
        )
        wire.send(near, sent)
        came = wire.receive(far)
        assert came.passage == sent.passage
        np.testing.assert_array_equal(came.outcome.pixels[0], np.eye(3))
        for evil in (os.system, print, threading.Thread, wire.send):
            near.sendall(wire._HEAD.pack(len(body := pickle.dumps(evil)), 0) + body)
            with pytest.raises(wire.Closed, match="no noun that travels"):
                wire.receive(far)


def test_answers_wait_outside_while_too_many_bytes_are_inside() -> None:
    inbox: Inbox[int, str] = Inbox(most_bytes=100)
    inbox.put(1, 90)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (inbox.put(2, 50), done.set()))
    thread.start()
    inbox.put_result("vectors")  # never waits
    assert inbox.get(answers=False, seconds=0) == "vectors"
    assert inbox.get(answers=False, seconds=0) is None
    assert not done.is_set()
    assert inbox.get(answers=True, seconds=0) == 1
    assert done.wait(30)
    assert inbox.get(answers=True, seconds=0) == 2
    thread.join()
