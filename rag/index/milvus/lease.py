"""The lease of a run: one writes an index at a time, wherever it runs; who is killed or cut off loses it by itself.

Knows notes and clocks; knows no document. Milvus has no comparing and setting, so every claim is a row of its own, and whoever
sees another claim after writing his own withdraws: of two, never both go on. Every holder counts up a fence, so that one who was
cut off for a while learns that another was here. The lease spares work; that no document is ever half visible is the commit
rule's doing. Clocks of machines that write one index must agree to within some seconds.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rag.errors import IndexFailure, IndexLocked
from rag.index.milvus.engine import NEWEST, now
from rag.index.milvus.notes import FACT, FILL_LEASE, LEASE, Notes

_ROUNDS = 10  # of claims that meet other claims
_TRUSTED = 0.7  # share of its time for which a renewed lease is ours without asking again
FENCE, FILL_FENCE = "fence", "fence of filling"
_FENCES = {LEASE: FENCE, FILL_LEASE: FILL_FENCE}
_ours: set[str] = set()  # leases of this process


@contextmanager
def leased(notes: Notes, place: str, seconds: float, say: Callable[[str], None], sort: str = LEASE) -> Iterator[Lease]:
    """Holds the lease of an index, or that of filling its further models, and renews it meanwhile.

    IndexLocked says who holds it and until when; StorageFailed.
    """
    lease, ended = Lease(notes, place, seconds, sort), threading.Event()
    renewing = threading.Thread(target=_renew, args=(lease, ended, seconds / 3), name="rag-lease", daemon=True)
    try:
        lease.claim(say)
        renewing.start()
        yield lease
    finally:
        ended.set()
        if renewing.ident is not None:
            renewing.join()
        lease.release()


def is_held(notes: Notes) -> bool:
    """Whether some process holds the lease of an index."""
    claims = ((token, json.loads(text)) for token, text in notes.of_sorts((LEASE,), NEWEST)[LEASE].items())
    return any(claim["held"] and not _is_over(token, claim) for token, claim in claims)


class Lease:
    """One claim, of `seconds` from its last renewal."""

    def __init__(self, notes: Notes, place: str, seconds: float, sort: str = LEASE) -> None:
        self._sort = sort
        self._notes, self._place, self._seconds = notes, place, seconds
        self._token = secrets.token_hex(8)
        self._sure_until = 0.0  # monotonic
        self._fence = 0
        self._one_at_a_time = threading.Lock()  # the run, and the thread that renews
        _ours.add(self._token)

    def claim(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Takes the lease. IndexLocked while another process has it; StorageFailed."""
        for attempt in range(_ROUNDS):
            others = self._others()
            if not others:
                self._write(held=False)
                others = self._others()
                if not others:
                    self._fence = self._passed() + 1
                    self._notes.write({(FACT, _FENCES[self._sort]): str(self._fence)})
                    self._write(held=True)
                    return
                self._forget()  # both may withdraw, and try again at different times
            holder = next((each for each in others if each["held"]), None)
            if holder is not None or attempt == _ROUNDS - 1:
                raise IndexLocked(self._place, _described(holder or others[0]))
            if not attempt:
                say(f"another run begins to write {self._place}: waiting for which of the two goes on")
            time.sleep(random.uniform(0.05, 0.3) * (attempt + 1))

    def confirm(self) -> None:
        """Before a commit: the lease is ours. Where it ended it is taken again; IndexLocked where another run had it since.

        StorageFailed.
        """
        with self._one_at_a_time:
            if time.monotonic() >= self._sure_until:
                if self._passed() != self._fence:
                    raise IndexLocked(self._place, "another run, which got the lease while this one was cut off or stood still")
                self.claim()

    def renew(self) -> None:
        """Extends it, as `confirm` where so much time has passed that another may have it. What fails shows at a commit."""
        with suppress(IndexFailure):
            self.confirm()
            with self._one_at_a_time:
                self._write(held=True)

    def release(self) -> None:
        """Ends it; where that fails it ends by itself."""
        _ours.discard(self._token)
        with suppress(IndexFailure):
            self._forget()

    def _passed(self) -> int:
        return int(self._notes.read(FACT, _FENCES[self._sort], NEWEST) or 0)

    def _others(self) -> list[dict[str, Any]]:
        """The claims of others that last; those that do not are deleted."""
        lasting, over = [], []
        for token, text in self._notes.of_sorts((self._sort,), NEWEST)[self._sort].items():
            if token != self._token:
                claim = json.loads(text)
                over.append((self._sort, token)) if _is_over(token, claim) else lasting.append(claim)
        if over:
            self._notes.forget(over)
        return lasting

    def _write(self, *, held: bool) -> None:
        begun = time.monotonic()
        claim = {"held": held, "until": now() + self._seconds, "process": os.getpid(), "host": socket.gethostname()}
        self._notes.write({(self._sort, self._token): json.dumps(claim | {"machine": _machine()})})
        self._sure_until = begun + _TRUSTED * self._seconds

    def _forget(self) -> None:
        self._sure_until = 0.0
        self._notes.forget([(self._sort, self._token)])


def _renew(lease: Lease, ended: threading.Event, every: float) -> None:
    while not ended.wait(every):
        lease.renew()


def _is_over(token: str, claim: Mapping[str, Any]) -> bool:
    """Whether a claim has ended: its time is over, or its process is one of this machine and is gone."""
    if claim["until"] < now():
        return True
    if not _machine() or claim["machine"] != _machine():
        return False
    if claim["process"] == os.getpid():
        return token not in _ours
    try:
        os.kill(claim["process"], 0)
    except ProcessLookupError:
        return True
    except OSError:  # of another user
        return False
    return False


def _machine() -> str:
    """What tells process numbers of this machine from those of others; "" where nothing does."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _described(claim: Mapping[str, Any]) -> str:
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(claim["until"]))
    return f"process {claim['process']} on {claim['host']}, whose lease lasts until {until} and is renewed while it runs"
