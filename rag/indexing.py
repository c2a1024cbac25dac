"""THE WRITE PATH, readable top to bottom: walk → changed? → split → read → words → key → embed → write → commit.

Knows the rooms and joins them; knows no terminal and no SQL.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rag.backends.base import Embedder
from rag.clues import found_by
from rag.contract import place
from rag.corpus import Blocked, Change, Found, Gone, Ignored, Root, compare, composed, walk
from rag.errors import ContentRefused, IndexFailure, Interrupted, RagError, UnreadableDocument
from rag.identity import content_digest, content_key, reading_key
from rag.index.writer import TwinDocument, Writer
from rag.loaders import LOADERS
from rag.loaders.base import Loader
from rag.loaders.detect import loader_name
from rag.opening import Policy
from rag.reading import describe, shown_to, with_words
from rag.reports import Progress, Report, Tally, Tell
from rag.suffixes import CAPTION_SUFFIXES, PICTURE_SUFFIXES
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
        try:
            run.embed()
        finally:  # also where Ctrl-C comes again
            done = run.tally.indexed + run.tally.reused - writer.give_up_waiting()
            writer.commit()
        raise Interrupted(f"stopped after {done} documents; they are committed", remedy="run the same command to go on") from None
    except IndexFailure:
        raise
    except RagError:
        writer.give_up_waiting()
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
    refused: dict[bytes, str] = field(default_factory=dict)  # keys of contents that the model does not take, with its reason

    # ---- one target -------------------------------------------------------------------------

    def bring_up_to_date(self, target: Target, tell: Tell) -> None:
        """Reads what is new or changed below the target, and forgets what is gone.

        Documents that show pictures come first: what they say of a picture is known before the picture is read.
        """
        root = target.root
        changes, gone = self._look(target)
        first = [change.found for change in changes if _shows_pictures(change.found.path)]
        rest = [change.found for change in changes if not _shows_pictures(change.found.path)]
        recaptioned: set[str] = set()
        for done, found in enumerate(first):
            tell(Progress(done, len(changes), found.path))
            recaptioned |= self._index(root, found)
        for path in gone:
            recaptioned |= self.writer.put_captions(root.name, path, [])
        again = self._shown_anew(target, recaptioned - {composed(found.path) for found in rest})
        total = len(changes) + len(again)
        for done, found in enumerate([*rest, *again], start=len(first)):
            tell(Progress(done, total, found.path))
            self._index(root, found)
        for path in gone:
            self._forget(root, path)
        tell(Progress(total, total, ""))

    def _shown_anew(self, target: Target, recaptioned: AbstractSet[str]) -> list[Found]:
        """Unchanged pictures below the target of which other documents say something else now."""
        if not recaptioned:
            return []
        again = [item for item in walk(*target) if isinstance(item, Found) and composed(item.path) in recaptioned]
        self.tally.unchanged -= len(again)
        return again

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

    def _index(self, root: Root, found: Found) -> AbstractSet[str]:
        """Reads one document and hands its passages to the writer. Gives the pictures of which it says something else now."""
        document = describe(root, found, self.writer, self.policy, self.tally)
        try:
            name = loader_name(document.file, self.policy.limits)  # first: it refuses files too large to be read at all
            digest = content_digest(document)
            loader: Loader = resolve(LOADERS, name, "loader")()
            # Some loaders go by the suffix: the same bytes are other passages under another one.
            rules = reading_key(self.policy.limits, self.policy.ocr, self.policy.clues)
            key = f"{name}{_suffix(found.path)}:{loader.version}:{rules}"
            captions = self._captions(document, loader)
            twin = self.writer.twin(digest, key)
            if twin is not None:
                passages = self._taken_over(document, twin, loader)
                self.tally.reused += 1
            else:
                passages = list(self._read(document, loader))
                self.tally.indexed += 1
        except (UnreadableDocument, OSError) as error:
            return self._leave_out(document, error)
        if twin is not None and self.writer.digest(document.id) != digest:
            self.tally.arrived[digest] += 1
        recaptioned = self.writer.put_captions(root.name, found.path, captions)
        words = found_by(passages[0][0], self.policy.clues)
        self.writer.put_document(document, digest=digest, loader=key, passages=passages, path_words=words)
        self.tally.passages.update(Counter(passage.kind for passage, _ in passages))
        self.uncommitted += len(passages)
        self._commit_when_due()
        return recaptioned

    def _leave_out(self, document: Document, error: UnreadableDocument | OSError) -> AbstractSet[str]:
        """Keeps the reason why a document could not be read; one that is gone since the walk is forgotten.

        What the system refused (permissions, a broken disk) is no property of the file: it is tried again in the next run.
        """
        root, path = document.id.root, document.id.path
        recaptioned = self.writer.put_captions(root, path, [])
        if not os.path.lexists(document.file):
            self.tally.removed += self.writer.remove(root, path)
            return recaptioned
        reason = error.what if isinstance(error, UnreadableDocument) else f"cannot be opened: {error.strerror}"
        self.tally.skipped.append(Skipped(document.id, reason))
        cause = error if isinstance(error, OSError) else error.__cause__
        refused = isinstance(cause, OSError) and cause.errno is not None
        self.writer.put_skipped(replace(document, stamp="") if refused else document, reason)
        self._commit_when_due()
        return recaptioned

    def _forget(self, root: Root, path: str) -> None:
        digest = self.writer.digest(DocumentId(root.name, path))
        if self.writer.remove(root.name, path):
            self.tally.removed += 1
            if digest is not None:
                self.tally.departed[digest] += 1
        self._commit_when_due()

    def _taken_over(self, document: Document, twin: TwinDocument, loader: Loader) -> list[tuple[Passage, bytes]]:
        """The passages of a document with the same bytes. A name may say that a picture is a screenshot, or be a title."""
        taken = [(replace(passage, document=document.id), key) for passage, key in twin.passages]
        if document.file.name == twin.id.path.rpartition("/")[2]:
            return taken
        fresh = {passage.ordinal: passage for passage in loader.split(document, self.policy.limits)}
        return [
            (replace(passage, kind=fresh[passage.ordinal].kind, context=fresh[passage.ordinal].context), key)
            for passage, key in taken
        ]

    def _captions(self, document: Document, loader: Loader) -> list[CaptionOf]:
        """What the document says of pictures below its root."""
        if "caption" not in self.policy.clues or not _shows_pictures(document.id.path):
            return []
        said = ((caption.target, caption.text) for caption in loader.captions(document, self.policy.limits))
        return [CaptionOf(composed(path), text) for path, text in said if _suffix(path) in PICTURE_SUFFIXES]

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
        if key in self.pending or key in self.refused or self.writer.known([key]):
            return
        self.pending[key] = content
        self.pending_bytes += sum(pixels.nbytes for pixels in content.pixels) + len(content.text)
        if len(self.pending) >= self.embedder.batch or self.pending_bytes > PENDING_BYTES:
            self.embed()

    def embed(self) -> None:
        """Asks the model for what waits."""
        if not self.pending:
            return
        keys, contents = list(self.pending), list(self.pending.values())
        self.pending, self.pending_bytes = {}, 0
        try:
            vectors = self.embedder.embed(contents, role="document")
        except ContentRefused as refusal:
            vectors = refusal.others
            refused = {keys[at]: reason for at, reason in refusal.reasons.items()}
            keys = [key for key in keys if key not in refused]
            self.refused |= refused
        self.writer.put_vectors(keys, vectors)
        self.tally.embedded += len(keys)

    def commit(self) -> None:
        """Asks the model for what waits, then makes everything finished so far durable."""
        self.embed()
        if self.refused:
            self._go_without(self.refused)
        self.writer.commit()
        self.committed, self.uncommitted = time.monotonic(), 0

    def _go_without(self, refused: Mapping[bytes, str]) -> None:
        """Reports the passages the model refuses; their documents are committed without them and tried again in the next run."""
        met: set[bytes] = set()
        for document, digest, lost, whole in self.writer.give_up_vectors(refused.keys()):
            self.tally.passages.subtract(Counter(passage.kind for passage, _ in lost))
            if not whole:
                reasons = [f"{place(passage.locator)}: {refused[key]}" for passage, key in lost]
                self.tally.skipped += [Skipped(document.id, reason.removeprefix(": ")) for reason in reasons]
                continue
            reason = refused[lost[0][1]]
            self.writer.put_skipped(replace(document, stamp=""), reason)
            self.tally.skipped.append(Skipped(document.id, reason))
            if digest in met:
                self.tally.reused -= 1
            else:
                self.tally.indexed -= 1
            met.add(digest)

    def _commit_when_due(self) -> None:
        if self.uncommitted > UNCOMMITTED or time.monotonic() - self.committed > self.commit_seconds:
            self.commit()


def _shows_pictures(path: str) -> bool:
    return _suffix(path) in CAPTION_SUFFIXES


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def choose_root(folder: Path, roots: dict[str, Path]) -> tuple[Target, bool]:
    """The target that `folder` means, and whether its root is new: inside a known root it is a part of that root.

    A single file makes its folder the root. Names are the folder's own, numbered where taken.
    """
    real = folder.resolve()
    inside = [name for name, known in roots.items() if real == known or known in real.parents]
    if inside:
        name = max(inside, key=lambda one: len(roots[one].parts))  # the innermost
        under = real.relative_to(roots[name]).as_posix()
        return Target(Root(name, roots[name]), "" if under == "." else under), False
    base, under = (real, "") if real.is_dir() else (real.parent, real.name)
    stem = base.name or "root"
    name = next(name for number in range(len(roots) + 1) if (name := stem if not number else f"{stem}-{number + 1}") not in roots)
    return Target(Root(name, base), under), True


def without_repeats(targets: Sequence[Target]) -> list[Target]:
    """Without targets that lie in another one of the same root, so that no document is looked at twice."""
    kept: list[Target] = []
    for target in sorted(dict.fromkeys(targets), key=lambda one: len(one.under)):
        if not any(other.root == target.root and _covers(other, target.root.folder / target.under) for other in kept):
            kept.append(target)
    return [target for target in dict.fromkeys(targets) if target in kept]


def absorb_roots(writer: Writer, targets: Sequence[Target]) -> None:
    """Removes the roots that lie in a target and whose documents now belong to the root of that target.

    One of which the outer root holds nothing (an absent disk, a folder that its ignore rules leave out) stays.
    """
    roots = writer.roots()
    for name, known in list(roots.items()):
        for outer in (target for target in targets if target.root.name in roots.keys() - {name} and _covers(target, known)):
            under = known.relative_to(outer.root.folder).as_posix()
            if next(writer.stamps(outer.root.name, under), None) is not None:
                writer.remove_root(name)
                del roots[name]
                break


def _covers(target: Target, folder: Path) -> bool:
    return folder.is_relative_to(target.root.folder / target.under)
