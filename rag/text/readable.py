"""The words of a passage without the marks of the format it is written in: Markdown, HTML, LaTeX, tables, subtitles, manuals.

Knows marks by the suffix of a document; knows no index. For showing only: what is searched, and its lines, stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from rag.text.readable_latex import without_latex

_BETWEEN = " · "  # cells of a row

_FENCE = re.compile(r"^[ \t>]{0,8}(?:`{3,}|~{3,}).*$")
_TABLE_RULE = re.compile(r"^[ \t>]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_RULE = re.compile(r"^[ \t]*(?:={3,}|\*{3,}|_{3,}|\+{3,}|(?:\*[ \t]?){3,}|(?:-[ \t]?){3,})[ \t]*$")
_DEFINITION = re.compile(r"^ {0,3}\[\^?[^\[\]\n]{1,200}\]:[ \t]*\S*.*$")
_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?)+")
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}(?:[ \t]+|$)")
_HEADING_END = re.compile(r"[ \t]+#+[ \t]*$")
_BULLET = re.compile(r"^[ \t]*[-*+][ \t]+(?:\[[ xX]\][ \t]+)?")
_PIPE = re.compile(r"[ \t]*(?<!\\)\|[ \t]*")
_INLINE = re.compile(  # code, mathematics, pictures and links, footnotes, addresses, tags, emphasis, escapes
    r"(?P<tick>`{1,3})(?P<code>[^`\n]{1,500})(?P=tick)"
    r"|\$\$?(?P<math>[^$\n]{1,500}?[\\^_{}][^$\n]{0,500}?)\$\$?"
    r"|!?\[(?P<text>(?:[^\[\]\n]|\[[^\[\]\n]{0,100}\]){0,400})\](?:\([^()\n]{0,1000}(?:\([^()\n]{0,200}\)[^()\n]{0,200}){0,3}\)|\[[^\[\]\n]{0,200}\])"
    r"|\[\^[^\[\]\n]{1,60}\]"
    r"|<(?P<address>(?:https?|mailto|ftp):[^<>\s]{1,500})>"
    r"|(?P<tag><!--.{0,2000}?-->|</?[A-Za-z][^<>\n]{0,500}>)"
    r"|(?<!\w)(?:\*{1,3}|_{1,3}|~~|==)(?=\S)|(?<=\S)(?:\*{1,3}|_{1,3}|~~|==)(?!\w)"
    r"|\\(?P<escaped>[\\`*_{}\[\]()#+.!|<>~$-])"
)
_COMMENT = re.compile(r"<!--.{0,5000}?-->|<\?.{0,500}?\?>|<!\w[^<>]{0,2000}>", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z_][\w:.-]{0,100}((?:[^<>\"']|\"[^\"<>]{0,2000}\"|'[^'<>]{0,2000}'){0,2000})/?>")
_ATTRIBUTE = re.compile(r"""\b(?!xmlns|xsi)[\w.-]{1,60}\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_CUE = re.compile(r"^(?:\d{1,6}|WEBVTT.*|.{0,40}-->.{0,80})$")
_CUE_MARKS = re.compile(r"</?[A-Za-z0-9][^<>\n]{0,200}>|\{[\\A-Za-z][^{}\n]{0,200}\}")
_ROFF_LINE = re.compile(r"^[.'](?:[A-Za-z]{1,3}\b|\\\")", re.MULTILINE)
_ROFF_HIDDEN = re.compile(r"^[.'](?:\\\"|(?:de|ie|el|if|nr|ds|so|ad|hy|nh|in|ti|ft|ll|sp|ne|tr)\b)")
_ROFF_NAME = re.compile(r"^[.'][A-Za-z]{1,3}[ \t]*")
_ROFF_INLINE = re.compile(r"\\f(?:\[[^\]\n]{0,20}\]|\(..|.)|\\s[+-]?\d|\\[&|^/,]|\\\*(?:\[[^\]\n]{0,20}\]|\(..|.)")
_RST_ROLE = re.compile(
    r":[a-z:]{2,40}:`([^`\n]{1,300})`|`([^`<\n]{1,300}) ?<[^<>\n]{1,500}>`__?|`{1,2}([^`\n]{1,300})`{1,2}_{0,2}"
)
_RST_MARK = re.compile(r"^[ \t]*\.\. (?:[\w-]{1,40}:: ?|_[^:\n]{1,80}:.*|\|)?")
_UNDERLINE = re.compile(r"^([=\-~^\"'`#*+:._])\1{2,}[ \t]*$")
_ORG_LINK = re.compile(
    r"\[\[[^\[\]\n]{1,500}\]\[([^\[\]\n]{1,300})\]\]|(?:link:|https?://)[^\s\[\]]{1,500}\[([^\[\]\n]{1,300})\]"
)
_ORG_LINE = re.compile(
    r"^(?:\*{1,6}|={1,6})[ \t]+|^#\+\w{1,30}:?[ \t]*|^\[[\w,=%.\" #-]{1,80}\]$|^:[\w-]{1,30}:$|^(?:-{4,}|={4,}|\.{4,})$"
)

_PACKED = frozenset({".gz", ".bz2", ".xz", ".lzma", ".zst"})
_MANUAL = re.compile(r"\.[1-9][a-z]{0,6}")


def readable(text: str, path: str) -> str:
    """The words of a passage of the document at `path`, lines kept; the text itself where nothing else is left of it."""
    clean = _CLEANERS.get(_suffix(path))
    if clean is None and _MANUAL.fullmatch(_suffix(path)) and _ROFF_LINE.search(text):
        clean = _manual
    if clean is None:
        return text
    shown = clean(text)
    return shown if shown.strip() else text


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2].lower()
    stem, dot, suffix = name.rpartition(".")
    if dot and f".{suffix}" in _PACKED:
        stem, dot, suffix = stem.rpartition(".")
    return f".{suffix}" if dot and stem else ""


def _markdown(text: str) -> str:
    lines = []
    fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            lines.append(line)
        elif not (_TABLE_RULE.match(line) or _RULE.match(line) or _DEFINITION.match(line)):
            lines.append(_markdown_line(line))
    return unescape("\n".join(lines))


def _markdown_line(line: str) -> str:
    line = _QUOTE.sub("", line)
    is_heading = _HEADING.match(line)
    line = _HEADING_END.sub("", _HEADING.sub("", line)) if is_heading else _BULLET.sub("• ", line)
    previous = ""
    for _ in range(3):  # emphasis in links, pictures in links
        if line == previous:
            break
        previous, line = line, _INLINE.sub(_inline, line)
    return _cells(line) if "|" in line else line


def _inline(mark: re.Match[str]) -> str:
    if mark["code"]:
        return mark["code"]
    if mark["math"]:
        return without_latex(mark["math"])
    if mark["tag"]:
        return " " if mark["tag"][1:3].lower() in ("br", "/t", "/l", "/p") else ""
    return mark["text"] or mark["address"] or mark["escaped"] or ""


def _converted(text: str) -> str:
    """Text that was made from HTML, mail or an office document: headings, bullets and rows are all that is marked."""
    lines = []
    for line in text.split("\n"):
        shown = _HEADING.sub("", line)
        shown = _BULLET.sub("• ", shown) if shown == line else shown
        lines.append(_cells(shown) if " | " in shown else shown)
    return "\n".join(lines)


def _cells(line: str) -> str:
    return _BETWEEN.join(cell for cell in _PIPE.split(line.strip().strip("|").strip()) if cell.strip())


def _table(text: str) -> str:
    """Rows of a sheet, each cell after the name of its column; rows wider than the names, and all else, as they are."""
    lines = text.split("\n")
    at = next((place for place, line in enumerate(lines) if " | " in line), len(lines))
    if at + 1 >= len(lines):
        return "\n".join(_cells(line) if " | " in line else line for line in lines)
    names = [name.strip() for name in lines[at].split(" | ")]
    shown = lines[:at]
    for line in lines[at + 1 :]:
        cells = [cell.strip() for cell in line.split(" | ")]
        if len(cells) > len(names) or (len(cells) == 1 and len(names) > 1 and " " in cells[0]):
            shown.append(_cells(line))
        else:
            pairs = [f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell]
            shown.append(_BETWEEN.join(pairs))
    return "\n".join(shown)


def _markup(text: str) -> str:
    """XML: the texts between tags, and the values in them."""

    def values(mark: re.Match[str]) -> str:
        return " " + " ".join(first or second for first, second in _ATTRIBUTE.findall(mark[1])) + " "

    text = _TAG.sub(values, _COMMENT.sub(" ", _CDATA.sub(" ", text)))
    return "\n".join(line for line in (" ".join(unescape(line).split()) for line in text.split("\n")) if line)


def _subtitles(text: str) -> str:
    return "\n".join(_CUE_MARKS.sub("", line) for line in text.split("\n") if not _CUE.match(line.strip()))


def _manual(text: str) -> str:
    """A page in roff: `.SH NAME` and `\\fBbold\\fR`."""
    lines = []
    for line in text.split("\n"):
        if not _ROFF_HIDDEN.match(line):
            shown = _ROFF_INLINE.sub("", _ROFF_NAME.sub("", line)).replace('"', "")
            lines.append(re.sub(r"\\([-\\e'])", r"\1", shown).replace("\\(em", "—").replace("\\(aq", "'").replace("\\~", " "))
    return "\n".join(lines)


def _restructured(text: str) -> str:
    lines = (_RST_MARK.sub("", line) for line in text.split("\n") if not _UNDERLINE.match(line))
    joined = _RST_ROLE.sub(lambda mark: mark[1] or mark[2] or mark[3], "\n".join(lines))
    return re.sub(r"(?<!\w)\*{1,2}(?=\S)|(?<=\S)\*{1,2}(?!\w)", "", joined)


def _org(text: str) -> str:
    lines = (_ORG_LINE.sub("", line) for line in text.split("\n"))
    return _ORG_LINK.sub(lambda mark: mark[1] or mark[2], "\n".join(lines))


def _suffixes(names: str, clean: Callable[[str], str]) -> dict[str, Callable[[str], str]]:
    return dict.fromkeys(names.split(), clean)


_CLEANERS: dict[str, Callable[[str], str]] = {
    **_suffixes(".md .markdown .mdown .mkd .mdx .qmd .rmd .ipynb", _markdown),
    **_suffixes(
        ".html .htm .xhtml .svg .eml .mbox .mht .mhtml .msg .docx .docm .dotx .odt .ott .fodt .rtf .doc .epub", _converted
    ),
    **_suffixes(".pptx .ppt .odp .pps .ppsx .pptm", _converted),
    **_suffixes(".xlsx .xlsm .xltx .xls .ods .ots .fods .csv .tsv .tab .psv", _table),
    **_suffixes(".xml .xsd .xsl .rss .atom .gpx .kml .plist .opml .wsdl", _markup),
    **_suffixes(".srt .vtt .sbv", _subtitles),
    **_suffixes(".tex .ltx", without_latex),
    **_suffixes(".rst", _restructured),
    **_suffixes(".org .adoc .asciidoc", _org),
}
