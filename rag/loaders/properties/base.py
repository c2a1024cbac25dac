"""The properties of a document, merged from all places that state them, and put into its passages.

Knows no format: `exif.py`, `xmp.py`, `iptc.py`, `sidecars.py`, `document.py` and `video.py` read them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from rag.loaders.properties.names import date_in_name
from rag.types import Passage

_MAX_VALUE = 2_000  # characters of a description
_MAX_CAPTION = 5_000  # characters of all words together
_MAX_LISTED = 100  # keywords, people or places
_LETTERS = re.compile(r"[^\W\d_]{2}")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\u200b\ufffc\ufffd]")
# What cameras and programs write where a person could: it describes no picture.
_MACHINES = re.compile(
    r"(?i)olympus digital camera|sony dsc|(konica )?minolta( digital)? camera|samsung( digital camera)?|digital ?still ?camera|"
    r"kodak digital still camera|digimax.*|dcim\\.*|exif_jpeg_picture|exif-jpeg.*|jpeg image|hdr|default|untitled|screenshot|"
    r"created with (the )?gimp.*|creator: gd-jpeg.*|(file written by )?adobe photoshop.*|processed (by ebay|with vsco).*|"
    r"lead technologies.*|intel\(r\) jpeg.*|handmade software.*|optimized by .*|image description|user comments?|charset=.*|"
    r"ascii|unicode|\(?(unspecified|anonymous)\)?|generated (by|using) python-(docx|pptx)"
)


@dataclass(frozen=True, slots=True)
class Properties:
    """What a file says of itself; empty fields where it says nothing."""

    title: str = ""
    description: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    rating: int = 0  # 1 to 5
    dated: float | None = None  # seconds since the epoch
    location: tuple[float, float] | None = None  # latitude and longitude in degrees

    def beside(self, other: Properties) -> Properties:
        """Both together: of what can only be one, this one's."""
        return Properties(
            title=self.title or other.title,
            description=joined(self.description, other.description, (other.title,) if self.title else ()),
            keywords=joined(self.keywords, other.keywords),
            people=joined(self.people, other.people),
            places=joined(self.places, other.places),
            authors=joined(self.authors, other.authors),
            rating=self.rating or other.rating,
            dated=other.dated if self.dated is None else self.dated,
            location=self.location or other.location,
        )

    @property
    def about(self) -> str:
        """Who made it, and how it is rated: `by Ann Example, rated 4 of 5 stars`."""
        by = f"by {', '.join(self.authors)}" if self.authors else ""
        return ", ".join(filter(None, (by, f"rated {self.rating} of 5 stars" if self.rating else "")))

    @property
    def words(self) -> str:
        """What describes the content, a line each."""
        lists = (", ".join(each) for each in (self.keywords, self.people, self.places))
        return "\n".join(joined(self.description, lists))[:_MAX_CAPTION]


def with_properties(passages: Iterable[Passage], properties: Properties) -> Iterator[Passage]:
    """The passages of one document with its date, its coordinates and who made it; what describes it stands with the first.

    The date is that of the properties, else the one that a passage has already, else the one in the name of the file. A title
    that the loader found stays.
    """
    dates: dict[str, float | None] = {}  # in names, by path: of one document there is one
    for passage in passages:
        date = passage.taken if properties.dated is None else properties.dated
        if date is None:
            path = passage.document.path
            date = dates[path] if path in dates else dates.setdefault(path, date_in_name(PurePosixPath(path).name))
        if date is None and properties == NOTHING:
            yield passage
            continue
        own = passage.context
        context = replace(
            own,
            title=own.title or properties.title,
            about=properties.about or own.about,
            location=properties.location or own.location,
        )
        caption = passage.caption if passage.ordinal else _described(passage.caption, properties.words)
        yield replace(passage, caption=caption, context=context, taken=date)


def _described(caption: str, words: str) -> str:
    """A caption, and the lines of `words` that it does not hold already."""
    known = caption.casefold()
    return "\n".join(filter(None, (caption, *(line for line in words.split("\n") if line.casefold() not in known))))


NOTHING = Properties()


def said(value: object) -> str:
    """A written value as one line of plain text; "" where it holds no words, or words of a camera or a program alone."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text[: 2 * _MAX_VALUE])).split())[:_MAX_VALUE]
    if not _LETTERS.search(text) and not _is_spaceless(text):
        return ""
    return "" if text.startswith(("{", "[{", "<")) or _MACHINES.fullmatch(text) else text


def listed(values: Iterable[object]) -> tuple[str, ...]:
    """Written values without repeats and empty ones."""
    return joined(map(said, values))


def coordinates(latitude: float, longitude: float) -> tuple[float, float] | None:
    """A place on earth; None for what is none, and for 0, 0, which is written where nothing is known."""
    if not (math.isfinite(latitude) and math.isfinite(longitude)) or (latitude == 0 and longitude == 0):
        return None
    return (round(latitude, 7), round(longitude, 7)) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _is_spaceless(text: str) -> bool:
    """Whether there is a letter of a script in which one may be a word."""
    return any(ord(character) > 0x2E7F and character.isalpha() for character in text)


def joined(*groups: Iterable[str]) -> tuple[str, ...]:
    """All texts in order, each once whatever its case."""
    kept: dict[str, str] = {}
    for text in (text for group in groups for text in group):
        if text and len(kept) < _MAX_LISTED:
            kept.setdefault(text.casefold(), text)
    return tuple(kept.values())
