"""Reads which kind of thing a query asks for: "photo of a red boat", "in the PDF", 关于潮汐的幻灯片, "Folie über Gebühren".

Knows words and passages; knows no index and no model. A word for a kind counts only where it stands for one: before "of",
"showing", "about", or at the end after "in the". "Video driver" and "image processing" ask for no kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from rag.types import Filters, Passage, Slide


@dataclass(frozen=True, slots=True)
class AskedKind:
    """A kind that a query asks for, and the query without the words that do."""

    name: str  # photo, picture, screenshot, video, slide, drawing or PDF
    words: str

    def holds(self, passage: Passage) -> bool:
        """Whether a passage is of this kind."""
        return _IS[self.name](passage)

    def narrowed(self, filters: Filters) -> Filters:
        """The filters, for passages that may be of this kind. Paths and kinds that are set already stay."""
        ours = _WHERE[self.name]
        return replace(filters, kinds=filters.kinds or ours.kinds, paths=filters.paths or ours.paths)


_PICTURES = Filters(kinds=("image", "screenshot"))
_WHERE: Mapping[str, Filters] = {
    "photo": Filters(kinds=("image",)),
    "picture": _PICTURES,
    "drawing": _PICTURES,
    "screenshot": Filters(kinds=("screenshot",)),
    "video": Filters(kinds=("frame",)),
    "slide": Filters(paths=("*.pptx", "*.ppt", "*.odp", "*.key")),
    "PDF": Filters(paths=("*.pdf",)),
}
_IS: Mapping[str, Callable[[Passage], bool]] = {
    "photo": lambda one: one.kind == "image",
    "picture": lambda one: one.kind in ("image", "screenshot"),
    "drawing": lambda one: one.kind in ("image", "screenshot"),
    "screenshot": lambda one: one.kind == "screenshot",
    "video": lambda one: one.kind == "frame",
    "slide": lambda one: isinstance(one.locator, Slide),
    "PDF": lambda one: (one.inner or one.document.path).lower().endswith(".pdf"),
}
_NAMES: Mapping[str, str] = {  # English and German
    "screenshot": r"screen ?shots?|bildschirmfotos?",
    "photo": r"photos?|photographs?|snapshots?|fotos?|fotografien?|aufnahmen?",
    "picture": r"pictures?|pics?|images?|bild(?:er)?",
    "drawing": r"diagrams?|charts?|graphs?|drawings?|schematics?|diagramme?|zeichnung(?:en)?|schaubild(?:er)?|grafik(?:en)?",
    "video": r"videos?|video ?clips?|clips?|footage|films?|filme?",
    "slide": r"slides?|folien?",
    "PDF": r"pdfs?",
}
_CHINESE: Mapping[str, str] = {
    "screenshot": "截图|截屏|截圖",
    "photo": "照片|相片",
    "picture": "图片|圖片|图像",
    "drawing": "示意图|流程图|图表|圖表",
    "video": "视频|录像|影片|視頻",
    "slide": "幻灯片|幻燈片|投影片",
    "PDF": "[Pp][Dd][Ff](?:文件|文档)?",
}
_LEAD = r"^\s*(?:(?:find|show|get|search for|look for|finde?|zeige?|suche?)\s+(?:me\s+|mir\s+)?)?"
_ARTICLE = r"(?:(?:an?|the|any|some|my|our|all|ein(?:e[nrms]?)?|der|die|das|den|dem|alle|mein(?:e[nrms]?)?)\s+)?"
_OF = (
    r"(?:of|showing|shows|show|that shows?|which shows?|about|with|from|where|in which|on|over|titled"
    r"|von|vom|mit|über|zu[mr]?|aus|wo|auf de[mr]|in de[mr]|de[rs])"
)
_INSIDE = r"(?:in|on|from|as|im|auf|aus|als|vom)"
_ABOUT = re.compile(r"^\s*(?:关于|有关|關於)")


def asked_kind(words: str) -> AskedKind | None:
    """The kind that a query asks for; None where it asks for none, or names nothing else."""
    for kinds, forms in ((_NAMES, _english_forms), (_CHINESE, _chinese_forms)):
        for name, names in kinds.items():
            if not re.search(names, words, re.IGNORECASE):
                continue
            for pattern in forms(names):
                rest, found = pattern.subn("", words, count=1)
                if found:
                    rest = _ABOUT.sub("", rest).strip()
                    return AskedKind(name, rest) if re.search(r"\w", rest) else None
    return None


# Compiled when a query mentions the kind: all of them take as long as reading a small index.


@cache
def _english_forms(names: str) -> tuple[re.Pattern[str], ...]:
    return (
        re.compile(rf"{_LEAD}{_ARTICLE}(?:{names})\s*(?:,\s*)?\b{_OF}\b[\s,]*", re.IGNORECASE),
        re.compile(rf"[\s,]+\b{_INSIDE}\s+{_ARTICLE}(?:{names})\s*[?.!]*\s*$", re.IGNORECASE),
    )


@cache
def _chinese_forms(names: str) -> tuple[re.Pattern[str], ...]:
    return (
        re.compile(rf"的\s*(?:{names})\s*[?？。!！]*\s*$"),
        re.compile(rf"^\s*(?:{names})[:：,，里中]\s*"),
        re.compile(rf"(?:在|从)?(?:{names})(?:里|中)\s*[?？。!！]*\s*$"),
    )
