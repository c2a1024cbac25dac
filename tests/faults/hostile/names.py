"""Names that fool terminals, pages, shells and readers of paths; each file holds the same honest line.

Knows names only.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.hostile.bad import Bad, filled

LINE = b"The dredger Kestrel passed the north mole at slack water.\n"
_NAMES = (
    "newline\nin name.txt",
    "return\rin name.txt",
    "tab\tin name.txt",
    "bell\x07name.txt",
    "ansi\x1b[31mred\x1b[0m.txt",
    "title\x1b]0;owned\x07.txt",
    "link\x1b]8;;http:evil.example\x1b\\here.txt",
    "csi\x9b31mname.txt",
    "<script>alert(1)<.txt",
    "<img src=x onerror=alert(1)>.txt",
    "\"quoted' name`.txt",
    "$(touch owned).txt",
    "; rm -rf ~;.txt",
    "--index=elsewhere.txt",
    "-rf.txt",
    "%s%n%x.txt",
    "{0.__class__}.txt",
    "[bold]rich[/bold].txt",
    "[link=file:etc]rich.txt",
    "* ? [a-z].txt",
    "back\\slash.txt",
    "trailing space .txt ",
    "trailing dot.txt.",
    " leading space.txt",
    "two..dots...txt",
    "CON.txt",
    "https:evil.example.txt",
    "a:b:c.txt",
    "|pipe|.txt",
    "#hash?query=1&a=b.txt",
    "percent%2e%2e%2fname.txt",
    "港口 记录.txt",
    "Ελληνικά Ψ.txt",
    "русское имя.txt",
    "اسم عربي.txt",
    "שם עברי.txt",
    "नाम हिन्दी.txt",
    "ชื่อไทย.txt",
    "이름 한글.txt",
    "日本語の名前.txt",
    "emoji 🚢⚓️👩🏽‍✈️.txt",
    "right\u202eto\u202cleft.txt",
    "zero\u200bwidth\u2060.txt",
    "bom\ufeffname.txt",
    "decomposed e\u0301.txt",
    "composed \u00e9.txt",
    "line\u2028separator.txt",
    "noncharacter\uffff.txt",
    "latin1-\udce9t\udce9.txt",
    "broken-\udcff\udcfe.txt",
    "x" * 251 + ".txt",
    "船" * 83 + ".txt",
    "Makefile",
    "no suffix",
    ".txt.txt",
    "UPPER.TXT",
)


def names() -> Iterator[Bad]:
    """All of them; a folder with such a name, too, and folders 60 deep."""
    for name in _NAMES:
        fate = "ignored" if name.startswith(".") else "either" if name.endswith((".", " ")) else "indexed"
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            yield Bad(f"names/{name}", filled(LINE), "skipped", "not UTF-8: rename")
            continue
        yield Bad(f"names/{name}", filled(LINE), fate)
    yield Bad("names/<b>folder\x1b[2J\n/inside.txt", filled(LINE), "indexed")
    yield Bad("names/" + "/".join(["deep"] * 60) + "/bottom.txt", filled(LINE), "indexed")
    yield Bad("names/.hidden/inside.txt", filled(LINE), "ignored")
