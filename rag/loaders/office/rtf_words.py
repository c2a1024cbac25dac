"""The words of rich text: which stand for a character, which begin a group that is text, a note, or no text at all.

Knows names; knows no file.
"""

from __future__ import annotations

MARKS = {
    **{"tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’"},
    **{"ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ", "qmspace": " ", "softline": "\n"},
    **{"~": " ", "_": "-", "-": "", "{": "{", "}": "}", "\\": "\\"},
}
NOTES = {"footnote": "Footnote", "annotation": "Comment"}
EDGES = {
    name: name[:6].capitalize() for name in ("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf")
}
READ = frozenset({"fonttbl", "stylesheet", "title", "atnauthor", "sn", "sv"})  # groups whose text says something of others
SHOWN = frozenset({"shpinst", "shptxt", "ud", "annotation", "atnauthor", "do", "dptxbxtext"})  # also behind \\*
NOT_TEXT = frozenset(  # groups without \* whose text is not shown
    {
        "colortbl",
        "info",
        "pict",
        "objdata",
        "nonshppict",
        "shprslt",
        "fldinst",
        "xe",
        "tc",
        "rxe",
        "bkmkstart",
        "bkmkend",
        "listname",
    }
    | {"themedata", "datastore", "filetbl", "listtable", "listoverridetable", "revtbl", "objclass", "objname", "nesttableprops"}
    | {"nonesttables", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "template", "private", "mmathpict", "falt"}
    | {"panose", "fname", "atnid", "atnref", "atndate", "atntime", "atnicn", "atnparent", "atrfstart", "atrfend"}
)
SAID_OF_SHAPES = frozenset({"wzDescription", "gtextUNICODE"})  # alternative text, WordArt
