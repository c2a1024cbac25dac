"""Messages between the reader and the program: nouns travel, and nothing that could run."""

from __future__ import annotations

import os
import pickle
import socket
import threading

import numpy as np
import pytest

from rag.decoding import protocol
from rag.decoding.messages import PassageRead
from rag.types import Content, DocumentId, Page, Passage


def test_a_message_makes_nouns_and_nothing_else() -> None:
    near, far = socket.socketpair()
    with near, far:
        sent = PassageRead(
            Passage(DocumentId("r", "p"), 3, Page(4), "page", "image"), Content("image", pixels=(np.eye(3, dtype=np.uint8),))
        )
        protocol.send(near, sent)
        came = protocol.receive(far)
        assert came.passage == sent.passage
        np.testing.assert_array_equal(came.outcome.pixels[0], np.eye(3))
        for evil in (os.system, print, threading.Thread, protocol.send):
            near.sendall(protocol._HEAD.pack(len(body := pickle.dumps(evil)), 0) + body)
            with pytest.raises(protocol.Closed, match="no noun that travels"):
                protocol.receive(far)
