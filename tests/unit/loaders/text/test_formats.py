"""Text, Markdown, code, notebooks, HTML and mail: what their passages and captions hold."""

from __future__ import annotations

import base64
import json

import pytest

from rag.errors import UnreadableDocument
from rag.loaders import LOADERS
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name
from rag.loaders.text import code
from rag.loaders.text.markdown import path_below_root
from rag.plugins import resolve
from rag.types import CaptionOf, Document, DocumentId, Lines, Passage


@pytest.fixture
def split(tmp_path):
    """Writes a file and gives its passages, by the loader that detection chooses."""

    def passages(path: str, content: str | bytes, limits: Limits | None = None) -> list[Passage]:
        document = written(tmp_path, path, content)
        limits = limits or Limits()
        return list(resolve(LOADERS, loader_name(document.file, limits), "loader")().split(document, limits))

    return passages


@pytest.fixture
def captions(tmp_path):
    def shown(path: str, content: str) -> list[CaptionOf]:
        document = written(tmp_path, path, content)
        return list(resolve(LOADERS, loader_name(document.file, Limits()), "loader")().captions(document, Limits()))

    return shown


def written(folder, path: str, content: str | bytes) -> Document:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return Document(DocumentId("docs", path), file)


# ---- plain text ---------------------------------------------------------------------------------


def test_rows_of_a_table_keep_the_names_of_their_columns(split):
    rows = "date,city,amount\n" + "".join(f"2024-01-01,Riga {n},{n}\n" for n in range(100))
    passages = split("a.csv", rows)
    assert len(passages) > 1
    assert {passage.text.partition("\n")[0] for passage in passages} == {"date | city | amount"}
    assert all(line.count(" | ") == 2 for passage in passages for line in passage.text.split("\n"))


@pytest.mark.parametrize(
    ("name", "text", "headings"),
    [
        ("a.rst", "=====\nTitle\n=====\n\nintro\n\nPart\n----\n\nwords\n", ["", "Title", "Title › Part"]),
        ("a.org", "* One\nx\n** Two\ny\n", ["One", "One › Two"]),
        ("a.tex", "\\section{One}\nx\n\\subsection*{Two}\ny\n", ["One", "One › Two"]),
        ("a.adoc", "= One\n\nx\n\n== Two\n\ny\n", ["One", "One › Two"]),
        ("a.txt", "# no heading here\n\n* nor here\n", [""]),
    ],
)
def test_headings_of_plain_formats(split, name, text, headings):
    assert [passage.context.heading for passage in split(name, text)] == headings


def test_lines_count_from_one_whatever_ends_them(split):
    passages = split("a.txt", b"one\r\n\r\n\r\ntwo\r\rthree", Limits(passage_characters=6))
    assert [(one.text, one.locator) for one in passages] == [("one", Lines(1, 1)), ("two", Lines(4, 4)), ("three", Lines(6, 6))]


def test_unreadable_texts_get_a_reason(split):
    with pytest.raises(UnreadableDocument, match=r"^is empty$"):
        split("a.txt", " \n\t\n")
    with pytest.raises(UnreadableDocument, match="limit max_text_bytes is 10"):
        split("a.txt", "x" * 11, Limits(max_text_bytes=10))


# ---- Markdown -----------------------------------------------------------------------------------

GUIDE = """---
title: "The guide"
---
# Guide #

Intro.

Set up
------
```sh
# not a heading
```

### `rag` [index](x.md) {#index}
Words.

<h2 align="center">Big <b>picture</b></h2>
Last.
"""


def test_markdown_headings_stand_above_their_spans(split):
    passages = split("a.md", GUIDE)
    assert [(one.context.heading, one.locator) for one in passages] == [
        ("", Lines(1, 3)),
        ("Guide", Lines(4, 6)),
        ("Guide › Set up", Lines(8, 12)),
        ("Guide › Set up › rag index", Lines(14, 15)),
        ("Guide › Big picture", Lines(17, 18)),
    ]
    assert {one.context.title for one in passages} == {"The guide"}


def test_the_first_h1_is_the_title(split):
    assert split("a.md", "## Before\nx\n# Title\ny\n")[0].context.title == "Title"


def test_markdown_says_what_its_pictures_show(captions):
    text = """
![Boats at dawn](img/a%20b.png "Riga") and `![code](no.png)` and ![by name][Map] ![Legend]
![escaped \\[x\\]](<../up.png>) ![spaces](my pic (1).png)
<img width=3 src='/logo.svg' alt="The logo &amp; name">
![gone](../../../out.png) ![web](https://x.org/y.png) ![data](data:image/png;base64,AAA) ![](silent.png) ![bad](http://[x)
```
![fenced](no.png)
```
[map]: maps/m.png 'Old town'
[legend]: maps\\legend.png#top
"""
    assert captions("docs/guide/a.md", text) == [
        CaptionOf("docs/guide/img/a b.png", "Boats at dawn — Riga"),
        CaptionOf("docs/guide/maps/m.png", "by name — Old town"),
        CaptionOf("docs/guide/maps/legend.png", "Legend"),
        CaptionOf("docs/up.png", "escaped [x]"),
        CaptionOf("docs/guide/my pic (1).png", "spaces"),
        CaptionOf("logo.svg", "The logo & name"),
    ]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("a.png", "d/a.png"),
        ("./x/../a.png?v=1#f", "d/a.png"),
        ("../a.png", "a.png"),
        ("../../a.png", ""),
        ("%2e%2e/%2e%2e/etc/passwd", ""),
        ("/a.png", "a.png"),
        ("//host/a.png", ""),
        ("file:///etc/passwd", ""),
        ("C:\\a.png", ""),
        ("x\\y.png", "d/x/y.png"),
        ("a\0.png", ""),
        ("", ""),
        ("..", ""),
    ],
)
def test_a_target_never_leaves_the_root(target, path):
    assert path_below_root("d/page.md", target) == path


@pytest.mark.parametrize(
    "bait", ["![", "![a](", '![a](b "', "<img ", "[a]:", "# ", "#### #", "`", "\\", "~~~", "<h1>", "a\n---\n"]
)
def test_hostile_markdown_costs_linear_time(split, captions, bait):
    line = bait * (1900 // len(bait)) + "\n"
    text = line * 100  # backtracking that is quadratic in a line would take minutes
    assert split("a.md", text)
    captions("a.md", text)


# ---- source code --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "text", "definitions"),
    [
        (
            ".py",
            "@cached\ndef one():\n  type here\n\nclass Two:\n    async def three(self):",
            ["@cached|one", "class|Two", "    |three"],
        ),
        (".go", "// Foo\nfunc (r *T) Foo() {\n}\ntype Bar struct {\n", ["//|Foo", "type|Bar"]),
        (".js", "export default class A {\n}\nconst f = async (x) => {\n}\n", ["export|A", "const|f"]),
        (
            ".rs",
            "#[derive(Debug)]\npub struct A {\n}\nimpl<T> A {\n    pub fn new() {",
            ["#[derive(Debug)]|A", "impl<T>|A", "    |new"],
        ),
        (".java", "public class A {\n    private static List<String> names(int a) {", ["public|A", "    |names"]),
        (".sql", "select 1;\nCREATE TABLE IF NOT EXISTS users (", ["CREATE|users"]),
        (".c", "#include <x>\n\nstatic int foo(int a)\n{\n  if (a) {", ["static|foo"]),
        (".sh", "foo() {\n}\nfunction bar {", ["foo()|foo", "function|bar"]),
        (".css", ".a, .b {\n color: red;\n}\n@media print {", [".a,|.a, .b", "@media|@media print"]),
    ],
)
def test_definitions_are_known_by_their_line(suffix, text, definitions):
    found = code.rendered(text, suffix).headings
    assert [f"{text[one.at :].split(' ')[0].split(chr(10))[0] or '    '}|{one.title}" for one in found] == definitions


def test_decorators_and_comments_go_with_what_follows(split):
    body = "    x = 1\n" * 60
    text = f"def a():\n{body}\n# about b\n@decorated\ndef b():\n{body}"
    passages = split("a.py", text, Limits(passage_characters=700))
    assert [(one.text[:9], one.context.heading) for one in passages] == [("def a():\n", "a"), ("# about b", "b")]


# ---- notebooks ----------------------------------------------------------------------------------


def notebook(*cells: dict[str, object]) -> str:
    return json.dumps({"nbformat": 4, "cells": list(cells)})


def test_a_notebook_is_its_cells_and_their_text(split, captions):
    text = notebook(
        {"cell_type": "markdown", "source": ["# Boats\n", "Some words. ![A boat](b.png)"]},
        {
            "cell_type": "code",
            "source": "# not a heading\nprint(1)",
            "outputs": [
                {"output_type": "stream", "text": ["1\n"]},
                {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": ["<Figure>"]}},
                {"output_type": "error", "ename": "ValueError", "evalue": "bad"},
            ],
        },
    )
    (passage,) = split("x/a.ipynb", text)
    assert passage.text.split("\n\n") == [
        "# Boats\nSome words. ![A boat](b.png)",
        "# not a heading\nprint(1)",
        "1",
        "<Figure>",
        "ValueError: bad",
    ]
    assert (passage.locator, passage.context.title, passage.context.heading) == (Lines(1, 11), "Boats", "Boats")
    assert captions("x/a.ipynb", text) == [CaptionOf("x/b.png", "A boat")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not a notebook: Expecting property name"),
        ("[]", "is not a notebook: its top level is not an object"),
        ("{}", "is not a notebook: it has no cells"),
        ("[" * 100_000, "is not a notebook: its values are nested too deeply"),
        ('{"cells": [{"cell_type": "code", "source": 3, "outputs": {"a": 1}}, 7]}', "contains no text"),
        ("[" + '"a",' * 4_000_001 + "1]", "more than 4,000,000 values"),
    ],
)
def test_other_json_is_not_a_notebook(split, text, reason):
    with pytest.raises(UnreadableDocument, match=reason):
        split("a.ipynb", text)


# ---- HTML ---------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><html><head><meta charset="gb2312"><title>页面 &amp; more</title><style>p {}</style></head><body>
<h1>First <b>bold</b></h1><p>One
line<br>after the break. 2 &lt; 3</p><ul><li>one<ul><li>nested</li></ul></li><li><p>two</p></li></ul>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>
<pre>def f():
    return 1</pre><h2>Second</h2><img src="a.png" alt="A boat" title="at dawn">
<script>var x = "<h1>no</h1>"</script></body></html>"""


def test_html_becomes_what_a_reader_sees(split, captions):
    first, second = split("p/a.html", PAGE)
    assert first.text == (
        "# First bold\n\nOne line\nafter the break. 2 < 3\n\n- one\n  - nested\n- two\n\na | b\n1 | 2\n\ndef f():\n    return 1"
    )
    assert (first.context.title, first.context.heading, first.locator) == ("页面 & more", "First bold", Lines(1, 14))
    assert (second.text, second.context.heading) == ("## Second\n\nA boat — at dawn", "First bold › Second")
    assert captions("p/a.html", PAGE) == [CaptionOf("p/a.png", "A boat — at dawn")]


def test_html_in_its_own_encoding(split):
    assert split("a.html", PAGE.encode("gb18030"))[0].context.title == "页面 & more"


def test_a_drawing_without_text_gets_a_reason(split):
    with pytest.raises(UnreadableDocument, match="is a drawing without text"):
        split("a.svg", '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>')


def test_an_svg_gives_its_words(split):
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg"><title>Chart</title><path d="M0 0"/><text>North</text><text>South</text></svg>'
    )
    (passage,) = split("a.svg", drawing)
    assert (passage.context.title, passage.text) == ("Chart", "Chart\n\nNorth\n\nSouth")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<div>" * 100_000 + "deep", "deep"),
        ("<ul><li>" * 50_000 + "deep", "deep"),
        ('<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><p>&b; ok</p>', "&b; ok"),
        ("<h1>never closed<p>one</p><p>two</p>", "two"),
        ("<" * 5000 + "p>x", "x"),
    ],
)
def test_broken_and_hostile_html_still_gives_its_words(split, text, words):
    assert split("a.html", text)[-1].text.endswith(words)


def test_the_number_of_a_note_is_no_part_of_its_word_and_fields_show_what_is_in_them(split):
    page = (
        "<p>It runs again<sup>1</sup> over 3 km<sup>2</sup>.</p><input placeholder='Your name'><input value='Oslo'>"
        "<input type='hidden' value='x9'><input type='checkbox' value='on'><p>End</p>"
    )
    assert split("a.html", page)[0].text.split("\n") == ["It runs again 1 over 3 km2.", "", "Your name Oslo", "", "End"]


def test_cells_of_one_paragraph_are_a_row_and_further_paragraphs_are_their_own(split):
    cell = "<td><p>{}</p></td>"
    page = (
        f"<table><tr>{cell.format('early')}{cell.format('6 to 14')}</tr>"
        f"<tr>{cell.format('late')}<td><div><p>14</p></div></td></tr>"
        "<tr><td>note</td><td><p>first</p>\n<p>second</p></td></tr></table><p>End</p>"
    )
    assert split("a.html", page)[0].text.split("\n") == [
        *("early | 6 to 14", "late | 14", "note | first", "", "second", "", "End")
    ]


def test_html_without_words_is_refused(split):
    with pytest.raises(UnreadableDocument, match="contains no text"):
        split("a.html", "<html><script>x = 1</script></html>")


def test_a_drawing_is_its_title_its_description_and_its_words(split):
    drawing = "<svg><title>Dock plan</title><desc>Of 1931</desc><text>North pier</text></svg>"
    assert split("a.svg", drawing)[0].text == "Dock plan\n\nOf 1931\n\nNorth pier"
    assert split("b.svg", "<svg><title>Dock plan</title><path d='M0 0'/></svg>")[0].text == "Dock plan"
    with pytest.raises(UnreadableDocument, match="is a drawing without text"):
        split("c.svg", "<svg><path d='M0 0'/></svg>")


# ---- mail ---------------------------------------------------------------------------------------

HEADER = (
    "Subject: =?utf-8?b?5L2g5aW9?= all\r\nFrom: Ann <a@b.c>\r\nTo: Bob 你 <b@c.d>\r\n"
    "Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nX-Spam: no\r\n"
)


def test_a_message_with_its_plain_body_and_the_names_of_its_attachments(split):
    html = base64.b64encode("<p>The same</p>".encode("gb18030")).decode()
    text = (
        HEADER + "Content-Type: multipart/mixed; boundary=M\r\n\r\n--M\r\nContent-Type: multipart/alternative; boundary=A\r\n\r\n"
        "--A\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe ships\r\nare in.\r\n"
        f"--A\r\nContent-Type: text/html; charset=gb2312\r\nContent-Transfer-Encoding: base64\r\n\r\n{html}\r\n--A--\r\n"
        '--M\r\nContent-Type: image/png; name="list of ships.pdf"\r\nContent-Disposition: attachment\r\n\r\nAAAA\r\n--M--\r\n'
    )
    (passage,) = split("a.eml", text)
    assert passage.text == (
        "Subject: 你好 all\nFrom: Ann <a@b.c>\nTo: Bob 你 <b@c.d>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\n"
        "The ships\nare in.\n\nAttachments: list of ships.pdf"
    )
    assert (passage.context.title, passage.locator) == ("你好 all", Lines(1, 9))


def test_a_message_in_html_alone(split):
    message = HEADER.encode() + b"Content-Type: text/html; charset=gb2312\r\n\r\n" + "<h1>你好</h1><p>港口</p>".encode("gbk")
    assert split("a.eml", message)[0].text.endswith("\n\n# 你好\n\n港口")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\n\nno header", "is not a message: it has no header lines"),
        (
            b"Subject: x\n" + b"".join(b"Content-Type: multipart/mixed; boundary=B%d\n\n--B%d\n" % (n, n) for n in range(3000)),
            "its parts are nested too deeply",
        ),
    ],
)
def test_other_text_is_not_a_message(split, message, reason):
    with pytest.raises(UnreadableDocument, match=reason):
        split("a.eml", message)


def test_a_message_with_lies_in_its_header_is_still_read(split):
    lies = b"Content-Type: text/plain; charset=rot13\nContent-Transfer-Encoding: base64\n\nnot base64!"
    message = b"Subject: =?nonsense?b?!!!?= =?utf-8?b?A?=\n" + lies
    assert split("a.eml", message)[0].text.startswith("Subject: ")
