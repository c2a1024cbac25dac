"""Goes through the files inside a document, at all depths, in order, each open in memory while it is its turn.

Knows who lists the parts of a document; knows no passages. The same document gives the same files under the same paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import UnreadableDocument
from rag.loaders.detect import loader_name
from rag.loaders.inside import HOLDERS
from rag.loaders.inside.base import Names, Part, is_hidden
from rag.loaders.inside.memory import Room, held, room_for
from rag.loaders.unpacked import unpacked
from rag.plugins import resolve
from rag.types import Document, DocumentId

if TYPE_CHECKING:
    from rag.loaders.base import Limits

Lister = Callable[[Document, "Limits"], Iterator[Part]]
_MOST_NAMED = 5  # of the files that are not read for one reason
_TOO_LITTLE = "needs more memory than a reader is given (--max-memory)"
_SAYS_NOTHING = "archive"  # the loader whose documents have no passages of their own
_HIDDEN = "hidden, as files in a folder whose names begin with a dot"


@dataclass(frozen=True, slots=True)
class Found:
    """A file inside a document: open until the next is asked for; or the reason why some are not read."""

    inner: str  # its path inside the document
    document: Document  # under the path of the whole and its own; where it is not read, of what holds it
    loader: str = ""
    part: Part | None = None
    reason: str = ""


def walk(document: Document, loader: str, limits: Limits, wanted: Callable[[str], bool] | None = None) -> Iterator[Found]:
    """All files inside a document, what a file holds after itself; then the reasons for what is not read.

    Only those are opened of which `wanted` says that they, or what they hold, are. Nothing is raised.
    """
    if limits.max_depth:
        yield from _Walk(document, room_for(limits), limits, wanted or (lambda _: True)).below(document, loader, "", 1)


@dataclass(frozen=True, slots=True)
class _Walk:
    whole: Document
    room: Room
    limits: Limits
    wanted: Callable[[str], bool]

    def below(self, holder: Document, loader: str, prefix: str, depth: int) -> Iterator[Found]:
        unread: dict[str, list[str]] = {}  # names by reason
        names = Names()
        begun = False
        try:
            for part in _parts(holder, loader, self.limits):
                begun = True
                name = names.take(part.name)
                yield from self._found(part, prefix + name, depth, unread)
                if self.room.members < 0:
                    break
        except UnreadableDocument as error:
            if not begun and loader != _SAYS_NOTHING:
                pass  # its own loader tells the same damage
            elif not begun and not prefix:
                yield Found("…", holder, reason=error.what)
            else:
                unread.setdefault(f"what follows {error.what}" if begun else error.what, []).append(prefix.rstrip("/"))
        except OSError as error:
            yield Found("…", holder, reason=f"cannot be opened: {error.strerror}")
        except MemoryError:
            unread.setdefault(f"what follows {_TOO_LITTLE}", []).append(prefix.rstrip("/"))
        for reason, named in unread.items():
            yield Found(named[0] or f"{prefix}…", holder, reason=_told(reason, named))

    def _found(self, part: Part, inner: str, depth: int, unread: dict[str, list[str]]) -> Iterator[Found]:
        self.room.members -= 1
        if self.room.members < 0:
            unread.setdefault(f"and what follows are beyond the limit max_members = {self.limits.max_members:,}", []).append(
                inner
            )
        elif is_hidden(inner):
            unread.setdefault(_HIDDEN, []).append(inner)
        elif part.opened is None:
            unread.setdefault(part.reason, []).append(inner)
        elif self.room.unpacked < 0:  # before it is opened: some formats unpack a part as a whole
            unread.setdefault(self.room.exhausted, []).append(inner)
        elif self.wanted(inner):
            try:
                name = inner.rpartition("/")[2]
                with part.opened() as stream, held(stream, self.room, name) as kept, unpacked(kept, self.limits) as file:
                    member = Document(DocumentId(self.whole.id.root, f"{self.whole.id.path}/{inner}"), file)
                    loader = loader_name(file, self.limits)
                    yield Found(inner, member, loader, part)
                    if loader in HOLDERS:
                        yield from self._deeper(member, loader, inner, depth, unread)
            except UnreadableDocument as error:
                unread.setdefault(error.what, []).append(inner)
            except MemoryError:
                unread.setdefault(_TOO_LITTLE, []).append(inner)

    def _deeper(self, member: Document, loader: str, inner: str, depth: int, unread: dict[str, list[str]]) -> Iterator[Found]:
        if depth < self.limits.max_depth:
            yield from self.below(member, loader, f"{inner}/", depth + 1)
            return
        if any(True for _ in _parts(member, loader, self.limits)):
            reason = f"holds files that are nested too deeply; the limit is max_depth = {self.limits.max_depth}"
            unread.setdefault(reason, []).append(inner)


def _parts(holder: Document, loader: str, limits: Limits) -> Iterator[Part]:
    lister: Lister = resolve(HOLDERS, loader, "holder")
    return lister(holder, limits)


def _told(reason: str, named: list[str]) -> str:
    """`inside it: a.exe, b.exe and 7 more: .exe is not a format this program reads`."""
    names = ", ".join(filter(None, named[:_MOST_NAMED]))
    more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    return f"inside it: {names}{more}{': ' if names else ''}{reason}"
