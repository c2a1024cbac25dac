"""The words of a passage without the marks of its format, and hostile texts in linear time."""

from __future__ import annotations

import time

import pytest

from rag.text.readable import readable

MARKDOWN = """# The **old** quay #

> Quoted, with a [link](https://example.org/a_(b) "title") and ![a _boat_](x.png).

| name | tons |
|:-----|-----:|
| *Ada* | 12 |

- [x] oars
* `snake_case` and __init__, 2 * 3 < 7
1. first<br>second <b>bold</b> &amp; more

```python
x = a * b  # kept
```
Area $x_i^2 \\leq \\alpha$, price $5.

[ref]: https://example.org
"""
READ = """The old quay

Quoted, with a link and a boat.

name · tons
Ada · 12

• oars
• snake_case and init, 2 * 3 < 7
1. first second bold & more

x = a * b  # kept
Area x_i^2 ≤ α, price $5.

"""


def test_markdown() -> None:
    assert readable(MARKDOWN, "a/notes.md") == READ
    assert readable(MARKDOWN, "notes.md.gz") == READ
    assert readable(MARKDOWN, "notes.txt") == MARKDOWN


@pytest.mark.parametrize(
    ("path", "text", "shown"),
    [
        ("a.html", "# Harbour\n\n- dues\n\nname | tons\nAda | 12", "Harbour\n\n• dues\n\nname · tons\nAda · 12"),
        (
            "a.xlsx",
            "2024\nname | tons | port\nAda | 12\nBo |  | Oslo",
            "2024\nname: Ada · tons: 12\nname: Bo · port: Oslo",
        ),
        ("a.csv", "name | tons\nAda | 12", "name: Ada · tons: 12"),
        ("a.csv", "only a line", "only a line"),
        ("a.xml", '<?xml version="1.0"?>\n<wpt xmlns="http://x" lat="57.1"><name>Riga &amp; co</name></wpt>', "57.1 Riga & co"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n<i>Cast</i> off\n", "Cast off\n"),
        ("a.rst", "Title\n=====\n\n.. note:: See :ref:`the quay` and ``code``, **now**.", "Title\n\nSee the quay and code, now."),
        ("a.org", "* Head\n#+TITLE: Boats\nSee [[https://x][the log]].", "Head\nBoats\nSee the log."),
        ("ls.1.gz", '.TH LS 1\n.SH NAME\nls \\- list\n.\\" hidden\n.B \\fB\\-a\\fR', "LS 1\nNAME\nls - list\n-a"),
        ("notes.v1.1", "no manual page. at all", "no manual page. at all"),
        ("a.md", "***", "***"),
    ],
)
def test_other_formats(path: str, text: str, shown: str) -> None:
    assert readable(text, path) == shown


def test_latex() -> None:
    source = (
        "\\section{The \\emph{old} quay}\\label{sec:a} % remark\n\\begin{tabular}{ll}\nname & tons \\\\\n\\end{tabular}\n"
        "M\\\"uller \\'{e}t\\'e, 5\\% of \\$3~\\cite{x} ``so'' $\\frac{a}{b} \\leq \\lambda$ \\href{http://x}{here}\n"
    )
    assert readable(source, "a.tex") == "The old quay\n\nname · tons\n\nMüller été, 5% of $3 “so” a/b ≤ λ here\n"


@pytest.mark.parametrize("path", ["a.md", "a.xml", "a.tex", "a.rst", "a.org", "a.html", "a.xlsx", "a.srt", "a.1"])
@pytest.mark.parametrize("piece", ["[", "![", "<", "<a ", "**", "`", "|", "$x_", "\\begin{", "{", "\\", ":a:`", ".B ", "-->"])
def test_hostile_repetition_takes_linear_time(path: str, piece: str) -> None:
    started = time.monotonic()
    readable(piece * 6_000, path)
    assert time.monotonic() - started < 3
