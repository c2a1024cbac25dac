"""What changed below a target since the last run, and which documents say something of pictures.

Knows the walk and the stamps of the index; opens no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import PurePosixPath
from typing import Protocol

from rag.corpus import Blocked, Change, Found, Gone, Ignored, compare, composed, walk
from rag.reports import Tally
from rag.suffixes import CAPTION_SUFFIXES, PICTURE_SUFFIXES, VIDEO_SUFFIXES
from rag.targets import Target
from rag.types import CaptionOf, DocumentId, Kind, Skipped

_KINDS: dict[str, frozenset[Kind]] = {  # by loader; the others give text
    "picture": frozenset({"image", "screenshot"}),
    "pdf": frozenset({"page"}),
    "video": frozenset({"frame"}),
}


class Stamps(Protocol):
    """What is known of the files: a `Writer`, or an index that is only looked at."""

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]: ...


def look(target: Target, known: Stamps, tally: Tally, kinds: frozenset[Kind]) -> tuple[list[Found], list[str]]:
    """What is new or changed below a target, and which documents are gone; an empty root is not believed.

    With `kinds`, documents whose names say that they give no passage of these are left as they are.
    """
    root, under = target
    changed: list[Found] = []
    gone: list[str] = []
    present = 0
    for seen in compare(walk(root, under), known.stamps(root.name, under)):
        match seen:
            case None:
                tally.unchanged += 1
                present += 1
            case Change(found):
                present += 1
                if is_asked_for(found.path, kinds):
                    changed.append(found)
                else:
                    tally.ignored["of a kind not asked for"] += 1
            case Gone(path):
                gone.append(path)
            case Ignored(_, reason):
                tally.ignored[reason] += 1
            case Blocked(path, reason):
                tally.skipped.append(Skipped(DocumentId(root.name, path), reason))
    if gone and not present and not under:
        tally.notes.append(
            f"{root.folder} is empty, and the index holds {len(gone)} documents of it: they are kept. "
            f"If they are gone for good: rag rm {root.folder}"
        )
        gone = []
    return changed, gone


def shown_anew(target: Target, recaptioned: AbstractSet[str], kinds: frozenset[Kind]) -> list[Found]:
    """Unchanged pictures below the target of which other documents say something else now."""
    if not recaptioned:
        return []
    pictures = (seen for seen in walk(*target) if isinstance(seen, Found) and is_asked_for(seen.path, kinds))
    return [seen for seen in pictures if composed(seen.path) in recaptioned]


def is_asked_for(path: str, kinds: frozenset[Kind]) -> bool:
    """Whether a document of that name may give a passage of one of the kinds; without any, all are asked for."""
    return not kinds or not kinds.isdisjoint(kinds_of(path))


def kinds_of(path: str) -> frozenset[Kind]:
    """The kinds of passages a document of that name gives; whether a picture shows a screen is known only when it was read."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return _KINDS["picture"]
    if suffix == ".pdf":
        return _KINDS["pdf"]
    return _KINDS["video"] if suffix in VIDEO_SUFFIXES else frozenset({"text"})


def gives(loader: str, kinds: frozenset[Kind]) -> bool:
    """Whether a loader of that name may give a passage of one of the kinds; of one that is a stranger's it is not known."""
    return not kinds or ":" in loader or not kinds.isdisjoint(_KINDS.get(loader, {"text"}))


def shows_pictures(path: str) -> bool:
    """Whether a document of that name may say something of pictures."""
    return PurePosixPath(path).suffix.lower() in CAPTION_SUFFIXES


def of_pictures(captions: Sequence[CaptionOf]) -> list[CaptionOf]:
    """What is said of files that are pictures by their names."""
    said = ((composed(one.target), one.text) for one in captions)
    return [CaptionOf(path, text) for path, text in said if PurePosixPath(path).suffix.lower() in PICTURE_SUFFIXES]
