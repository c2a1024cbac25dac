"""Reads the XMP packet of a picture, or the `.xmp` file beside it.

Knows XMP (ISO 16684-1) and the schemas that photo programs write; resolves no entity and opens nothing. Nothing is raised.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rag.loaders.properties.base import Properties, coordinates, listed, said
from rag.loaders.properties.dates import date_of

_MAX_BYTES = 2_000_000
_DECLARATION = re.compile(rb"<\0?!\0?(D\0?O\0?C|E\0?N\0?T)")
_MAX_VALUES = 5_000  # of all fields together
_REGIONS = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
# Fields by their local names, which are the same in every schema that has them.
_DATES = ("DateTimeOriginal", "DateTimeDigitized", "DateCreated", "CreateDate")
_PLACES = (("Location", "Sublocation"), ("City",), ("State", "ProvinceState"), ("Country", "CountryName"))
_DEGREES = re.compile(r"\s*(\d{1,3})[,\s]\s*(\d{1,2}(?:\.\d+)?)(?:[,\s]\s*(\d{1,2}(?:\.\d+)?))?\s*([NSEW])\s*", re.IGNORECASE)


def read_xmp(packet: object) -> Properties:
    """What a packet says; nothing for one that is no XML, is too large, or declares a document type."""
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    if not isinstance(packet, bytes) or len(packet) > _MAX_BYTES or _DECLARATION.search(packet):
        return Properties()
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        tree = etree.fromstring(packet.strip(b"\0 \t\r\n"), parser)
    except (etree.LxmlError, ValueError):
        return Properties()
    fields = _fields(tree) if tree is not None else {}
    places = [next((value for name in names for value in fields.get(name, ())), "") for names in _PLACES]
    return Properties(
        title=said("".join(fields.get("title", ())[:1])),
        description=listed((*fields.get("title", ())[1:], *_of(fields, "Headline", "description", "UserComment"))),
        keywords=listed((*fields.get("subject", ()), *_leaves(_of(fields, "hierarchicalSubject", "TagsList", "LastKeywordXMP")))),
        people=listed((*_of(fields, "PersonInImage", "PersonDisplayName"), *fields.get("face", ()))),
        places=listed((", ".join(dict.fromkeys(filter(None, map(said, places)))),)),
        authors=listed(_of(fields, "creator", "Artist")),
        rating=_rating(fields),
        dated=next((date for name in _DATES for value in fields.get(name, ()) if (date := date_of(value)) is not None), None),
        location=_location(fields),
    )


def _fields(tree: Any) -> Mapping[str, list[str]]:
    """Values by the local name of their field, in order; `face` holds the names of the faces that are marked."""
    found: dict[str, list[str]] = defaultdict(list)
    count = 0
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        values = [(name, value) for name, value in element.attrib.items() if not name.startswith(_RDF)]
        if not len(element) and element.text:
            owner = element
            while owner is not None and owner.tag.startswith(_RDF):  # an item of a list
                owner = owner.getparent()
            values.append((owner.tag if owner is not None else "", element.text))
        for tag, value in values:
            name = "face" if tag == f"{_REGIONS}Name" else tag.rpartition("}")[2]
            found[name].append(value)
        count += len(values)
        if count > _MAX_VALUES:
            break
    return found


def _of(fields: Mapping[str, Sequence[str]], *names: str) -> list[str]:
    return [value for name in names for value in fields.get(name, ())]


def _leaves(paths: Sequence[str]) -> list[str]:
    """`People|Ann` and `People/Ann` are said by their last part, as flat keywords are."""
    return [re.split(r"[|/]", path)[-1] for path in paths]


def _rating(fields: Mapping[str, Sequence[str]]) -> int:
    from rag.loaders.properties.exif import rating_of

    return next((stars for value in fields.get("Rating", ()) if (stars := rating_of(value))), 0)


def _location(fields: Mapping[str, Sequence[str]]) -> tuple[float, float] | None:
    latitude, longitude = (_degrees("".join(fields.get(name, ())[:1])) for name in ("GPSLatitude", "GPSLongitude"))
    return None if latitude is None or longitude is None else coordinates(latitude, longitude)


def _degrees(written: str) -> float | None:
    """`52,30.98N` or `52,30,58S`; some programs write `52.5163`."""
    if match := _DEGREES.fullmatch(written):
        degrees = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
        return -degrees if match[4].upper() in "SW" else degrees
    try:
        return float(written)
    except ValueError:
        return None
