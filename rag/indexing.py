"""THE WRITE PATH, readable top to bottom: walk → changed? → split → read → words → key → embed → write → commit.

Knows the rooms and joins them; knows no terminal and no SQL.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rag.backends.base import Embedder
from rag.clues import found_by
from rag.corpus import Blocked, Change, Found, Gone, Ignored, Root, compare, walk
from rag.errors import Interrupted, RagError, UnreadableDocument
from rag.identity import content_digest, content_key, reading_key
from rag.index.writer import TwinDocument, Writer
from rag.loaders import LOADERS
from rag.loaders.base import Loader
from rag.loaders.detect import loader_name
from rag.opening import Policy
from rag.reading import describe, shown_to, with_words
from rag.reports import Progress, Report, Tally, Tell
from rag.suffixes import CAPTION_SUFFIXES
from rag.tables import resolve
from rag.types import CaptionOf, Content, Document, DocumentId, Dropped, Passage, Skipped

PENDING_BYTES = 64_000_000  # decoded contents that wait for the model
UNCOMMITTED = 2_000  # passages held in memory until the next commit


class Target(NamedTuple):
    """What one run looks at: a root, or the folder or file `under` it."""

    root: Root
    under: str = ""


def index_targets(
    writer: Writer,
    targets: Sequence[Target],
    embedder: Embedder,
    policy: Policy,
    *,
    notes: Sequence[str],
    commit_seconds: float,
    tell: Tell,
) -> Report:
    """Brings the index up to date with the targets and says what was done.

    Commits every `commit_seconds`; Ctrl-C or a failing model commits what is finished, then raises.
    """
    started = time.monotonic()
    run = _Run(writer, embedder, policy, Tally(notes=list(notes)), commit_seconds, time.monotonic())
    try:
        for target in targets:
            run.bring_up_to_date(target, tell)
        run.commit()
    except KeyboardInterrupt:
        run.commit()
        raise Interrupted(
            f"stopped after {run.tally.indexed} documents; they are committed", remedy="run the same command to go on"
        ) from None
    except RagError:
        writer.commit()
        raise
    return run.tally.report(time.monotonic() - started)


@dataclass(slots=True)
class _Run:
    """The state of one run: what waits for the model and when the last commit was."""

    writer: Writer
    embedder: Embedder
    policy: Policy
    tally: Tally
    commit_seconds: float
    committed: float
    pending: dict[bytes, Content] | None = None
    pending_bytes: int = 0
    uncommitted: int = 0  # passages

    # ---- one target -------------------------------------------------------------------------

    def bring_up_to_date(self, target: Target, tell: Tell) -> None:
        """Reads what is new or changed below the target, and forgets what is gone."""
        root = target.root
        changes, gone = self._look(target)
        recaptioned: set[str] = set()
        first = [change for change in changes if _shows_pictures(change.found.path)]
        rest = [change for change in changes if not _shows_pictures(change.found.path)]
        total = len(changes)
        for done, change in enumerate(first):
            tell(Progress(done, total, change.found.path))
            before = self.writer.captions_from(root.name, change.found.path)
            document = self._index(root, change)
            after = self._captions(document) if document else []
            if before != after:
                self.writer.put_captions(root.name, change.found.path, after)
                recaptioned |= {caption.target for caption in set(before) ^ set(after)}
        for path in gone:
            before = self.writer.captions_from(root.name, path)
            if before:
                self.writer.put_captions(root.name, path, [])
                recaptioned |= {caption.target for caption in before}
        rest += _shown_anew(root, recaptioned - {change.found.path for change in rest} - set(gone))
        for done, change in enumerate(rest, start=len(first)):
            tell(Progress(done, total, change.found.path))
            self._index(root, change)
        for path in gone:
            moved = DocumentId(root.name, path) in self.tally.taken_from
            self.tally.moved += moved
            self.tally.reused -= moved
            self.tally.removed += not moved
            self.writer.remove(root.name, path)
        tell(Progress(total, total, ""))

    def _look(self, target: Target) -> tuple[list[Change], list[str]]:
        """What changed below a target, and which documents are gone; an empty root is not believed."""
        root, under = target
        changes: list[Change] = []
        gone: list[str] = []
        present = 0
        for item in compare(walk(root, under), self.writer.stamps(root.name, under)):
            match item:
                case None:
                    self.tally.unchanged += 1
                    present += 1
                case Change():
                    changes.append(item)
                    present += 1
                case Gone(path):
                    gone.append(path)
                case Ignored(_, reason):
                    self.tally.ignored[reason] += 1
                case Blocked(path, reason):
                    self.tally.skipped.append(Skipped(DocumentId(root.name, path), reason))
        if gone and not present and not under:
            self.tally.notes.append(
                f"{root.folder} is empty, and the index holds {len(gone)} documents of it: they are kept. "
                f"If they are gone for good: rag rm {root.folder}"
            )
            gone = []
        return changes, gone

    # ---- one document -----------------------------------------------------------------------

    def _index(self, root: Root, change: Change) -> Document | None:
        """Reads one document and hands its passages to the writer; None where it could not be read."""
        document = describe(root, change.found, self.writer, self.policy, self.tally)
        try:
            name = loader_name(document.file, self.policy.limits)  # first: it refuses files too large to be read at all
            digest = content_digest(document)
            loader: Loader = resolve(LOADERS, name, "loader")()
            key = f"{name}:{loader.version}:{reading_key(self.policy.limits, self.policy.ocr, self.policy.clues)}"
            twin = self.writer.twin(digest)
            if twin is not None and twin.loader == key:
                passages = self._taken_over(document, twin, loader, name)
                self.tally.reused += 1
                if twin.id != document.id:
                    self.tally.taken_from.add(twin.id)
            else:
                passages = list(self._read(document, loader))
                self.tally.indexed += 1
        except FileNotFoundError:
            self.writer.remove(root.name, document.id.path)
            return None
        except (UnreadableDocument, OSError) as error:
            reason = error.what if isinstance(error, UnreadableDocument) else f"cannot be opened: {error.strerror}"
            self.tally.skipped.append(Skipped(document.id, reason))
            self.writer.put_skipped(document, reason)
            return None
        words = found_by(passages[0][0], self.policy.clues)
        self.writer.put_document(document, digest=digest, loader=key, passages=passages, path_words=words)
        self.tally.passages.update(Counter(passage.kind for passage, _ in passages))
        self.uncommitted += len(passages)
        if self.uncommitted > UNCOMMITTED or time.monotonic() - self.committed > self.commit_seconds:
            self.commit()
        return document

    def _taken_over(self, document: Document, twin: TwinDocument, loader: Loader, name: str) -> list[tuple[Passage, bytes]]:
        """The passages of a document with the same bytes. A picture's name may say that it is a screenshot: look again."""
        kinds = {passage.ordinal: passage.kind for passage, _ in twin.passages}
        if name == "picture" and document.file.name != twin.id.path.rpartition("/")[2]:
            kinds |= {passage.ordinal: passage.kind for passage in loader.split(document, self.policy.limits)}
        return [(replace(passage, document=document.id, kind=kinds[passage.ordinal]), key) for passage, key in twin.passages]

    def _captions(self, document: Document) -> list[CaptionOf]:
        if "caption" not in self.policy.clues:
            return []
        loader: Loader = resolve(LOADERS, loader_name(document.file, self.policy.limits), "loader")()
        return list(loader.captions(document, self.policy.limits))

    def _read(self, document: Document, loader: Loader) -> Iterator[tuple[Passage, bytes]]:
        """Passages with the keys of their vectors; contents the index has no vector for are queued for the model."""
        passages = list(loader.split(document, self.policy.limits))
        lost: list[Skipped] = []
        unseen = ""
        count = 0
        for passage, content in zip(passages, loader.read(document, passages, self.policy.limits), strict=True):
            if isinstance(content, Dropped):
                self.tally.dropped[content.reason.partition(" at ")[0]] += 1
                continue
            if isinstance(content, Skipped):
                lost.append(content)
                continue
            known, content = with_words(passage, content, self.writer, self.policy)
            content = shown_to(self.embedder.modalities, content)
            if isinstance(content, Dropped):
                self.tally.dropped[content.reason] += 1
                unseen = f"{content.reason}: {self.embedder.fingerprint.model}"
                continue
            key = content_key(content, self.embedder.fingerprint, clues=content.clues if self.embedder.reads_clues else "")
            self._queue(key, content)
            count += 1
            yield known, key
        if not count:
            raise UnreadableDocument(lost[0].reason if lost else unseen or "nothing in it can be indexed")
        self.tally.skipped += lost

    # ---- the model and the commit -----------------------------------------------------------

    def _queue(self, key: bytes, content: Content) -> None:
        self.pending = self.pending or {}
        if key in self.pending or self.writer.known([key]):
            return
        self.pending[key] = content
        self.pending_bytes += sum(pixels.nbytes for pixels in content.pixels) + len(content.text)
        if len(self.pending) >= self.embedder.batch or self.pending_bytes > PENDING_BYTES:
            self._embed()

    def _embed(self) -> None:
        if not self.pending:
            return
        keys, contents = list(self.pending), list(self.pending.values())
        self.pending, self.pending_bytes = {}, 0
        self.writer.put_vectors(keys, self.embedder.embed(contents, role="document"))
        self.tally.embedded += len(keys)

    def commit(self) -> None:
        """Asks the model for what waits, then makes everything finished so far durable."""
        self._embed()
        self.writer.commit()
        self.committed, self.uncommitted = time.monotonic(), 0


def _shows_pictures(path: str) -> bool:
    return _suffix(path) in CAPTION_SUFFIXES


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _shown_anew(root: Root, paths: Iterable[str]) -> list[Change]:
    """Unchanged pictures whose caption changed in another document."""
    changes = []
    for path in sorted(paths):
        if (root.folder / path).is_file():
            changes += [Change(item, known=True) for item in walk(root, path) if isinstance(item, Found)]
    return changes


def choose_root(folder: Path, roots: dict[str, Path]) -> tuple[Target, bool]:
    """The target that `folder` means, and whether its root is new: inside a known root it is a part of that root.

    A single file makes its folder the root. Names are the folder's own, numbered where taken.
    """
    real = folder.resolve()
    for name, known in roots.items():
        if real == known or known in real.parents:
            under = real.relative_to(known).as_posix()
            return Target(Root(name, known), "" if under == "." else under), False
    base, under = (real, "") if real.is_dir() else (real.parent, real.name)
    stem = base.name or "root"
    name = next(name for number in range(len(roots) + 1) if (name := stem if not number else f"{stem}-{number + 1}") not in roots)
    return Target(Root(name, base), under), True
