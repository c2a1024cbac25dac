"""Reads the texts of words/: pages split by ===== and cut into headings, paragraphs, bullets, tables, figures.

Knows no output format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from samples.make.places import WORDS

Shape = Literal["title", "heading", "paragraph", "bullets", "table", "figure"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a text: its words, or its rows."""

    shape: Shape
    words: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def read_pages(name: str) -> list[list[Block]]:
    """The blocks of every page of words/`name`.md."""
    text = (WORDS / f"{name}.md").read_text(encoding="utf-8")
    return [[_block(part) for part in re.split(r"\n\s*\n", page.strip())] for page in text.split("\n=====\n")]


def _block(part: str) -> Block:
    lines = part.strip().splitlines()
    first = lines[0]
    if first.startswith("## "):
        return Block("heading", first[3:])
    if first.startswith("# "):
        return Block("title", first[2:])
    if first.startswith("[figure "):
        return Block("figure", first[8:-1])
    if first.startswith("|"):
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
        return Block("table", rows=tuple(row for row in rows if set("".join(row)) != {"-"}))
    if first.startswith("- "):
        items = re.split(r"\n- ", part.strip()[2:])
        return Block("bullets", rows=tuple((" ".join(item.split()),) for item in items))
    return Block("paragraph", " ".join(part.split()))
