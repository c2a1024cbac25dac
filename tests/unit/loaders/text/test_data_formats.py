"""JSON, cards, calendars, tables, logs and packed code: what a reader finds of them, and what is reported instead."""

from __future__ import annotations

import base64
import json
import random
import time

import pytest

from rag.errors import UnreadableDocument
from rag.loaders import LOADERS
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name
from rag.loaders.text import cards, delimited, json_text
from rag.plugins import resolve
from rag.types import Document, DocumentId, Lines, Passage, Skipped


@pytest.fixture
def split(tmp_path):
    def passages(name: str, content: str | bytes, limits: Limits | None = None) -> list[Passage]:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        limits = limits or Limits()
        document = Document(DocumentId("docs", name), file)
        return list(resolve(LOADERS, loader_name(file, limits), "loader")().split(document, limits))

    return passages


# ---- JSON ---------------------------------------------------------------------------------------


def test_json_is_a_line_for_each_value_with_the_path_of_its_keys(split):
    value = {
        "title": "Crew",
        "boat": {"name": "Mårten", "built": 1931, "sold": False, "owner": None},
        "tags": ["salt", "spruce"],
        "people": [{"name": "Ada", "say": "one\ntwo"}, {"name": "Bo"}],
    }
    (passage,) = split("a.json", json.dumps(value))  # every letter beyond ASCII is escaped
    assert passage.text == (
        "title: Crew\nboat.name: Mårten\nboat.built: 1931\nboat.sold: false\ntags: salt, spruce\n"
        "people.name: Ada\npeople.say: one\ntwo\n\npeople.name: Bo"
    )
    assert passage.context.title == "Crew"


def test_what_nobody_reads_is_left_out(split):
    packed = base64.b64encode(bytes(range(256)) * 4).decode()
    value = {"vector": [5] * 700, "picture": packed, "log": "\x1b[31mred\x1b[0m", "half": "\ud83d!"}
    numbers, _, rest = split("a.json", json.dumps(value))[0].text.partition("\npicture")
    assert numbers == f"vector: {', '.join(['5'] * 64)}, … (700 numbers)"
    assert rest == ": (packed data, 1,368 characters)\nlog: red\nhalf: �!"


def test_letters_that_an_export_decoded_twice_are_right_again(split):
    assert split("a.json", json.dumps({"name": "Zoë".encode().decode("latin-1")}))[0].text == "name: Zoë"
    assert split("a.json", json.dumps({"name": "Ã Â naïve"}))[0].text == "name: Ã Â naïve"


def test_json_lines_keep_their_lines(split):
    lines = ['{"at": "10:00", "who": {"name": "Zo\\u00eb"}}', "", "not json \\u00e9", '{"at": "10:01", "words": "a\\nb"}']
    for name in ("a.jsonl", "a.ndjson"):
        (passage,) = split(name, "\n".join(lines))
        assert passage.text == "at: 10:00 · who.name: Zoë\n\nnot json é\nat: 10:01 · words: a b"
        assert passage.locator == Lines(1, 4)


@pytest.mark.parametrize("name", ["a.log", "a.txt", "a.json", "service"])
def test_json_lines_are_told_by_their_shape(split, name):
    text = "".join(json.dumps({"level": "info", "msg": f"Straße {n}"}) + "\n" for n in range(8))
    assert split(name, text)[0].text.startswith("level: info · msg: Straße 0\nlevel: info")


def test_what_is_no_json_is_read_as_it_is_written(split):
    assert (
        split("a.json", '// settings\n{"name": "Z\\u00f6\\ud83d\\ude00 \\u0022",}')[0].text
        == '// settings\n{"name": "Zö😀 \\u0022",}'
    )
    assert split("a.json", "[" * 100_000)[0].text.startswith("[[[")


def test_json_beyond_the_bounds_is_still_text(split, monkeypatch):
    monkeypatch.setattr(json_text, "_MAX_VALUES", 10)
    assert split("a.json", json.dumps({"k": ["é"] * 50}))[0].text.startswith('{"k": ["é", "é"')


def test_deep_and_wide_keys_are_bounded(split):
    value: object = "end"
    for _ in range(300):
        value = {"k" * 50: value}
    (passage,) = split("a.json", json.dumps(value))
    assert passage.text.endswith(": (nested more than 100 deep)") and len(passage.text) < 300


# ---- cards and calendars --------------------------------------------------------------------------

CARD = """BEGIN:VCARD
VERSION:3.0
N:Lovelace;Ada;King;;
FN:Ada Lovelace
item1.TEL;TYPE=CELL,VOICE:+44 20 7946 0000
EMAIL;TYPE=INTERNET;TYPE=HOME:ada@example.org
ADR;TYPE=WORK:;;12 St James's Square;London;;SW1Y;UK
BDAY:18151210
NOTE:Likes\\, above all\\, the
  loom.\\nAnd ribbons.
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQ
 AAAQABAAD
END:VCARD
"""
OLD_CARD = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BC=
rgen
NOTE;ENCODING=QUOTED-PRINTABLE:k=E4se
TITLE;ENCODING=BASE64;CHARSET=UTF-8:S2Fww6lnYXJkZQ==
TEL;HOME:123
"""
CALENDAR = """BEGIN:VCALENDAR
X-WR-CALNAME:Rowing
BEGIN:VTIMEZONE
TZID:Europe/Riga
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:Regatta
DTSTART;TZID=Europe/Riga:20250614T093000
DTEND:20250614T120000Z
ORGANIZER;CN="Bo, the cox":mailto:bo@example.org
LOCATION:Lake pavilion
RRULE:FREQ=YEARLY;BYMONTH=6
DESCRIPTION:Bring the spare oar
 lock.
BEGIN:VALARM
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def test_a_card_is_its_fields(split):
    passage, photo = split("a.vcf", CARD.replace("\n", "\r\n"))
    assert passage.context.heading == "Ada Lovelace"
    assert passage.text == (
        "Name: Ada King Lovelace\nName: Ada Lovelace\nPhone (cell): +44 20 7946 0000\nEmail (home): ada@example.org\n"
        "Address (work): 12 St James's Square, London, SW1Y, UK\nBirthday: 1815-12-10\n"
        "Note: Likes, above all, the loom.\nAnd ribbons."
    )
    (read,) = resolve(LOADERS, "text", "loader")().read(None, [photo], Limits())
    assert isinstance(read, Skipped) and read.reason == "1 photo inside cards or events: such data is not read"


def test_old_cards_with_packed_values_even_where_the_end_is_missing(split):
    (passage,) = split("a.vcf", OLD_CARD)
    assert passage.text == "Name: Jürgen Müller\nNote: käse\nTitle: Kapégarde\nPhone (home): 123"


def test_events_with_people_places_and_times(split):
    (passage,) = split("a.ics", CALENDAR)
    assert (passage.context.title, passage.context.heading) == ("Rowing", "Regatta")
    assert passage.text == (
        "Event: Regatta\nBegins: 2025-06-14 09:30 Europe/Riga\nEnds: 2025-06-14 12:00 UTC\n"
        "Organizer: Bo, the cox bo@example.org\n"
        "Place: Lake pavilion\nRepeats: yearly, bymonth 6\nDescription: Bring the spare oarlock."
    )


def test_each_card_is_a_passage_under_its_name(split):
    found = split("all.vcf", CARD.replace("PHOTO", "X-PHOTO") + OLD_CARD)
    assert [passage.context.heading for passage in found] == ["Ada Lovelace", "Müller Jürgen"]


def test_a_file_without_cards_is_plain_text(split):
    assert split("a.vcf", "no card at all")[0].text == "no card at all"


# ---- tables -------------------------------------------------------------------------------------

WIDE = Limits(passage_characters=200)


def test_rows_stand_below_their_header_at_their_lines(split):
    rows = "".join(f'{n},"ship {n}, of\nOslo",{n * 3}\n' for n in range(20))
    found = split("a.csv", "number,name,tons\n" + rows, WIDE)
    assert found[0].text.startswith("number | name | tons\n0 | ship 0, of Oslo | 0\n1 | ship 1, of Oslo | 3\n")
    assert found[0].locator == Lines(2, 2 + 2 * found[0].text.count("ship") - 1)
    assert all(one.text.startswith("number | name | tons\n") for one in found)
    assert found[-1].locator.end == 41
    assert "".join(one.text for one in found).count("ship ") == 20


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("a.csv", "Name;Preis\nApfel;1,50\nBirne;2,25\n", "Name | Preis\nApfel | 1,50"),
        ("a.tsv", "name\tsize\nhull\t12\n", "name | size\nhull | 12"),
        ("a.csv", "sep=|\nname|size\nhull|12\n", "name | size\nhull | 12"),
        ("a.csv", "1,2\n3,4\n", "1 | 2\n3 | 4"),
        ("a.csv", "Account of Ada\n\nday,sum\n2024-01-02,3\n2024-01-03,4\n", "Account of Ada"),
        ("a.csv", "just some prose, with a comma\nand another line\n", "just some prose, with a comma\nand another line"),
        ("a.csv", "name,size\n", "name | size"),
    ],
)
def test_delimiters_and_headers(split, name, text, first):
    assert split(name, text)[0].text.startswith(first)


def test_a_table_without_names_has_no_header(split):
    found = split("a.csv", "".join(f"{n},ada{n}@example.org,{n}.5\n" for n in range(60)), WIDE)
    assert len(found) > 3 and sum("ada0@" in one.text for one in found) == 1


def test_a_stray_quote_swallows_no_rows(split):
    rows = ["item,size", '"5 inch pipe,3', *(f"bolt {n},{n}" for n in range(500))]
    text = "\n".join(one.text for one in split("a.csv", "\n".join(rows)))
    assert '"5 inch pipe | 3' in text and all(f"bolt {n} | {n}" in text.split("\n") for n in range(500))
    assert '"5 inch pipe | 3\nbolt 0 | 0' in split("a.csv", "\n".join(rows[:9]))[0].text


def test_long_cells_and_headers_are_cut_not_lost(split):
    names = ",".join(f"name{n}" for n in range(60))
    found = split("a.csv", f"{names}\n{','.join(['word ' * 9 + str(n) for n in range(60)])}\n", WIDE)
    text = " ".join(one.text for one in found)
    assert all(f"name{n}" in text and f"word {n}" in text for n in range(60))
    assert all(len(one.text) <= 200 for one in found)


def test_hostile_quotes_take_linear_time():
    text = "a,b\n" * 100 + '"' + '"x,"\n' * 200_000
    started = time.monotonic()
    found = delimited.passages(DocumentId("r", "a.csv"), text, Limits())
    assert found is not None and sum(1 for _ in found) > 100
    assert time.monotonic() - started < 20


# ---- logs and code ------------------------------------------------------------------------------


def test_colour_codes_are_removed(split):
    text = "\x1b[1;31mERROR\x1b[0m the \x1b]8;;http://x\x1b\\pump\x1b]8;;\x1b\\ stopped\x1b[K\n\x1b(Bnext\n"
    assert split("a.log", text)[0].text == "ERROR the pump stopped\nnext"


def test_source_maps_and_packed_bundles_are_reported(split):
    mapping = json.dumps({"version": 3, "sources": ["a.ts"], "names": ["x"], "mappings": "AAAA;" * 500})
    for name in ("app.js.map", "app.json", "app.map"):
        with pytest.raises(UnreadableDocument, match="is a source map"):
            split(name, mapping)
    packed = "".join(f"function a{n}(b,c){{return b+c*{n}}}var d{n}=a{n}(1,2);" for n in range(200))
    for name in ("app.js", "app.min.js", "theme.css"):
        with pytest.raises(UnreadableDocument, match="is a minified bundle"):
            split(name, "/*! licence */\n" + packed)


def test_code_that_people_write_is_read(split):
    words = " ".join(f"word{n}" for n in range(400))
    assert split("a.js", f'const text = "{words}";\n')
    assert split("short.min.js", "var a=1;" * 100)
    picture = "data:image/png;base64," + "iVBORw0KGgo" * 100
    assert (
        split("a.css", f"body {{ background: url({picture}) }}\n")[0].text == "body { background: url(data:image/png;base64,…) }"
    )


# ---- hostile ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [CARD, CALENDAR, '{"a": [1, {"b": "c"}]}', 'a,b\n"1\n2",3\n'], ids=["card", "calendar", "json", "table"]
)
def test_damage_never_stops_reading(split, text):
    chance = random.Random(13)
    for number in range(300):
        broken = bytearray(text.encode()[: chance.randrange(1, len(text))])
        for _ in range(chance.randrange(8)):
            broken[chance.randrange(len(broken))] = chance.choice(b'\x00:;,"={}[]\\\n\r \xff')
        try:
            for name in ("a.vcf", "a.ics", "a.json", "a.csv", "a.jsonl"):
                split(f"{number % 2}{name}", bytes(broken))
        except UnreadableDocument as refused:
            assert refused.what


@pytest.mark.parametrize("line", ["N;", 'N;"', "A=\n", "N:;\\;", "BEGIN:VCARD\n", "=\n", " x\n", "N;QUOTED-PRINTABLE:=\n"])
def test_hostile_cards_take_linear_time(line):
    started = time.monotonic()
    cards.rendered(line * 100_000)
    assert time.monotonic() - started < 10
