"""Jobs done in other processes: real ones, real kills."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.decoding.cost_limits import CostLimits
from rag.decoding.event_queue import EventQueue
from rag.decoding.messages import (
    Done,
    Failed,
    Identified,
    Identify,
    ListPassages,
    PassageRead,
    ReadAll,
    Rejected,
    Restarted,
    Rules,
)
from rag.decoding.pool import Pool, WorkerAnswer
from rag.decoding.tasks import is_light, perform
from rag.decoding.worker_process import Died, WorkerProcess
from rag.loaders.base import Limits
from rag.types import Content, Document, DocumentId

RULES = Rules(Limits(), "never", captions=True, key="k")


def document(file: Path) -> Document:
    return Document(DocumentId("r", file.name), file, stamp=f"{file.stat().st_size}:0:0:0")


def answers(events: EventQueue[WorkerAnswer, object, object], last: type = Done) -> list[object]:
    found: list[object] = []
    while not found or not isinstance(found[-1], last):
        came = events.get(answers=True, seconds=60)
        assert isinstance(came, WorkerAnswer)
        found.append(came.answer)
    return found


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    from PIL import Image

    Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_process_answers_what_this_one_would(picture: Path) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None)
    try:
        pool.submit(1, Identify(document(picture), RULES))
        [identity] = answers(events, Identified)
        pool.submit(2, ReadAll(document(picture), RULES, "picture"))
        part, ended = answers(events)
    finally:
        pool.close()
    assert [identity] == list(perform(Identify(document(picture), RULES), lambda _: None))
    here, _ = perform(ReadAll(document(picture), RULES, "picture"), lambda _: None)
    assert isinstance(part, PassageRead) and isinstance(here, PassageRead) and isinstance(ended, Done)
    assert (part.passage, part.digests, part.words) == (here.passage, here.digests, here.words)
    assert isinstance(part.outcome, Content) and isinstance(here.outcome, Content)
    np.testing.assert_array_equal(part.outcome.pixels[0], here.outcome.pixels[0])


@pytest.mark.parametrize(("size", "processes"), [(1_000, 1), (100_000_000, 2)])
def test_a_second_reader_starts_while_the_first_looks_at_a_large_file(picture: Path, size: int, processes: int) -> None:
    events: EventQueue[WorkerAnswer, object] = EventQueue(10_000_000)
    pool = Pool(3, events, lambda _: None)
    try:
        pool.submit(1, Identify(replace(document(picture), stamp=f"{size}:0:0:0"), RULES))
        answers(events, Identified)
        assert sum(thread.name.startswith("rag-decoder-") for thread in threading.enumerate()) == processes
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("plugin", "reason"), [("Segfault", "its reader crashed (SIGSEGV)"), ("Exit", "its reader ended with 7")]
)
def test_a_loader_that_dies_is_tried_twice_and_takes_nothing_with_it(picture: Path, plugin: str, reason: str) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None)
    try:
        pool.submit(1, ReadAll(document(picture), RULES, f"tests.unit.bad_loaders:{plugin}"))
        pool.submit(2, ReadAll(document(picture), RULES, "picture"))
        found = answers(events)
    finally:
        pool.close()
    assert found[:2] == [Restarted(), Failed(reason, killed=True)]
    assert isinstance(found[2], PassageRead)


def test_a_loader_that_hangs_with_the_interpreter_s_lock_is_stopped(picture: Path) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None, limits=CostLimits(1.0, 1.0, 1.0))
    try:
        pool.submit(1, ReadAll(document(picture), RULES, "tests.unit.bad_loaders:Hang"))
        found = answers(events, Failed)
    finally:
        pool.close()
    assert found == [Restarted(), Failed("its reader waited 1 s for something that never came", late=True)]


def test_a_loader_that_hears_no_signal_is_stopped(picture: Path) -> None:
    events: EventQueue[WorkerAnswer, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None, limits=CostLimits(0.5, 0.5, 0.5))
    try:
        pool.submit(1, ReadAll(document(picture), RULES, "tests.unit.bad_loaders:Deaf"))
        assert isinstance(answers(events, Failed)[-1], Failed)
    finally:
        pool.close()


def is_gone(process: int) -> bool:
    """Whether no such process runs any more; it may not have been buried."""
    try:
        return "Z" in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_what_a_loader_started_ends_with_its_reader(picture: Path) -> None:
    process = WorkerProcess(1_000_000_000)
    process.tell(ReadAll(document(picture), RULES, "tests.unit.bad_loaders:Fork"), 30)
    part = process.hear(CostLimits())
    assert isinstance(part, PassageRead) and isinstance(part.outcome, Content)
    child = int(part.outcome.text)
    assert not is_gone(child)
    process.end()
    end = time.monotonic() + 30
    while not is_gone(child):
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("plugin", ["LeakDescriptors", "LeakMemory"])
def test_what_a_loader_leaks_is_never_to_the_cost_of_another_file(picture: Path, plugin: str) -> None:
    events: EventQueue[WorkerAnswer, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None, memory=700_000_000)
    try:
        for ticket in range(5):
            pool.submit(ticket, ReadAll(document(picture), RULES, f"tests.unit.bad_loaders:{plugin}"))
            part, _ = answers(events)
            assert isinstance(part, PassageRead) and isinstance(part.outcome, Content), ticket
    finally:
        pool.close()


def test_what_libraries_say_without_end_is_bounded_and_the_last_of_it_kept(picture: Path) -> None:
    process = WorkerProcess(1_000_000_000)
    for job in ("Chatter", "Chatter", "Segfault"):
        process.tell(ReadAll(document(picture), RULES, f"tests.unit.bad_loaders:{job}"), 30)
        if job == "Chatter":
            assert isinstance(process.hear(CostLimits()), PassageRead) and isinstance(process.hear(CostLimits()), Done)
            assert 0 < os.fstat(process._said.fileno()).st_size <= 64_000_000
    with pytest.raises(Died):
        process.hear(CostLimits())
    assert os.fstat(process._said.fileno()).st_size == 0
    process.end()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_reader_that_dies_between_two_files_costs_neither(picture: Path) -> None:
    events: EventQueue[WorkerAnswer, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None)
    try:
        pool.submit(1, ReadAll(document(picture), RULES, "tests.unit.bad_loaders:Late"))
        late, _ = answers(events)
        assert isinstance(late, PassageRead) and isinstance(late.outcome, Content)
        picture.with_name("now").touch()
        end = time.monotonic() + 30
        while not is_gone(int(late.outcome.text)):
            assert time.monotonic() < end
            time.sleep(0.01)
        pool.submit(2, ReadAll(document(picture), RULES, "picture"))
        again, part, _ = answers(events)
    finally:
        pool.close()
    assert again == Restarted() and isinstance(part, PassageRead) and isinstance(part.outcome, Content)


def test_a_long_document_gets_processor_time_for_each_passage(picture: Path) -> None:
    events: EventQueue[WorkerAnswer, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None, memory=1_100_000_000)  # as much as no other test gives: nobody inherits this process
    try:
        pool.submit(1, ListPassages(document(picture), RULES, "tests.unit.bad_loaders:Patient"))
        answers(events)
        pool.submit(2, ReadAll(document(picture), RULES, "tests.unit.bad_loaders:Patient"))
        assert [type(one) for one in answers(events)] == [PassageRead, PassageRead, PassageRead, PassageRead, Done]
    finally:
        pool.close()


def test_a_loader_that_takes_memory_without_end_gets_no_more(picture: Path) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None, memory=400_000_000)
    try:
        pool.submit(1, ReadAll(document(picture), RULES, "tests.unit.bad_loaders:Grow"))
        pool.submit(2, ReadAll(document(picture), RULES, "picture"))
        found = answers(events)
    finally:
        pool.close()
    assert found[0] == Failed("needs more memory than a reader is given (--max-memory)", short=True)
    assert isinstance(found[1], PassageRead)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the memory of a process has no limit")
def test_too_little_memory_left_by_files_before_is_no_reason_to_give_a_file_up(picture: Path) -> None:
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None, memory=410_000_000)  # as much as no other test gives: nobody inherits this process
    try:
        for plugin in ("LeakRoom", "NeedRoom"):
            pool.submit(1, ReadAll(document(picture), RULES, f"tests.unit.bad_loaders:{plugin}"))
            found = answers(events)
    finally:
        pool.close()
    again, part, _ = found
    assert again == Restarted() and isinstance(part, PassageRead) and isinstance(part.outcome, Content)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux chooses by this number")
def test_a_reader_is_the_first_that_goes_where_memory_is_short() -> None:
    process = WorkerProcess(1_000_000_000)
    assert Path(f"/proc/{process._process.pid}/oom_score_adj").read_text().strip() == "1000"
    process.end()


def test_a_reader_reaches_no_network_writes_nothing_and_starts_nothing(picture: Path) -> None:
    """The test's own port is open to this process, and closed to the reader; as far as the kernel can do it."""
    process = WorkerProcess(1_000_000_000)
    missing = process.missing
    process.end()
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(1, events, lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        picture.with_name("port").write_text(str(server.getsockname()[1]))
        try:
            pool.submit(1, ReadAll(document(picture), RULES, "tests.unit.bad_loaders:Escape"))
            part, _ = answers(events)
        finally:
            pool.close()
    assert isinstance(part, PassageRead) and isinstance(part.outcome, Content)
    assert part.outcome.text == " ".join(missing)
    assert picture.with_name("escaped").exists() == ("writing files" in missing)


ORPHAN = """
import sys
from pathlib import Path
from rag.decoding.worker_process import Died, WorkerProcess
from rag.decoding.messages import ReadAll, Rules
from rag.loaders.base import Limits
from rag.types import Document, DocumentId
process = WorkerProcess(1_000_000_000)
document = Document(DocumentId("r", "a"), Path("a"))
process.tell(ReadAll(document, Rules(Limits(), "never", True, "k"), "tests.unit.bad_loaders:Hang"), 9)
print(process._process.pid, flush=True)
sys.stdin.read()
"""


def test_a_reader_that_hangs_ends_with_the_process_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        orphan = int(started.stdout.readline())
        started.kill()
    end = time.monotonic() + 30
    while Path(f"/proc/{orphan}").exists() and "Z" not in Path(f"/proc/{orphan}/stat").read_text().split()[2]:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_program_that_reads_again_gets_the_same_process(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    class Counted(WorkerProcess):
        def __init__(self, memory: int) -> None:
            started.append(memory)
            super().__init__(memory)

    monkeypatch.setattr("rag.decoding.workers.WorkerProcess", Counted)
    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    for _ in range(3):
        pool = Pool(1, events, lambda _: None, memory=900_000_000)
        pool.submit(1, Identify(document(picture), RULES))
        answers(events, Identified)
        pool.close()
    assert started == [900_000_000]


def test_known_words_are_not_recognised_again(picture: Path) -> None:
    rules = Rules(Limits(), "always", captions=True, key="k")
    asked: list[bytes] = []

    def known(digest: bytes) -> str:
        asked.append(digest)
        return "words of before"

    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000_000)
    pool = Pool(1, events, known)
    try:
        pool.submit(1, ReadAll(document(picture), rules, "picture"))
        part, _ = answers(events)
    finally:
        pool.close()
    assert isinstance(part, PassageRead)
    assert (part.words, part.fresh, asked) == (("words of before",), (), list(part.digests))


def test_what_is_small_and_plain_is_read_here(tmp_path: Path) -> None:
    for name, light in (("a.txt", True), ("a.html", False), ("a.md", True)):
        (tmp_path / name).write_text("words")
        assert is_light(Identify(document(tmp_path / name), RULES)) is light, name
    (tmp_path / "large.txt").write_text("words " * 200_000)
    assert not is_light(Identify(document(tmp_path / "large.txt"), RULES))
    assert not is_light(ReadAll(document(tmp_path / "a.txt"), RULES, "pdf"))


def test_a_thread_that_cannot_go_on_says_so(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000)
    with monkeypatch.context() as patched:
        patched.setattr("rag.decoding.worker_process.tempfile.TemporaryFile", full)
        pool = Pool(1, events, lambda _: None, memory=1_999_999_999)
        pool.submit(1, Identify(document(picture), RULES))
        [refused] = answers(events, Rejected)
        pool.close()
    assert "No usable temporary directory found" in refused.what


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_fails_says_so(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    events: EventQueue[WorkerAnswer, object, object] = EventQueue(10_000)
    monkeypatch.setattr("rag.decoding.worker_process.WorkerProcess.tell", wrong)
    pool = Pool(1, events, lambda _: None)
    pool.submit(1, Identify(document(picture), RULES))
    [refused] = answers(events, Rejected)
    pool.close()
    assert refused.what == "a thread that has files read ended"


def test_a_reader_ended_by_a_signal_without_a_name(picture: Path) -> None:
    process = WorkerProcess(2_000_000_000)
    os.kill(process._process.pid, signal.SIGRTMIN + 6)
    with pytest.raises(Died, match=rf"its reader crashed \(signal {signal.SIGRTMIN + 6}\)"):
        process.hear(CostLimits())
    process.end()
