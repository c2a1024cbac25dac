"""Builds an index, brings it up to date, builds it anew, and forgets documents: what every caller of the write path shares.

Knows settings, folders and the write path; knows no terminal and no HTTP.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.canaries import compare_canaries, embed_canaries
from rag.choosing import Chosen, choose_embedder, remembered, this_machine
from rag.config import Settings, load_settings, origin
from rag.errors import (
    BackendError,
    EmbedderMismatch,
    IndexDamaged,
    IndexFailure,
    IndexNotFound,
    Interrupted,
    WrongRequest,
    WrongSetting,
)
from rag.opening import (
    Policy,
    at_home,
    existing_index,
    finish_rebuild,
    fixed_settings,
    index_folder,
    open_embedder,
    places_of_rebuild,
    policy_of,
    up_to_date,
)
from rag.pace import keep_rate
from rag.types import KINDS, Kind

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.index.writer import Writer
    from rag.reports import Report, Tell


def build_index(
    *folders: str | os.PathLike[str],
    index: str = "",
    rebuild: bool = False,
    kinds: Sequence[Kind] = (),
    tell: Tell | None = None,
    models: MutableMapping[Chosen, Embedder] | None = None,
    say: Callable[[str], None] = lambda _: None,
    **flags: Any,
) -> Report:
    """Indexes folders, or brings every known root up to date where none is named. Keywords are settings.

    With `kinds`, only documents that give passages of these kinds are read; what the index holds of others stays.
    `models` are opened already, or are kept there once they are, for the next run. `say` is told which model a new index is made
    with, and why that one.

    Errors: WrongRequest for a folder that is none, EmbedderMismatch, IndexLocked, StorageFailed, BackendError.
    """
    from rag.index.folder import create, fingerprint_of, settings_of

    if not all(os.fspath(one) for one in folders):
        raise WrongRequest("a folder without a name was given", remedy="name a folder; `.` is the current one")
    settings = load_settings({**flags, "index": index or None})
    folder = index_folder(settings.index)
    wanted = [at_home(one) for one in folders]
    check_folders(wanted, folder)
    check_kinds(kinds)
    if rebuild and (folder / "catalog.sqlite").exists():
        if kinds:
            raise WrongRequest("a rebuild reads every kind", remedy="leave out --kinds or --rebuild")
        return _rebuild(folder, wanted, settings, flags, tell, say)
    fresh = not (folder / "catalog.sqlite").exists()
    if fresh and not wanted:
        raise IndexNotFound(folder)
    kept = {} if fresh else settings_of(up_to_date(folder))
    chosen = choose_embedder(settings, kept, this_machine())
    embedder = _opened(chosen, {} if models is None else models)
    if fresh:
        _name_model(chosen, embedder, say)
        create(folder, embedder.fingerprint, _kept(settings, chosen, embedder))
        kept = settings_of(folder)
    _refuse_other_reading(folder, kept, settings, flags)
    if fingerprint_of(folder) != embedder.fingerprint:
        raise EmbedderMismatch(folder, fingerprint_of(folder), embedder.fingerprint)
    if not fresh:
        compare_canaries(folder, kept, embedder)
    return _write(folder, wanted, embedder, policy_of(kept), settings, frozenset(kinds), tell)


def _opened(chosen: Chosen, models: MutableMapping[Chosen, Embedder]) -> Embedder:
    if chosen not in models:
        models[chosen] = open_embedder(chosen)
    return models[chosen]


def _name_model(chosen: Chosen, embedder: Embedder, say: Callable[[str], None]) -> None:
    """Says which model a new index is made with, and where it was found; not of lite where nothing else was thought of."""
    if chosen.backend != "lite" or chosen.why:
        say(f"new index with {embedder.fingerprint.model} ({chosen.why or chosen.backend})")


def _kept(settings: Settings, chosen: Chosen, embedder: Embedder) -> dict[str, str]:
    """What a new index keeps: how it reads, which model it was made with, and for a server its canaries.

    BackendError where a server fails a proof of format: an index of wrong vectors looks fine and ranks badly.
    """
    canaries = {}
    if chosen.backend == "server":
        from rag.doctor import prove

        for finding in prove(chosen.choice, "embedder"):
            if finding.verdict == "failed":
                raise BackendError(f"{finding.subject}: {finding.check}: {finding.detail}", remedy=finding.remedy)
        canaries = embed_canaries(embedder)
    return fixed_settings(settings) | remembered(chosen, settings) | canaries


def check_kinds(kinds: Sequence[Kind]) -> None:
    """WrongRequest for a kind that there is not."""
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise WrongRequest(f"no kind is called {unknown[0]!r}", remedy=f"the kinds are: {', '.join(KINDS)}")


def check_folders(wanted: Sequence[Path], index: Path) -> None:
    """WrongRequest for a folder that is not there, or is the index."""
    for one in wanted:
        if not one.exists():
            raise WrongRequest(f"no such folder: {one}", remedy="nothing was changed; to forget a folder: rag rm FOLDER")
        real = one.resolve()
        if real == index.resolve() or index.resolve() in real.parents:
            raise WrongRequest(f"{one} is the index itself", remedy="name the folder of your files")


def _write(
    folder: Path,
    wanted: Sequence[Path],
    embedder: Embedder,
    policy: Policy,
    settings: Settings,
    kinds: frozenset[Kind],
    tell: Tell | None,
) -> Report:
    from rag.corpus import Root
    from rag.decoding.budget import budget, shortfall
    from rag.index.writer import writing
    from rag.indexing import index_targets
    from rag.targets import Target, absorb_roots, choose_root, without_repeats

    with writing(folder) as writer:
        roots = writer.roots()
        targets = []
        for one in wanted:
            target, is_new = choose_root(one, roots)
            if is_new:
                writer.add_root(*target.root)
                roots[target.root.name] = target.root.folder
            targets.append(target)
        notes = [said] if (said := shortfall(settings.max_memory)) else []
        if not wanted:
            for name, known in roots.items():
                if known.is_dir():
                    targets.append(Target(Root(name, known)))
                else:
                    notes.append(f"{known} is not there: what the index holds of it is kept (to forget it: rag rm {known})")
        targets = without_repeats(targets)
        report = index_targets(
            writer,
            targets,
            embedder,
            policy,
            notes=notes,
            commit_seconds=settings.commit_seconds,
            budget=budget(settings.jobs, settings.max_memory),
            kinds=kinds,
            tell=tell or (lambda _: None),
        )
        absorb_roots(writer, targets)
        writer.commit()
    keep_rate(folder, sum(report.passages.values()), report.seconds)
    return report


def _rebuild(
    folder: Path,
    wanted: list[Path],
    settings: Settings,
    flags: Mapping[str, Any],
    tell: Tell | None,
    say: Callable[[str], None],
) -> Report:
    """Builds the index anew beside the old one, over its roots and the folders named, and takes its place when done.

    Until then the old one answers; where the run is stopped or fails, it stays as it was.
    """
    from rag.index.folder import create
    from rag.index.lock import locked
    from rag.index.writer import writing

    folder = folder.resolve()
    with suppress(IndexDamaged):
        up_to_date(folder)
    with locked(folder):  # until the new index stands in its place
        roots, kept = _of_old_index(folder, wanted)
        chosen = choose_embedder(settings, kept, this_machine())
        embedder = open_embedder(chosen)
        _name_model(chosen, embedder, say)
        fresh, old = places_of_rebuild(folder)
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            create(fresh, embedder.fingerprint, _kept(settings, chosen, embedder))
            with writing(fresh) as writer:
                for name, known in roots.items():  # under their old names: the ids of passages hang on them
                    writer.add_root(name, known)
                writer.commit()
            everything = [*roots.values(), *wanted]
            report = _write(fresh, everything, embedder, policy_of(fixed_settings(settings)), settings, frozenset(), tell)
            _take_place(fresh, folder, old)
        except Interrupted as error:
            raise Interrupted("stopped; the old index stands as it was", remedy="run the same command to begin anew") from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    return report


def _of_old_index(folder: Path, wanted: Sequence[Path]) -> tuple[dict[str, Path], dict[str, str]]:
    """The roots and the settings of an index that is built anew. Of a damaged one nothing is known but the folders named."""
    from rag.index.reader import open_index

    try:
        with open_index(folder) as index:
            roots, kept = index.roots(), dict(index.settings)
    except IndexDamaged as error:
        if not wanted:
            raise IndexDamaged(error.what, remedy="name all its folders: rag index --rebuild FOLDER …") from error
        return {}, {}
    absent = [root for root in roots.values() if not root.is_dir()]
    if absent:
        what = f"{absent[0]} is not there, and a rebuild would lose it"
        raise WrongRequest(what, remedy=f"bring it back, or: rag rm {absent[0]}")
    return roots, kept


def _take_place(fresh: Path, folder: Path, old: Path) -> None:
    """Puts the new index where the old one is. Killed in between, the next command finishes it: `opening.index_folder`."""
    from rag.index.durable import sync_folder
    from rag.index.unbroken import unbroken

    try:
        with unbroken():
            folder.rename(old)
            fresh.rename(folder)
            sync_folder(folder.parent)
    except OSError as error:
        finish_rebuild(folder)
        what = f"{folder} cannot be replaced: {error.strerror}"
        raise IndexFailure(what, remedy="build it in another place: rag index FOLDER --index DIR") from error


def remove_documents(path: str, index: str = "") -> int:
    """Forgets a document, a folder or a whole root, by its path on disk or below a root. Returns how many documents went.

    What lies on disk at that path is meant first; only where the index holds nothing of it, what has that path below a root.
    The files stay. WrongRequest where the index holds nothing of that name, or where several roots do.
    """
    from rag.index.writer import writing

    folder = existing_index(index)
    if not path.strip():
        raise WrongRequest("a path without a name was given", remedy="name a document, a folder or a root")
    asked = at_home(path)
    places = {Path(os.path.realpath(asked)), Path(os.path.realpath(asked.parent)) / asked.name}  # a link, and what it points at
    below = posixpath.normpath(path).strip("/")
    with writing(folder) as writer:
        roots = writer.roots()
        whole = [name for name, base in roots.items() if base in places]
        inside = {
            (name, place.relative_to(base).as_posix())
            for name, base in roots.items()
            for place in places - {base}
            if base in place.parents
        }
        removed = sum(_forget(writer, name, "") for name in whole)
        for name in whole:
            writer.remove_root(name)
        if not whole:
            removed = sum(_forget(writer, name, under) for name, under in sorted(inside))
            if not removed and below:
                holders = [name for name in roots if any(writer.stamps(name, below))]
                if len(holders) > 1:
                    where = ", ".join(str(roots[name] / below) for name in holders)
                    raise WrongRequest(f"several roots hold {path}", remedy=f"name one of them: {where}")
                removed = sum(_forget(writer, name, below) for name in holders)
        writer.commit()
    if not removed and not whole:
        raise WrongRequest(f"{folder} holds nothing called {path}", remedy="`rag status` lists its roots; paths are below a root")
    return removed


def _forget(writer: Writer, root: str, under: str) -> int:
    return sum([writer.remove(root, path) for path, _ in writer.stamps(root, under)])


def _refuse_other_reading(folder: Path, kept: Mapping[str, str], settings: Settings, flags: Mapping[str, Any]) -> None:
    """An index read in two ways would answer in two ways."""
    for key, value in fixed_settings(settings).items():
        if kept[key] != value and origin(key, flags) != "default":
            raise WrongSetting(
                f"{folder} was made with {key} = {kept[key]}; {origin(key, flags)} asks for {value}",
                remedy="leave it out, or read everything anew: rag index --rebuild",
            )
