"""Ctrl-C in the middle of a call to Milvus: the call ends, and the next one is answered."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.index.milvus.engine import NEWEST
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.schema import PASSAGES, collection
from tests.unit.index_samples import FINGERPRINT

TIMES = 150


def test_calls_are_answered_after_ctrl_c(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    engine, passages, chance = milvus.engine, collection(milvus.name, PASSAGES), random.Random(0)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ThreadPoolExecutor(1) as other:
            for _ in range(TIMES):
                wait = chance.uniform(0.0002, 0.006)
                sender = threading.Thread(target=lambda wait=wait: (time.sleep(wait), os.kill(os.getpid(), signal.SIGINT)))
                with pytest.raises(KeyboardInterrupt):
                    sender.start()
                    while True:
                        engine.count(passages, "", NEWEST)
                sender.join()
                assert other.submit(engine.count, passages, "", NEWEST).result(60) == 0
    finally:
        signal.signal(signal.SIGINT, before)
