"""vCards and calendars (.vcf, .ics) as readable fields: who, where, when; each card and each event under its own name.

Knows content lines (RFC 6350, RFC 5545 and vCard 2.1); calculates no repetition. A parser of our own: vobject 0.9 and icalendar 6
refuse the damaged and half-old files that telephones export.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from rag.humanize import counted
from rag.loaders.text.chunking import Heading, Rendering

SUFFIXES = frozenset({".vcf", ".vcard", ".ics", ".ical", ".ifb"})

_MAX_LINE = 200_000  # characters of a content line, unfolded: an inline photograph is cut
_NAME = re.compile(
    r"(?:[\w-]{1,40}\.)?([A-Za-z][\w-]{0,60})((?:;[^:;\"]{0,200}(?:\"[^\"]{0,500}\"[^:;\"]{0,200}){0,8}){0,20}):", re.DOTALL
)
_ESCAPED = re.compile(r"\\([nN,;:\\])")
_STRUCTURED = frozenset({"N", "ADR", "ORG"})
_OBJECTS = {"VCARD": "", "VEVENT": "Event", "VTODO": "Task", "VJOURNAL": "Journal"}
_LABELS = {
    "N": "Name", "FN": "Name", "NICKNAME": "Nickname", "ORG": "Organization", "TITLE": "Title", "ROLE": "Role", "TEL": "Phone",
    "EMAIL": "Email", "ADR": "Address", "LABEL": "Address", "BDAY": "Birthday", "ANNIVERSARY": "Anniversary", "NOTE": "Note",
    "URL": "Web", "CATEGORIES": "Categories", "IMPP": "Messenger", "X-SKYPE": "Skype", "RELATED": "Related", "LANG": "Language",
    "GENDER": "Gender", "SUMMARY": "Summary", "DTSTART": "Begins", "DTEND": "Ends", "DUE": "Due", "DURATION": "Lasts",
    "LOCATION": "Place", "ORGANIZER": "Organizer", "ATTENDEE": "Attendee", "CONTACT": "Contact", "DESCRIPTION": "Description",
    "COMMENT": "Comment", "STATUS": "Status", "PRIORITY": "Priority", "RRULE": "Repeats", "COMPLETED": "Completed",
    "RESOURCES": "Resources", "GEO": "Coordinates", "ATTACH": "Attachment", "X-ABRELATEDNAMES": "Related",
    "X-ALT-DESC": "Description",
}  # fmt: skip
_INLINE = frozenset({"PHOTO", "LOGO", "SOUND", "KEY", "ATTACH"})  # often packed bytes
_SPOKEN_OF = frozenset({"ORGANIZER", "ATTENDEE"})  # addresses with a name in a parameter
_TYPES = re.compile(r"(?:^|;)(?:TYPE=)?\"?([\w,-]+)\"?(?=;|$)", re.IGNORECASE)
_NO_KIND = frozenset({"PREF", "INTERNET", "VOICE", "OTHER", "UTF-8", "QUOTED-PRINTABLE", "X400"})
_MOMENT = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{2}):?(\d{2})(?::?(\d{2}))?(Z|[+-]\d{2}:?\d{2})?)?")
_TIMES = frozenset({"DTSTART", "DTEND", "DUE", "COMPLETED", "BDAY", "ANNIVERSARY"})


class _Field(NamedTuple):
    name: str  # in upper case, without its group
    parameters: str
    value: str


def rendered(text: str) -> tuple[Rendering, list[str]]:
    """The cards and events of a file, each a block under its name, no text where there is none; and what in them is not read."""
    written: list[str] = []
    headings: list[Heading] = []
    length = 0
    title = ""
    inside: Counter[str] = Counter()
    for kind, fields in _objects(text):
        if kind in ("VCALENDAR", ""):
            title = title or next((field.value for field in fields if field.name == "X-WR-CALNAME"), "")
            continue
        lines = [*dict.fromkeys(line for field in fields for line in _shown(field, kind))]
        inside.update(field.name.lower() for field in fields if field.name in _INLINE and not field.value)
        name = next((field.value for wanted in ("FN", "SUMMARY", "ORG", "N") for field in fields if field.name == wanted), "")
        if not lines:
            continue
        block = "\n".join(([f"{_OBJECTS[kind]}: {name}"] if _OBJECTS[kind] and name else []) + lines) + "\n\n"
        headings.append(Heading(length, 1, " ".join(_parts(name)), lines=0))
        written.append(block)
        length += len(block)
    reasons = [f"{counted(count, what)} inside cards or events: such data is not read" for what, count in inside.items()]
    return Rendering("".join(written), tuple(headings), title), reasons


def _objects(text: str) -> Iterator[tuple[str, list[_Field]]]:
    """(kind, its fields) of every card and event; what is inside an alarm or a time zone belongs to none. A cut one counts."""
    open_objects: list[tuple[str, list[_Field]]] = []
    for field in _fields(text):
        if field.name == "BEGIN":
            if len(open_objects) < 20:
                open_objects.append((field.value.strip().upper(), []))
        elif field.name == "END":
            if open_objects:
                kind, fields = open_objects.pop()
                if kind in _OBJECTS or kind == "VCALENDAR":
                    yield kind, fields
        elif open_objects:
            open_objects[-1][1].append(field)
    for kind, fields in open_objects:
        if kind in _OBJECTS:
            yield kind, fields


def _fields(text: str) -> Iterator[_Field]:
    for line in _unfolded(text):
        mark = _NAME.match(line)
        if mark:
            name, parameters = mark[1].upper(), mark[2].lstrip(";")
            yield _Field(name, parameters, _decoded(name, parameters, line[mark.end() :]))


def _unfolded(text: str) -> Iterator[str]:
    """Content lines: one that begins with white space goes on the one before, and so does what follows a soft break."""
    held: list[str] = []
    size = 0
    for line in text.split("\n"):
        goes_on = held and (line[:1] in (" ", "\t") or (held[-1].endswith("=") and "QUOTED-PRINTABLE" in held[0][:200].upper()))
        if not goes_on:
            if held:
                yield "".join(held)
            held, size = [line], len(line)
            continue
        if line[:1] in (" ", "\t"):
            line = line[1:]
        else:
            held[-1] = held[-1][:-1]
        if size < _MAX_LINE:
            held.append(line)
            size += len(line)
    if held:
        yield "".join(held)


def _decoded(name: str, parameters: str, value: str) -> str:
    written = parameters.upper()
    if name in _INLINE:
        is_address = re.match(r"\s*(?:https?|ftp|file|cid|mailto):", value, re.IGNORECASE)
        return value.strip() if is_address else ""
    if "QUOTED-PRINTABLE" in written:
        value = _in_charset(quopri.decodestring(value.encode("utf-8", "replace")), parameters)
    elif re.search(r"(?:^|;|=)(?:BASE64|B)(?:;|$)", written):
        with suppress(binascii.Error, ValueError):
            value = _in_charset(base64.b64decode("".join(value.split()), validate=True), parameters)
    if name in _STRUCTURED:
        return value  # its parts are told apart before they are unescaped
    return _unescaped(value)


def _in_charset(raw: bytes, parameters: str) -> str:
    named = re.search(r"CHARSET=\"?([\w-]{1,30})", parameters, re.IGNORECASE)
    for charset in (named[1] if named else "utf-8", "utf-8"):
        with suppress(LookupError, UnicodeDecodeError):
            return raw.decode(charset)
    return raw.decode("latin-1") if raw.isascii() or len(raw) < 1_000 else ""


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda mark: "\n" if mark[1] in "nN" else mark[1], value).replace("\r\n", "\n").strip()


def _parts(value: str) -> list[str]:
    """The parts of a structured value: `Lovelace;Ada;;;`."""
    return [part for one in re.split(r"(?<!\\);", value) if (part := _unescaped(one))]


def _shown(field: _Field, kind: str) -> Iterator[str]:
    label = _LABELS.get(field.name, "")
    if not label or (field.name in ("SUMMARY",) and kind != "VCARD") or not field.value:
        return
    value = field.value
    if field.name == "N":
        family_first = _parts(value)
        value = " ".join([*family_first[1:2], *family_first[2:], *family_first[:1]])
    elif field.name in _STRUCTURED:
        value = ", ".join(_parts(value))
    elif field.name in _TIMES:
        value = _moment(value, field.parameters)
    elif field.name in _SPOKEN_OF:
        said = re.search(r"(?:^|;)CN=\"?([^\";]{1,200})", field.parameters, re.IGNORECASE)
        value = " ".join(filter(None, (said[1] if said else "", re.sub(r"^mailto:", "", value, flags=re.IGNORECASE))))
    elif field.name == "RRULE":
        value = value.replace("FREQ=", "").replace(";", ", ").replace("=", " ").lower()
    elif field.name == "X-ALT-DESC":
        value = re.sub(r"<[^<>]{0,500}>", " ", value)
    value = value.strip()
    if value:
        yield f"{label}{_kind_of(field)}: {value}"


def _kind_of(field: _Field) -> str:
    """` (home)` for an address or a number of that kind."""
    if field.name not in ("TEL", "EMAIL", "ADR", "IMPP", "URL", "LABEL"):
        return ""
    types = [one for part in _TYPES.findall(field.parameters) for one in part.split(",")]
    shown = [one.lower() for one in types if one.upper() not in _NO_KIND]
    return f" ({', '.join(dict.fromkeys(shown))})" if shown else ""


def _moment(value: str, parameters: str) -> str:
    mark = _MOMENT.match(value)
    if not mark:
        return value
    zone = re.search(r"TZID=\"?([^\";:]{1,80})", parameters, re.IGNORECASE)
    clock = f" {mark[4]}:{mark[5]}" if mark[4] else ""
    return (
        f"{mark[1]}-{mark[2]}-{mark[3]}{clock}" + (" UTC" if mark[7] == "Z" else "") + (f" {zone[1]}" if zone and clock else "")
    )
