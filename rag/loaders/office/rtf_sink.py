"""Where the text of an RTF group goes: paragraphs, tables with a line per row, and what notes say behind them.

Knows paragraphs and cells; knows no word of RTF.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rag.loaders.office.rtf_charsets import joined_surrogates


@dataclass(slots=True)
class Sink:
    """Where text goes: the document, or a note, header or box in it."""

    kind: str
    depth: int  # of its group
    pieces: list[str] = field(default_factory=list)  # of the open paragraph
    hidden: list[str] = field(default_factory=list)  # of the open paragraph: words that are not shown
    cell: list[str] = field(default_factory=list)  # finished paragraphs of the open cell
    cells: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # by notes, for behind the paragraph
    blocks: list[tuple[int, str]] = field(default_factory=list)  # (heading level or 0, text)
    level: int = 0  # of the open paragraph, if it is a heading
    in_table: bool = False

    def hide(self, text: str) -> None:
        """Adds text that is not shown to the open paragraph."""
        self.hidden.append(text)

    def add(self, text: str) -> None:
        """Adds text to the open paragraph."""
        self.pieces.append(text)
        if self.hidden and self.hidden[-1] != " ":
            self.hidden.append(" ")  # what is hidden elsewhere is another word

    def end_paragraph(self) -> None:
        """Ends the open paragraph: a block, or a line of the open cell."""
        text = self._taken()
        if self.in_table:
            self.cell += [text] if text else []
            return
        self._end_table()
        if text:
            self.blocks.append((self.level, " ".join(text.split()) if self.level else text))
        self._give_said()

    def end_cell(self) -> None:
        """Ends the open cell of the open row."""
        self.cells.append(" ".join(" ".join([*self.cell, self._taken()]).split()))
        self.cell.clear()

    def end_row(self) -> None:
        """Ends the open row; rows without text are left out."""
        if any(self.cells):
            self.rows.append(" | ".join(self.cells))
        self.cells.clear()

    def finish(self) -> None:
        """Ends what is open."""
        text = self._taken()
        self._end_table()
        if text:
            self.blocks.append((0, text))
        self._give_said()

    def _taken(self) -> str:
        seen, unseen = "".join(self.pieces), "".join(self.hidden).strip()
        text = joined_surrogates(f"{seen} {unseen}" if unseen else seen)
        self.pieces.clear()
        self.hidden.clear()
        return "\n".join(line.strip() for line in text.split("\n") if line.strip())

    def _end_table(self) -> None:
        if self.cells or self.cell:
            self.rows.append(" | ".join(filter(None, [*self.cells, *self.cell])))
            self.cells, self.cell = [], []
        if self.rows:
            self.blocks.append((0, "\n".join(filter(None, self.rows))))
            self.rows = []

    def _give_said(self) -> None:
        self.blocks += [(0, text) for text in self.said]
        self.said.clear()
