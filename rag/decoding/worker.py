"""The process of one decoder: takes a job, answers it, takes the next, until its socket closes.

Knows the wire and the work; knows nothing of who asks.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from rag.decoding import protocol
from rag.decoding.messages import OcrLookup, Ready
from rag.decoding.sandbox import allow_seconds, confine, end_with
from rag.decoding.tasks import perform, size_of


def main() -> None:
    """`python -c "from rag.decoding.worker import main; main()" SOCKET PIPE BYTES`: the line to its reader, and how much memory.

    The other end of the pipe is held by the reader alone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the reader of the answers, who ends this one
    link = socket.socket(fileno=int(sys.argv[1]))
    end_with(int(sys.argv[2]))
    missing = confine(int(sys.argv[3]))

    def known(digest: bytes) -> str | None:
        protocol.send(link, OcrLookup(digest))
        words = protocol.receive(link)
        return words if isinstance(words, str) else None

    try:
        protocol.send(link, Ready(missing))
        while True:
            job = protocol.receive(link)
            os.ftruncate(2, 0)  # what libraries grumbled about the file before
            os.lseek(2, 0, os.SEEK_SET)
            allow_seconds(size_of(job.document))
            for answer in perform(job, known, threads=1):
                protocol.send(link, answer)
                allow_seconds(size_of(job.document))
    except protocol.Closed:
        os._exit(0)  # nothing of it is wanted any more
