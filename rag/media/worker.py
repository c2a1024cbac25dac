"""A decoder process: hears a question and an open file, decodes within its limits, answers. Started by `decoders.py`.

Knows the questions; the modules it calls know the formats. It holds no secrets and writes no file but a video it was told to.
"""

from __future__ import annotations

import resource
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rag.errors import UnreadableDocument
from rag.media import protocol
from rag.media.safe_open import readable_name

_IDLE = 300.0  # seconds without a question after which it ends, and with it the memory of the OCR engine
_MOST_MEMORY = 12 << 30  # bytes of addresses; a picture of 100 million pixels takes 0.8 GB, the OCR engine maps 2


def main() -> None:
    """Answers until nobody asks any more, or nobody did for a while."""
    _limit()
    line = socket.socket(fileno=int(sys.argv[1]))
    line.settimeout(_IDLE)
    with line, suppress(BrokenPipeError, ConnectionResetError, EOFError, TimeoutError):
        while heard := protocol.hear(line):
            asked, fd = heard
            with open(fd, "rb", closefd=True):  # noqa: PTH123 (a descriptor has no path)
                values, content = _answer(asked, fd)
            protocol.answer(line, values, content)


def _answer(asked: dict[str, Any], fd: int) -> tuple[dict[str, Any], bytes]:
    question = _questions()[str(asked.pop("question"))]
    try:
        return question(readable_name(fd), **asked)
    except UnreadableDocument as error:
        return {"reason": error.what}, b""
    except MemoryError:
        return {"reason": "needs more memory than a decoder may have"}, b""


def _questions() -> dict[str, Callable[..., tuple[dict[str, Any], bytes]]]:
    from rag.media import highlights, remux, render, transcode

    return {
        "picture": render.picture,
        "outlines": highlights.outlines,
        "video": remux.looked_at,
        "remux": remux.remux,
        "clip": transcode.clip,
    }


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # less is allowed already, or the system has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    main()
