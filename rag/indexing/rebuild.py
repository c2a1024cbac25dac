"""An index built anew beside the old one, which answers until the new one takes its place.

Knows rooms and the write path; knows no terminal and no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from rag.config import Settings
from rag.corpus.sources import is_reached
from rag.errors import IndexDamaged, Interrupted, WrongRequest
from rag.indexing.run import create_index, run_over
from rag.loaders.policy import fixed_settings, policy_of
from rag.location import Location
from rag.models.loading import open_embedder
from rag.models.selection import choose_embedder, this_machine
from rag.models.small_download import fetch_if_named

if TYPE_CHECKING:
    from rag.index.catalog.spaces import Space
    from rag.index.room import Room
    from rag.indexing.report import Report, Tell


def rebuild_index(
    room: Room,
    wanted: list[Location],
    settings: Settings,
    tell: Tell | None,
    say: Callable[[str], None],
) -> Report:
    """Builds the index anew beside the old one, over its roots and the folders named, and takes its place when done.

    Until then the old one answers; where the run is stopped (Interrupted) or fails, it stays as it was.
    """
    from rag.indexing.ocr_cache import carry_over

    with room.rebuilding(say) as rebuild:
        roots, kept, spaces = _of_old_index(room, wanted)
        chosen = choose_embedder(settings, kept, this_machine())
        fetch_if_named(chosen, say)
        embedder = open_embedder(chosen)
        try:
            create_index(rebuild.room, settings, chosen, embedder, say)
            with rebuild.room.writing() as writer:
                for name, known in roots.items():  # under their old names: the ids of passages hang on them
                    writer.add_root(name, known)
                for space in spaces:
                    if space.fingerprint != embedder.fingerprint:
                        writer.spaces.add(space.name, space.fingerprint, space.settings)
                carry_over(room, writer)
                writer.commit()
            everything = [*roots.values(), *wanted]
            report = run_over(
                rebuild.room,
                everything,
                embedder,
                policy_of(fixed_settings(settings)),
                settings,
                kept,
                frozenset(),
                tell,
                say,
            )
            _require_all_walked(report)
            rebuild.take_place()
        except Interrupted as error:
            raise Interrupted("stopped; the old index stands as it was", remedy="run the same command to begin anew") from error
    return report


def _of_old_index(room: Room, wanted: Sequence[Location]) -> tuple[dict[str, Location], dict[str, str], tuple[Space, ...]]:
    """The roots, settings and further spaces of an index that is built anew; their vectors are made anew as well.

    Of a damaged one nothing is known but the folders named.
    """
    try:
        with closing(room.open("auto")) as index:
            roots, kept, spaces = index.roots(), dict(index.settings), index.spaces()
    except IndexDamaged as error:
        if not wanted:
            raise IndexDamaged(error.what, remedy="name all its folders: rag index --rebuild FOLDER …") from error
        return {}, {}, ()
    absent = [root for root in roots.values() if not is_reached(root)]
    if absent:
        what = f"{absent[0]} is not there, and a rebuild would lose it"
        raise WrongRequest(what, remedy=f"bring it back, or: rag rm {absent[0]}")
    return dict(roots), kept, spaces


def _require_all_walked(report: Report) -> None:
    """WrongRequest where a whole root could not be walked: the new index would know nothing of it."""
    unseen = next((one for one in report.skipped if not one.document.path), None)
    if unseen is not None:
        raise WrongRequest(f"{unseen.document.root}: {unseen.reason}", remedy="the old index stands as it was; run it again")
