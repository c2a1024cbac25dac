"""Fills a vector space: every content it lacks goes to its model, first what searches showed; vectors are committed as they come.

Knows the writer, an embedder and the contents of stored passages; knows no corpus walk, no terminal and no HTTP. Between two
results it looks whether another writer asks for the index, and steps aside.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.backends.base import Embedder
from rag.errors import BackendError, Interrupted
from rag.humanize import counted
from rag.index.catalog.spaces import Space
from rag.index.filling import FillTurn
from rag.indexing.fill_run import FillRun, SpaceGone
from rag.indexing.report import Tell
from rag.indexing.space_contents import ContentReader
from rag.loaders.policy import ReadingPolicy

if TYPE_CHECKING:
    from rag.decoding.ask_pool import AskPool

SHARING = 50  # passages of one content that are compared


@dataclass(frozen=True, slots=True)
class Filled:
    """What a fill did: vectors made, and contents without one by reason."""

    space: str
    vectors: int
    left_out: Mapping[str, int]
    seconds: float

    def __str__(self) -> str:
        made = f"{self.space}: {counted(self.vectors, 'vector')} made in {self.seconds:.1f} s"
        return "; ".join([made, *(f"{count} left out: {reason}" for reason, count in sorted(self.left_out.items()))])


def fill_space(
    turn: FillTurn,
    space: Space,
    embedder: Embedder,
    first: Embedder,
    policy: ReadingPolicy,
    *,
    files: AskPool,
    commit_seconds: float,
    say: Callable[[str], None],
    tell: Tell,
    stop: threading.Event | None = None,
) -> Filled:
    """Makes the vectors that a space lacks, and commits every `commit_seconds`. What it cannot make stays unknown there.

    `first` is the model of the first space, by which contents are told apart. Other writers are let in; what they add is made as
    well, and where one drops the space, the fill ends.

    Ctrl-C, `stop` or a failing model commits what is made, then raises: Interrupted, BackendError. The same call goes on.
    IndexReplaced where another writer has built the index anew.
    """
    reader = ContentReader(
        embedder,
        first,
        policy,
        files,
        lambda number: turn.writer.spaces.sharing(number, SHARING),
        lambda number: turn.writer.spaces.stamp(number),
    )
    run = FillRun(turn, space, embedder, reader, commit_seconds, say, tell, stop or threading.Event())
    if run.todo:
        pictures = ", pictures are decoded again" if "image" in embedder.modalities & first.modalities else ""
        say(f"filling {space.name}: {counted(len(run.todo), 'content')}; the words are in the index{pictures}")
    try:
        run.make_all()
    except SpaceGone as ended:
        say(str(ended))
    except KeyboardInterrupt:
        run.end()
        what = f"stopped after {run.made} of {counted(run.total, 'vector')} of {space.name}; what is made is committed"
        raise Interrupted(what, remedy="run the same command to go on") from None
    except BackendError:
        run.commit()
        raise
    finally:
        run.queue.close()
    run.commit()
    run.say_remarks()
    return Filled(space.name, run.made, dict(run.left_out), time.monotonic() - run.began)
