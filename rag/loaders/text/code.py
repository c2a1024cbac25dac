"""Source code: spans of whole definitions, each under the class or function that holds it.

Recognises the definitions of common languages by their line alone; parses no language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.loaders.base import Limits
from rag.loaders.text.chunking import LINED, Heading, Rendering, passages_of
from rag.loaders.text.encoding import read_text
from rag.loaders.text.noise import SUFFIXES as SHIPPED
from rag.loaders.text.noise import refuse_minified, without_packed_data
from rag.loaders.text.passage_content import text_content
from rag.types import CaptionOf, Content, Document, Passage

_PYTHON = re.compile(r"^([ \t]{0,40})(?:async[ \t]+)?(?:def|class)[ \t]+(\w{1,80})", re.MULTILINE)
_NAMED = re.compile(  # [modifiers] kind [(receiver)] name
    r"^([ \t]{0,40})(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\([^()\n]{0,40}\))?"
    r"|unsafe|extern|override|open|sealed|data|inline|virtual|partial|suspend|const|declare|local)[ \t]+){0,5}"
    r"(?:def|class|function\*?|func|fn|fun|interface|struct|enum|union|trait|impl(?:<[^<>\n]{0,80}>)?|mod|module|namespace|type"
    r"|record|object|protocol|extension|sub|defmodule|defp)[ \t]+(?:\([^()\n]{0,80}\)[ \t]*)?([A-Za-z_$][\w$.:]{0,79})",
    re.MULTILINE,
)
_CREATED = re.compile(
    r"^([ \t]{0,40})create[ \t]+(?:or[ \t]+replace[ \t]+|unique[ \t]+|temp(?:orary)?[ \t]+|materialized[ \t]+){0,2}"
    r"(?:table|view|function|procedure|index|trigger|type)[ \t]+(?:if[ \t]+not[ \t]+exists[ \t]+)?([\w$.`\"]{1,80})",
    re.IGNORECASE | re.MULTILINE,
)
_ASSIGNED = re.compile(  # const name = (…) => …, let name = function …
    r"^([ \t]{0,40})(?:export[ \t]+)?(?:const|let|var)[ \t]+([\w$]{1,80})[ \t]*=[ \t]*(?:async[ \t]*)?"
    r"(?:function\b|\([^()\n]{0,200}\)[ \t]*=>)",
    re.MULTILINE,
)
_C_FUNCTION = re.compile(  # at the start of a line, and not a statement
    r"^()(?!(?:if|for|while|switch|return|else|using|typedef)\b)[A-Za-z_][\w \t*&:<>,~]{0,100}?\b([\w:~]{1,60}+)\([^;{}\n]{0,300}"
    r"(?:\{[^\n]{0,200})?$",
    re.MULTILINE,
)
_METHOD = re.compile(  # public static List<String> names(…)
    r"^([ \t]{1,40})(?:public|private|protected|internal)[ \t][\w \t<>\[\],.?]{0,100}?\b([A-Za-z_]\w{0,60}+)\(", re.MULTILINE
)
_SHELL_FUNCTION = re.compile(r"^([ \t]{0,40})([\w-]{1,80})[ \t]*\(\)[ \t]*\{?", re.MULTILINE)
_SELECTOR = re.compile(r"^()([^\s{}@/][^{}\n]{0,119}|@[^{}\n]{1,119})\{", re.MULTILINE)

_C_LIKE_SUFFIXES = frozenset(
    {".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".cu", ".cuh", ".m", ".mm", ".java", ".cs", ".dart"}
)
_PYTHON_SUFFIXES = frozenset({".py", ".pyi", ".pyx"})
_SHELL_SUFFIXES = frozenset({".sh", ".bash", ".zsh", ".fish"})
_STYLE_SUFFIXES = frozenset({".css", ".scss", ".sass", ".less"})
_LEAD_IN = re.compile(r"[ \t]*(?:@|#|//|/\*|\*|--|template\b|\[)")  # comments and decorators belong to what follows


class CodeLoader:
    """Spans of lines; definitions shorter than half a span join their neighbours."""

    version = 3

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        suffix = document.file.suffix.lower()
        text = read_text(document.file, limits)
        if suffix in SHIPPED:
            refuse_minified(text)
        rendering = rendered(without_packed_data(text), suffix)
        yield from passages_of(document.id, rendering, limits, LINED, joined=limits.passage_characters // 2)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return map(text_content, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def rendered(text: str, suffix: str) -> Rendering:
    """The code with its definitions marked, nested by indentation."""
    found: dict[int, Heading] = {}
    for pattern in _patterns(suffix):
        for mark in pattern.finditer(text):
            at = _lead_in(text, mark.start())
            name = mark[2].strip('`" \t:')
            found.setdefault(at, Heading(at, len(mark[1].expandtabs(4)) + 1, name, lines=0))
    return Rendering(text, tuple(found[at] for at in sorted(found)))


def _patterns(suffix: str) -> tuple[re.Pattern[str], ...]:
    if suffix in _STYLE_SUFFIXES:
        return (_SELECTOR,)
    if suffix in _SHELL_SUFFIXES:
        return (_NAMED, _SHELL_FUNCTION)
    if suffix in _PYTHON_SUFFIXES:
        return (_PYTHON,)
    if suffix == ".sql":
        return (_CREATED,)
    return (_NAMED, _C_FUNCTION, _METHOD) if suffix in _C_LIKE_SUFFIXES else (_NAMED, _ASSIGNED)


def _lead_in(text: str, at: int) -> int:
    """Where the comments and decorators right above the line at `at` begin: at most 30 lines up."""
    for _ in range(30):
        above = text.rfind("\n", 0, max(0, at - 1)) + 1
        if at == 0 or not _LEAD_IN.match(text, above, at):
            break
        at = above
    return at
