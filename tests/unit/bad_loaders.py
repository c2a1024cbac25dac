"""Loaders that misbehave, named to the program as tests.unit.bad_loaders:Name."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rag.decoding import sandbox
from rag.loaders.base import Limits
from rag.loaders.programs import output_of
from rag.types import CaptionOf, Content, Document, Page, Passage, Whole


class _Bad:
    version = 1

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        yield Passage(document.id, 0, Whole(), "text", "text", "words")

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        self.harm()
        yield Content("text", "words")

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())

    def harm(self) -> None:
        raise NotImplementedError


class Segfault(_Bad):
    """Follows a null pointer."""

    def harm(self) -> None:
        ctypes.string_at(0)


class Exit(_Bad):
    """Ends its process."""

    def harm(self) -> None:
        os._exit(7)


class Hang(_Bad):
    """Never comes back, and holds the interpreter's lock meanwhile."""

    def harm(self) -> None:
        ctypes.PyDLL(None).pause()


class Burn(_Bad):
    """Computes for 0.3 s."""

    def harm(self) -> None:
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass


class Drip(_Bad):
    """Is given a byte every 0.3 s, ten times, as from a disk that is very slow."""

    def harm(self) -> None:
        for _ in range(10):
            time.sleep(0.3)
            with open("/dev/zero", "rb", buffering=0) as disk:  # noqa: PTH123
                disk.read(1)


class Grow(_Bad):
    """Takes memory without end."""

    def harm(self) -> None:
        kept = []
        while True:
            kept.append(b"x" * 50_000_000)


class Escape(_Bad):
    """Says what it reached: the port named in the file beside its document, and the folder."""

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        reached = []
        try:
            port = int(document.file.with_name("port").read_text())
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            reached.append("the network")
        except OSError:
            pass
        try:
            document.file.with_name("escaped").write_text("x")
            reached.append("writing files")
        except OSError:
            pass
        try:
            subprocess.run([sys.executable, "-c", ""], check=True)
            reached.append("starting programs")
        except OSError:
            pass
        yield Content("text", " ".join(reached))


class EscapeAfterProgram(Escape):
    """Has a program run on its document first."""

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        with output_of("djvu-text", document.file, most=1000) as said:
            assert said.read() == b"it ran"
        yield from super().read(document, passages, limits)


class EscapePicture(_Bad):
    """Tells by the colour of a picture what it reached: full red the network, full green writing, full blue a program."""

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        yield Passage(document.id, 0, Whole(), "image", "image")

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        found = set()
        try:
            socket.create_connection(("127.0.0.1", int(os.environ["ESCAPE_PORT"])), timeout=5).close()
            found.add(0)
        except OSError:
            pass
        try:
            Path(os.environ["ESCAPE_FILE"]).write_text("x")
            found.add(1)
        except OSError:
            pass
        try:
            subprocess.run([sys.executable, "-c", ""], check=True)
            found.add(2)
        except OSError:
            pass
        colour = [255 if channel in found else 20 for channel in range(3)]
        for _ in passages:
            yield Content("image", pixels=(np.full((64, 64, 3), colour, np.uint8),))


class LastPage(_Bad):
    """A long document whose last page follows a null pointer."""

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        for number in range(100):
            yield Passage(document.id, number, Page(number + 1), "page", "image")

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        for passage in passages:
            if passage.ordinal == 99:
                ctypes.string_at(0)
            yield Content("image", pixels=(np.full((20, 20, 3), passage.ordinal, np.uint8),))


class Deaf(_Bad):
    """Holds every signal back that can be held back, and never comes back."""

    def harm(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        threading.Event().wait()


class Fork(_Bad):
    """Leaves a child behind that hears nothing, and says its number."""

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        child = os.fork()
        if not child:
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            threading.Event().wait()
        yield Content("text", str(child))


class LeakDescriptors(_Bad):
    """Opens a hundred files and closes none."""

    def harm(self) -> None:
        for _ in range(100):
            os.open(os.devnull, os.O_RDONLY)


class LeakMemory(_Bad):
    """Keeps 250 MB for ever."""

    kept: list[bytes] = []  # noqa: RUF012 (what a leak is)

    def harm(self) -> None:
        self.kept.append(b"x" * 250_000_000)


class LeakRoom(_Bad):
    """Keeps the room for 250 MB for ever, without using it: no look at the memory of its process shows it."""

    def harm(self) -> None:
        LeakMemory.kept.append(bytes(250_000_000))


class NeedRoom(_Bad):
    """Needs the room for 250 MB for a moment."""

    def harm(self) -> None:
        bytes(250_000_000)


class Chatter(_Bad):
    """Writes a hundred megabytes wherever somebody may listen, as a library in C does: nobody looks whether it is taken."""

    def harm(self) -> None:
        line = b"a strange tag\n" * 100_000
        for _ in range(72):
            for descriptor in (1, 2):
                ctypes.CDLL(None).write(descriptor, line, len(line))


class Late(_Bad):
    """Follows a null pointer in a thread of its own, as soon as a file "now" lies beside; says the number of its process."""

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        def wait() -> None:
            while not document.file.with_name("now").exists():
                time.sleep(0.01)
            ctypes.string_at(0)

        threading.Thread(target=wait).start()
        yield Content("text", str(os.getpid()))


class Patient(_Bad):
    """Takes 0.6 s of processor time for each of four passages; makes the time that the sandbox gives as short as it can be."""

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        sandbox._CPU_SECONDS = 1
        for number in range(4):
            yield Passage(document.id, number, Page(number + 1), "text", "text", "words")

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        for _ in passages:
            end = time.process_time() + 0.6
            while time.process_time() < end:
                pass
            yield Content("text", "words")
