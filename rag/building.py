"""Builds an index, brings it up to date, builds it anew, and forgets documents: what every caller of the write path shares.

Knows settings, folders and the write path; knows no terminal and no HTTP.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.canaries import compare_canaries, embed_canaries
from rag.choosing import Chosen, choose_embedder, remembered, this_machine
from rag.config import Settings, load_settings, origin
from rag.errors import EmbedderMismatch, IndexNotFound, WrongRequest, WrongSetting
from rag.opening import Policy, existing_index, fixed_settings, index_folder, open_embedder, policy_of

if TYPE_CHECKING:
    from rag.backends.base import Embedder
    from rag.reports import Report, Tell


def build_index(
    *folders: str | os.PathLike[str], index: str = "", rebuild: bool = False, tell: Tell | None = None, **flags: Any
) -> Report:
    """Indexes folders, or brings every known root up to date where none is named. Keywords are settings.

    Errors: WrongRequest for a folder that is none, EmbedderMismatch, IndexLocked, StorageFailed, BackendError.
    """
    from rag.index.folder import create, fingerprint_of, settings_of

    settings = load_settings({**flags, "index": index or None})
    folder = index_folder(settings.index)
    wanted = [Path(one).expanduser() for one in folders]
    _check_folders(wanted, folder)
    if rebuild and (folder / "catalog.sqlite").exists():
        return _rebuild(folder, wanted, settings, flags, tell)
    fresh = not (folder / "catalog.sqlite").exists()
    if fresh and not wanted:
        raise IndexNotFound(folder)
    kept = {} if fresh else settings_of(folder)
    chosen = choose_embedder(settings, kept, this_machine())
    embedder = open_embedder(chosen)
    if fresh:
        create(folder, embedder.fingerprint, _kept(settings, chosen, embedder))
        kept = settings_of(folder)
    _refuse_other_reading(folder, kept, settings, flags)
    if fingerprint_of(folder) != embedder.fingerprint:
        raise EmbedderMismatch(folder, fingerprint_of(folder), embedder.fingerprint)
    if not fresh:
        compare_canaries(folder, kept, embedder)
    return _write(folder, wanted, embedder, policy_of(kept), settings.commit_seconds, tell)


def _kept(settings: Settings, chosen: Chosen, embedder: Embedder) -> dict[str, str]:
    """What a new index keeps: how it reads, which model it was made with, and for a server its canaries."""
    canaries = embed_canaries(embedder) if chosen.backend == "server" else {}
    return fixed_settings(settings) | remembered(chosen, settings) | canaries


def _check_folders(wanted: Sequence[Path], index: Path) -> None:
    for one in wanted:
        if not one.exists():
            raise WrongRequest(f"no such folder: {one}", remedy="nothing was changed; to forget a folder: rag rm FOLDER")
        real = one.resolve()
        if real == index.resolve() or index.resolve() in real.parents:
            raise WrongRequest(f"{one} is the index itself", remedy="name the folder of your files")


def _write(
    folder: Path, wanted: Sequence[Path], embedder: Embedder, policy: Policy, commit_seconds: float, tell: Tell | None
) -> Report:
    from rag.corpus import Root
    from rag.index.writer import writing
    from rag.indexing import Target, choose_root, index_targets

    with writing(folder) as writer:
        roots = writer.roots()
        targets = []
        swallowed: list[str] = []
        for one in wanted:
            target, is_new = choose_root(one, roots)
            if is_new:
                writer.add_root(target.root.name, target.root.folder)
                swallowed += [name for name, known in roots.items() if target.root.folder in known.parents]
                roots[target.root.name] = target.root.folder
            targets.append(target)
        notes = []
        if not wanted:
            for name, known in roots.items():
                if known.is_dir():
                    targets.append(Target(Root(name, known)))
                else:
                    notes.append(f"{known} is not there: what the index holds of it is kept (to forget it: rag rm {known})")
        report = index_targets(
            writer, targets, embedder, policy, notes=notes, commit_seconds=commit_seconds, tell=tell or (lambda _: None)
        )
        for name in swallowed:
            writer.remove_root(name)
        writer.commit()
    return report


def _rebuild(folder: Path, wanted: list[Path], settings: Settings, flags: Mapping[str, Any], tell: Tell | None) -> Report:
    """Builds the index anew beside the old one, over its roots and the folders named, and takes its place when done."""
    from rag.index.folder import create, settings_of
    from rag.index.writer import writing

    with writing(folder) as writer:  # holds the lock until the new index stands in its place
        roots = list(writer.roots().values())
        absent = [root for root in roots if not root.is_dir()]
        if absent:
            raise WrongRequest(
                f"{absent[0]} is not there, and a rebuild would lose it", remedy=f"bring it back, or: rag rm {absent[0]}"
            )
        fresh, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        chosen = choose_embedder(settings, settings_of(folder), this_machine())
        embedder = open_embedder(chosen)
        create(fresh, embedder.fingerprint, _kept(settings, chosen, embedder))
        known = [root for root in roots if root not in [one.resolve() for one in wanted]]
        report = _write(fresh, [*known, *wanted], embedder, policy_of(fixed_settings(settings)), settings.commit_seconds, tell)
        folder.rename(old)
        fresh.rename(folder)
    shutil.rmtree(old)
    return report


def remove_documents(path: str, index: str = "") -> int:
    """Forgets a document, a folder or a whole root, by its path on disk or below a root. Returns how many documents went.

    The files stay. WrongRequest where the index holds nothing of that name.
    """
    from rag.index.writer import writing

    folder = existing_index(index)
    with writing(folder) as writer:
        removed = 0
        real = Path(path).expanduser().absolute()
        for name, base in writer.roots().items():
            if real == base or Path(path) == base:
                removed += sum(1 for _ in writer.stamps(name))
                writer.remove_root(name)
                writer.commit()
                return removed
            for under in {real.relative_to(base).as_posix()} if base in real.parents else {path.strip("/")}:
                gone = [found for found, _ in writer.stamps(name, under)]
                for one in gone:
                    writer.remove(name, one)
                removed += len(gone)
        writer.commit()
    if not removed:
        raise WrongRequest(f"{folder} holds nothing called {path}", remedy="`rag status` lists its roots; paths are below a root")
    return removed


def _refuse_other_reading(folder: Path, kept: Mapping[str, str], settings: Settings, flags: Mapping[str, Any]) -> None:
    """An index read in two ways would answer in two ways."""
    for key, value in fixed_settings(settings).items():
        if kept[key] != value and origin(key, flags) != "default":
            raise WrongSetting(
                f"{folder} was made with {key} = {kept[key]}; {origin(key, flags)} asks for {value}",
                remedy="leave it out, or read everything anew: rag index --rebuild",
            )
