"""Programs that read files: each is confined, whatever it tries; it ends with its limits, and leaves nothing behind.

Scripts stand in place of the program, since no program of a distribution tries what they do.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.decoding import program_process
from rag.decoding.cost_limits import CostLimits
from rag.decoding.messages import Failed, PassageRead, ReadAll, Rules
from rag.decoding.program_process import OwnPrograms
from rag.decoding.program_sandbox import cannot_confine
from rag.decoding.tasks import own_programs
from rag.decoding.worker_process import Died, WorkerProcess
from rag.errors import UnreadableDocument
from rag.loaders import programs
from rag.loaders.base import Limits
from rag.types import Content, Document, DocumentId
from tests.unit.program_samples import chunked_djvu

PERL = Path("/usr/bin/perl")
MEMORY = 400_000_000  # bytes
IMPATIENT = CostLimits(processor=2.0, waiting=2.0, starved=60.0)
pytestmark = [
    pytest.mark.skipif(bool(cannot_confine()), reason=cannot_confine()),
    pytest.mark.skipif(not PERL.exists(), reason="the scripts that stand in place of programs are in Perl: apt-get install perl"),
]
Replace = Callable[[str], None]


@pytest.fixture
def lent() -> Iterator[None]:
    before = list(programs._lent)
    yield
    programs._lent[:] = before


@pytest.fixture
def replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lent: None) -> Replace:
    """Puts a script in place of every program that reads DjVu."""
    monkeypatch.setattr(programs, "FOLDERS", (str(tmp_path / "bin"),))

    def put(script: str) -> None:
        (tmp_path / "bin").mkdir(exist_ok=True)
        for name in ("djvutxt", "ddjvu", "djvused"):
            place = tmp_path / "bin" / name
            place.write_text(f"#!{PERL}\n{script}\n")
            place.chmod(0o755)

    return put


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.djvu").write_bytes(b"what is in the file")
    (tmp_path / "corpus" / "other").write_bytes(b"another file")
    return tmp_path / "corpus" / "a.djvu"


def said(file: Path, most: int = 100_000) -> bytes:
    with programs.output_of("djvu-text", file, most=most) as stream:
        return stream.read()


def left(place: Path) -> list[str]:
    """The processes that run a script in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(place / "bin") + b"/d" in line and b"from rag" not in line:
            found.append(process.name)
    return found


def test_a_program_reads_the_file_and_says_something(replace: Replace, file: Path) -> None:
    replace("open(my $f, '<', $ARGV[-1]) or die; print 'it says: ', <$f>, ' to ', join(' ', map { $ENV{$_} // '' } 'RAG_KEY');")
    programs.lend(OwnPrograms(MEMORY, IMPATIENT))
    assert said(file) == said(file) == b"it says: what is in the file to "


ATTEMPTS = {
    "reaches the network": ("use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0)", "Operation not permitted"),
    "reaches another program": ("use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0)", "Operation not permitted"),
    "writes a file": ("open(my $f, '>', '{folder}/written')", "Permission denied"),
    "writes into the corpus": ("open(my $f, '>>', '{folder}/corpus/a.djvu')", "Permission denied"),
    "writes through its file": ("open(my $f, '>>', $ARGV[-1])", "Permission denied"),
    "removes a file": ("unlink('{folder}/corpus/other')", "Permission denied"),
    "reads another file": ("open(my $f, '<', '{folder}/corpus/other')", "Permission denied"),
    "lists a folder": ("opendir(my $d, '{folder}/corpus')", "Permission denied"),
    "executes a program": ("exec('/bin/true')", "Permission denied"),
    "starts a process": ("defined(fork())", "Operation not permitted"),
    "ends another process": ("kill('KILL', getppid())", "Operation not permitted"),
    "leaves its group": ("syscall({setsid}) != -1", "Operation not permitted"),
    "takes memory elsewhere": ("my $name = 'x'; syscall({memfd}, $name, 0) != -1", "Operation not permitted"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_program_reaches_nothing_else(attempt: str, replace: Replace, file: Path, tmp_path: Path) -> None:
    is_arm = os.uname().machine == "aarch64"
    code, refused = ATTEMPTS[attempt]
    code = code.replace("{folder}", str(tmp_path)).replace("{setsid}", "157" if is_arm else "112")
    replace(f"{code.replace('{memfd}', '279' if is_arm else '319')} or die \"$!\\n\"; print 'it did';")
    programs.lend(OwnPrograms(MEMORY, IMPATIENT))
    with pytest.raises(UnreadableDocument) as error:
        said(file)
    assert error.value.what == f"djvutxt cannot read it: {refused}"
    assert sorted(one.name for one in (tmp_path / "corpus").iterdir()) == ["a.djvu", "other"]
    assert file.read_bytes() == b"what is in the file" and not (tmp_path / "written").exists()


ENDS = {
    "sleeps for ever": ("sleep 100000", "djvutxt took too long"),
    "computes for ever": ("1 while 1", "djvutxt took too long"),
    "stops itself": ("print 'x'; close(STDOUT); syscall({pause})", "djvutxt took too long"),
    "says too much": ("print 'x' x 65536 while 1", "djvutxt gave more than 100,000 bytes"),
    "complains too much": ("print STDERR 'no ' x 65536 or exit 3 while 1", "djvutxt cannot read it: no no no"),
    "takes too much memory": ("my $x = 'x' x 900_000_000; print length $x", "djvutxt cannot read it: Out of memory"),
    "fails silently": ("exit 7", "djvutxt cannot read it: it ended with 7"),
    "crashes": ("kill 'SEGV', $$; syscall({tgkill}, $$, $$, 11)", "djvutxt crashed (SIGSEGV)"),
}


@pytest.mark.parametrize("way", ENDS)
def test_a_program_ends_with_a_reason(way: str, replace: Replace, file: Path, tmp_path: Path) -> None:
    is_arm = os.uname().machine == "aarch64"
    code, reason = ENDS[way]
    pause, tgkill = ("73, 0, 0, 0, 0", "131") if is_arm else ("34", "234")  # on aarch64: ppoll(2) of nothing
    replace(code.replace("{pause}", pause).replace("{tgkill}", tgkill))
    programs.lend(OwnPrograms(MEMORY, IMPATIENT))
    with pytest.raises(UnreadableDocument) as error:
        said(file)
    assert error.value.what.startswith(reason)
    gone(tmp_path)
    replace("print 'well'")
    assert said(file) == b"well"  # one that was ended does not spoil the next


def test_a_reader_ends_with_the_program_it_waits_for(replace: Replace, tmp_path: Path) -> None:
    replace("sleep 100000")
    (tmp_path / "b.djvu").write_bytes(chunked_djvu())
    process = WorkerProcess(1_000_000_000)
    try:
        made = Document(DocumentId("r", "b.djvu"), tmp_path / "b.djvu")
        process.tell(ReadAll(made, Rules(Limits(), "never", captions=False, key="k"), "djvu"), 30)
        with pytest.raises(Died) as died:
            process.hear(CostLimits(processor=20.0, waiting=2.0, starved=120.0))
        assert died.value.cause == "waiting" and left(tmp_path)
    finally:
        process.end()
    gone(tmp_path)


def test_the_time_of_a_program_is_that_of_its_reader(replace: Replace, tmp_path: Path) -> None:
    replace("1 while 1")
    (tmp_path / "b.djvu").write_bytes(chunked_djvu())
    process = WorkerProcess(1_000_000_000)
    try:
        made = Document(DocumentId("r", "b.djvu"), tmp_path / "b.djvu")
        process.tell(ReadAll(made, Rules(Limits(), "never", captions=False, key="k"), "djvu"), 30)
        with pytest.raises(Died) as died:
            process.hear(CostLimits(processor=4.0, waiting=60.0, starved=120.0))
        assert died.value.cause == "processor"
    finally:
        process.end()
    gone(tmp_path)


def test_a_struck_reader_leaves_no_program(replace: Replace, tmp_path: Path) -> None:
    replace("sleep 100000")
    (tmp_path / "b.djvu").write_bytes(chunked_djvu())
    process = WorkerProcess(1_000_000_000)
    made = Document(DocumentId("r", "b.djvu"), tmp_path / "b.djvu")
    process.tell(ReadAll(made, Rules(Limits(), "never", captions=False, key="k"), "djvu"), 30)
    heard: list[str] = []

    def hear() -> None:
        try:
            process.hear(CostLimits())
        except Died as died:
            heard.append(str(died))

    thread = threading.Thread(target=hear)
    thread.start()
    try:
        while not left(tmp_path):
            time.sleep(0.05)
        process.strike()
        thread.join(60)
        assert heard and not thread.is_alive()
    finally:
        process.end()
    gone(tmp_path)


def gone(place: Path) -> None:
    """Nothing is left; the kernel may need a moment to end what was struck."""
    end = time.monotonic() + 30
    while left(place) and time.monotonic() < end:
        time.sleep(0.05)
    assert not left(place)


def test_a_reader_itself_reaches_no_more_than_before(replace: Replace, file: Path, tmp_path: Path) -> None:
    replace("print 'it ran'")
    process = WorkerProcess(1_000_000_000)
    with socket.create_server(("127.0.0.1", 0)) as server:
        file.with_name("port").write_text(str(server.getsockname()[1]))
        try:
            made = Document(DocumentId("r", "a.djvu"), file)
            rules = Rules(Limits(), "never", captions=False, key="k")
            process.tell(ReadAll(made, rules, "tests.unit.bad_loaders:EscapeAfterProgram"), 30)
            answer = process.hear(CostLimits())
        finally:
            process.end()
    assert isinstance(answer, PassageRead) and isinstance(answer.outcome, Content) and answer.outcome.text == ""
    assert not file.with_name("escaped").exists()


def test_a_machine_that_cannot_confine_runs_no_program(
    replace: Replace, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace("print 'it ran'")
    start = "import rag.decoding.program_runner as runner; runner.cannot_confine = lambda: 'no Landlock'; runner.main()"
    monkeypatch.setattr(program_process, "_START", start)
    programs.lend(own_programs())
    with pytest.raises(programs.NotRun) as error:
        said(file)
    assert error.value.what == "no Landlock"
    (tmp_path / "b.djvu").write_bytes(chunked_djvu())
    process = WorkerProcess(1_000_000_000)
    try:
        made = Document(DocumentId("r", "b.djvu"), tmp_path / "b.djvu")
        process.tell(ReadAll(made, Rules(Limits(), "never", captions=False, key="k"), "djvu"), 30)
        answer = process.hear(CostLimits())
        assert isinstance(answer, Failed) and answer.reason == "no Landlock"
    finally:
        process.end()


def test_a_program_is_looked_for_in_fixed_folders_only(replace: Replace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert programs.cannot_read("djvu") == (
        "DjVu is read by a program that is not installed (djvutxt, djvused, ddjvu): install the package djvulibre-bin"
    )
    assert programs.cannot_read("xps") == (
        "XPS is read by a program that is not installed (xpstopdf): install the package libgxps-utils"
    )
    monkeypatch.setenv("PATH", f"{tmp_path}/elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "ddjvu").write_text("")
    assert programs.where("ddjvu") is None
    replace("exit")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("sys.platform", "darwin")
        assert (
            programs.cannot_read("djvu") == "DjVu is read by a program, which can be confined on Linux only; convert it to .pdf"
        )
    assert programs.cannot_read("djvu") == "" and programs.where("ddjvu") == tmp_path / "bin" / "ddjvu"


def test_the_runner_takes_known_commands_only(replace: Replace, file: Path) -> None:
    replace("print 'it ran'")
    process = program_process.ProgramProcess(MEMORY)
    out = os.memfd_create("out")
    try:
        with file.open("rb") as stream, pytest.raises(programs.NotRun, match="needs a program that is not installed"):
            program_process.ask(process.line, "xps-pdf", (), stream.fileno(), out, 1000)
        with file.open("rb") as stream, pytest.raises(programs.NotRun, match="cannot be run confined"):
            program_process.ask(process.line, "djvu-page", (), stream.fileno(), out, 1000)  # its numbers are missing
    finally:
        os.close(out)
        process.end()


def test_no_socket_is_left(replace: Replace, file: Path) -> None:
    """What is handed over is closed again, however often programs run."""
    replace("print 'well'")
    programs.lend(OwnPrograms(MEMORY, IMPATIENT))
    said(file)
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(20):
        said(file)
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before
