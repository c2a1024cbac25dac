"""Listing a bucket with stamps, as a run walks it, beside obstore's listing alone, from the same server.

Knows the walk and the client; the server is moto's, which takes most of the time of both.
"""

from __future__ import annotations

import os
import tempfile

from rag.corpus.walk import FileEntry, Root, walk
from rag.location import ObjectPath
from tests.bench.measure import Row, alternate
from tests.object_store import BUCKET, running_store

OBJECTS = int(os.environ.get("BENCH_OBJECTS", "5000"))


def rows() -> list[Row]:
    """Small objects in folders of 500."""
    import obstore
    from obstore.store import S3Store

    with tempfile.TemporaryDirectory() as cache, running_store() as bucket:
        os.environ.update(bucket.environment, XDG_CACHE_HOME=cache)
        for number in range(OBJECTS):
            bucket.put(f"team/d{number // 500:03}/note-{number:06}.txt", f"note {number}")
        bare = S3Store(BUCKET, client_options={"allow_http": True}, endpoint=bucket.endpoint)

        def listed() -> None:
            assert sum(map(len, obstore.list(bare, "team", chunk_size=1_000))) == OBJECTS

        def walked() -> None:
            found = walk(Root("team", ObjectPath("s3://corpus/team")))
            assert sum(isinstance(one, FileEntry) for one in found) == OBJECTS

        ours, floor = alternate(walked, listed, runs=3)
    ratio = floor / ours
    named = f"listing and stamps of {OBJECTS:,} objects"
    return [Row(named, f"{OBJECTS / ours:,.0f}/s", f"obstore's listing {OBJECTS / floor:,.0f}/s", ratio, "≥ 0.8", ratio >= 0.8)]


if __name__ == "__main__":
    from tests.bench.measure import show

    found = rows()
    show(found)
