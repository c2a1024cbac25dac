"""One run of the write path over folders: as which roots they are known, and how fast it was.

Knows settings, folders and the write path; knows no terminal and no HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.config import Settings
from rag.errors import BackendError
from rag.indexing.progress import keep_rate
from rag.indexing.renewal import renew
from rag.indexing.sight import seeing, versions_with
from rag.loaders.policy import ReadingPolicy, fixed_settings
from rag.location import Location
from rag.models.canaries import embed_canaries
from rag.models.selection import ModelChoice, remembered
from rag.types import Kind

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.index.room import Room
    from rag.indexing.report import Report, Tell


def run_over(
    room: Room,
    wanted: Sequence[Location],
    embedder: Embedder,
    policy: ReadingPolicy,
    settings: Settings,
    kept: Mapping[str, str],
    kinds: frozenset[Kind],
    tell: Tell | None,
    say: Callable[[str], None],
) -> Report:
    """Brings the index up to date with the folders, or with every root it knows where none is wanted.

    `kept` are the settings that it remembers of earlier runs.
    Errors as `indexing.index_targets`; IndexLocked while another process writes it.
    """
    from rag.corpus.sources import is_there, root_of
    from rag.corpus.walk import Root
    from rag.decoding.memory_budget import budget, shortfall
    from rag.decoding.workers import workers_on
    from rag.indexing.moved_roots import find_moves
    from rag.indexing.outdated import describe_outdated
    from rag.indexing.pipeline import index_targets
    from rag.indexing.roots import Target, choose_root, heeded_files, merge_nested_roots, without_repeats

    with workers_on(settings.on) as workers, room.writing(say) as writer:
        renewed = renew(writer, embedder, policy)
        outdated = writer.memory.read_again(versions_with(seeing(embedder.fingerprint, policy)))
        heeded = heeded_files(settings, kept)
        moves = find_moves(map(root_of, wanted) if wanted else writer.roots().values(), writer.roots(), writer)
        for moved in moves:
            writer.add_root(moved.root, moved.new)
        roots = writer.roots()
        targets = []
        for one in wanted:
            target, is_new = choose_root(one, roots)
            if is_new:
                writer.add_root(*target.root)
                roots[target.root.name] = target.root.folder
            targets.append(target)
        notes = [
            *renewed,
            *map(str, moves),
            *describe_outdated(outdated, "are"),
            *([said] if (said := shortfall(settings.max_memory)) else []),
        ]
        if not wanted:
            for name, known in roots.items():
                if is_there(known):
                    targets.append(Target(Root(name, known)))
                else:
                    notes.append(f"{known} is not there: what the index holds of it is kept (to forget it: rag rm {known})")
        targets = [target._replace(heeded=heeded) for target in without_repeats(targets)]
        report = index_targets(
            writer,
            targets,
            embedder,
            policy,
            notes=notes,
            commit_seconds=settings.commit_seconds,
            budget=budget(workers.count if settings.jobs == "auto" and workers.count else settings.jobs, settings.max_memory),
            kinds=kinds,
            tell=tell or (lambda _: None),
            workers=workers,
        )
        merge_nested_roots(writer, targets)
        if "ignore" in settings.model_fields_set or "ignore" in kept:
            writer.memory.keep_setting("ignore", json.dumps([name.removeprefix(".") for name in heeded]))
        writer.commit()
    keep_rate(room.derived, sum(report.passages.values()), report.seconds)
    return report


def create_index(room: Room, settings: Settings, chosen: ModelChoice, embedder: Embedder, say: Callable[[str], None]) -> None:
    """Makes an empty index for that model, and says which it is.

    BackendError where a server fails a proof of format: an index of wrong vectors looks fine and ranks badly.
    """
    _name_model(chosen, embedder, say)
    room.create(embedder.fingerprint, fixed_settings(settings) | model_memory(settings, chosen, embedder))


def _name_model(chosen: ModelChoice, embedder: Embedder, say: Callable[[str], None]) -> None:
    """Says which model a new index is made with, and where it was found; not of lite where nothing else was thought of."""
    if chosen.backend != "lite" or chosen.why:
        say(f"new index with {embedder.fingerprint.model} ({chosen.why or chosen.backend})")


def model_memory(settings: Settings, chosen: ModelChoice, embedder: Embedder) -> dict[str, str]:
    """What an index keeps of a model: how it is opened, and for a server its canaries.

    BackendError where a server fails a proof of format.
    """
    canaries = {}
    if chosen.backend == "server":
        from rag.models.doctor import prove

        for finding in prove(chosen.choice, "embedder"):
            if finding.verdict == "failed":
                raise BackendError(f"{finding.subject}: {finding.check}: {finding.detail}", remedy=finding.remedy)
        canaries = embed_canaries(embedder)
    return remembered(chosen, settings) | canaries
