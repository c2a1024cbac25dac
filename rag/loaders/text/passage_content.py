"""What a model reads of a text passage.

Knows passages; knows no file and no format.
"""

from __future__ import annotations

from rag.types import Content, Passage

ARROW = " › "  # between the headings above a passage


def text_content(passage: Passage) -> Content:
    """What a model reads of a text passage: its sheet and headings, where its text does not contain them, then its text.

    Made from the passage alone: the file is not opened.
    """
    context = passage.context
    above = [step for step in (context.sheet, *context.heading.split(ARROW)) if step and step not in passage.text]
    return Content(modality="text", text=f"{ARROW.join(above)}\n{passage.text}" if above else passage.text)
