"""Proves the small tier: its files are whole, and both encoders tell a known answer from a wrong one.

Knows the tier and fixed inputs; knows no index and prints nothing.
"""

from __future__ import annotations

import numpy as np

from rag.backends.base import Choice
from rag.backends.small.files import folder_of, missing
from rag.errors import RagError
from rag.models.check_embedder import OTHERS, QUERY, RELEVANT, known_pair, same_in_batch
from rag.models.probe import Finding, reporter
from rag.types import Content

SUBJECT = "embedder small"
COLOURS = {"a red picture": (220, 30, 30), "a green picture": (30, 160, 50), "a blue picture": (30, 60, 220)}
SIDE = 224  # pixels


def prove_small(choice: Choice) -> list[Finding]:
    """The findings for the small tier that a choice names. Whatever is wrong with it is a finding, not an error."""
    from rag.backends.small.embedder import SmallEmbedder

    report, folder = reporter(SUBJECT), folder_of(choice.model)
    if lacking := missing(folder):
        remedy = "`rag index FOLDER --model small` downloads them once; docs/models.md says where they are published"
        return [report("files", "failed", f"{folder} lacks {', '.join(lacking)}", remedy)]
    try:
        embedder = SmallEmbedder(choice)
        texts = [Content("text", text=text) for text in (OTHERS[0], RELEVANT, OTHERS[1])]
        rows = embedder.embed(texts, role="document")
        alone = embedder.embed(texts[1:2], role="document")[0]
        (asked,) = embedder.embed([Content("text", text=QUERY)], role="query")
        pictures = [Content("image", pixels=(np.full((SIDE, SIDE, 3), colour, np.uint8),)) for colour in COLOURS.values()]
        seen = embedder.embed(pictures, role="document")
        named = embedder.embed([Content("text", text=name) for name in COLOURS], role="query")
    except RagError as error:
        return [report("loads", "failed", error.what, error.remedy)]
    near = named @ seen.T
    right = [int(row.argmax()) == at for at, row in enumerate(near)]
    scores = rows @ asked
    told = f"{sum(right)} of {len(right)} plain colours are nearest to their own name"
    remedy = "check that these are the trained weights" if not all(right) else ""
    return [
        report("files", "ok", f"{folder}: {embedder.fingerprint.preprocessing}, revision {embedder.fingerprint.revision}", ""),
        same_in_batch(report, alone.tolist(), rows.tolist()),
        known_pair(report, float(scores[1]), float(max(scores[0], scores[2]))),
        report("pictures", "ok" if all(right) else "warning", told, remedy),
    ]
