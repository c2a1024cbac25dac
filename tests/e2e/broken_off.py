"""Ctrl-C, or the end of the process, in a run: after so many lines of the code that changes an index. Knows no index."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rag.errors import Interrupted

RAG = Path(__file__).parents[2] / "rag"
WRITE_PATH = tuple(f"indexing/{name}.py" for name in ("pipeline", "read_queue", "ingest", "pending_document"))
IN_A_FOLDER = tuple(f"index/{name}.py" for name in ("writer/writer", "writer/changes", "writer/waiting", "catalog/documents"))
IN_MILVUS = tuple(f"index/milvus/{name}.py" for name in ("writer", "changes", "committing", "pictures", "vectors"))


class Killed(BaseException):
    """The process is gone: nothing of ours catches this."""


@contextmanager
def broken_off(line: int, how: str, within: Sequence[str]) -> Iterator[None]:
    """Breaks off when so many lines of these files have run; `how` is "stopped" or "killed"."""
    files, left = frozenset(str(RAG / name) for name in within), line
    missing = [name for name in files if not Path(name).exists()]
    assert not missing, f"nothing would be broken off in {missing}"

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if event == "call" and frame.f_code.co_filename not in files:
            return None
        left -= event == "line"
        if left <= 0:
            sys.settrace(None)
            if how == "killed":
                raise Killed
            signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    except (Interrupted, KeyboardInterrupt, Killed):
        pass
    finally:
        sys.settrace(before)
