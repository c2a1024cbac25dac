"""Ctrl-C is deferred until a change is complete."""

from __future__ import annotations

import signal
import threading

import pytest

from rag.index.files.uninterruptible import uninterruptible


@pytest.fixture(autouse=True)
def python_handles_ctrl_c() -> object:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_raised_at_the_end_of_the_outermost_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), uninterruptible():
        with uninterruptible():
            signal.raise_signal(signal.SIGINT)
            done.append("inner")
        done.append("outer")
        signal.raise_signal(signal.SIGINT)  # a second one changes nothing
        done.append("end")
    assert done == ["inner", "outer", "end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_error_ends_the_block_and_is_not_lost() -> None:
    with pytest.raises(ValueError, match="no"), uninterruptible(), uninterruptible():
        raise ValueError("no")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with uninterruptible(), uninterruptible():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_are_not_affected() -> None:
    passed = []

    @uninterruptible()
    def work() -> None:
        passed.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    with uninterruptible():
        thread.start()
        thread.join()
        assert passed != [signal.default_int_handler]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
