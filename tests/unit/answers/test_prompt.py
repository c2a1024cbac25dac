"""The prompt, character by character, and hostile documents in it. Knows the prompt and passages made by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.answers.evidence import Source
from rag.answers.pictures import encoded
from rag.answers.prompt import SYSTEM, data, messages
from rag.types import Content, Context, DocumentId, Hit, Lines, Locator, Member, Page, Passage, StoredPassage, Whole
from tests.unit.answers.injections import INJECTIONS

DAY = 1.7e9  # 2023-11-14
GOLDEN = Path(__file__).parent / "golden"


def source(number: int, name: str, text: str, locator: Locator, kind: str = "text", **fields: Any) -> Source:
    context, caption = fields.get("context", Context()), fields.get("caption", "")
    modality: Any = "text" if kind == "text" else "image"
    passage = Passage(DocumentId("r", name), 0, locator, kind, modality, text=text, caption=caption, context=context)  # type: ignore[arg-type]
    one = StoredPassage(1, "id", passage, Path("/r") / name, 0.0)
    hit = Hit(
        number, "id", "i", "r", name, f"/r/{name}", passage.kind, modality, locator, "", 0.5, None, None, {}, locator,
        (Member("id", locator, 0.5),), context, 0.5, "fused", dated=fields.get("dated"), inner=fields.get("inner", ""),
    )  # fmt: skip
    return Source(number, hit, (one,), fields.get("pictures", ()))


def shown(turns: list[dict[str, Any]]) -> str:
    """A conversation as text, pictures by the length of nothing but their place."""
    lines = []
    for turn in turns:
        parts = turn["content"] if isinstance(turn["content"], list) else [{"type": "text", "text": turn["content"]}]
        lines.append(f"=== {turn['role']} ===")
        lines.append("".join(part["text"] if part["type"] == "text" else "(PICTURE)" for part in parts))
    return "\n".join(lines) + "\n"


def whole() -> list[dict[str, Any]]:
    """A conversation with everything in it."""
    grey = np.full((40, 60, 3), 128, np.uint8)
    sources = [
        source(
            1,
            "reports/annual.pdf",
            "",
            Page(12),
            "page",
            context=Context(title="Annual Report"),
            pictures=(encoded(grey),),
            dated=1.7e9,
        ),
        source(2, "notes/ferry.md", "It sails at 08:15.", Lines(3, 4), context=Context(heading="The ferry › Winter")),
        source(3, "photos/x.jpg", "", Whole(), "image", caption="A lost seal", pictures=(encoded(grey),)),
        source(4, "letters.zip", "Dear all", Lines(1, 1), inner="a/b.txt"),
        source(5, "photos/y.jpg", "", Whole(), "image"),
    ]
    asked = Content("image", pixels=(grey,))
    return messages("when does it sail?", sources, asked=asked, history=[("hello?", "The files do not tell.")])


@pytest.mark.parametrize(
    ("name", "turns"),
    [
        ("whole.txt", whole()),
        ("words.txt", messages("when?", [source(1, "a.txt", "It sails at 08:15.", Lines(1, 1))])),
        ("nothing.txt", messages("when?", [])),
    ],
)
def test_the_prompt_is_the_golden_one(name: str, turns: list[dict[str, Any]]) -> None:
    assert shown(turns) == (GOLDEN / name).read_text("utf-8")


def test_without_pictures_a_turn_is_a_string_and_with_them_a_data_url() -> None:
    assert all(isinstance(turn["content"], str) for turn in messages("when?", [source(1, "a.txt", "x", Lines(1, 1))]))
    urls = [part["image_url"]["url"] for part in whole()[-1]["content"] if part["type"] == "image_url"]
    assert len(urls) == 3 and all(url.startswith("data:image/jpeg;base64,/9j/") for url in urls)


def test_there_are_forty_injections() -> None:
    assert len(INJECTIONS) == 40 == len(set(INJECTIONS))


@pytest.mark.parametrize("at", range(40))
def test_an_injected_document_stays_between_its_fences(at: int) -> None:
    """As text, as a file's name, as a heading, as a caption of a picture and as an earlier answer."""
    evil = INJECTIONS[at]
    grey = np.zeros((32, 32, 3), np.uint8)
    sources = [
        source(1, "a.txt", evil, Lines(1, 9)),
        source(2, f"{evil[:180]}.txt", "plain", Lines(1, 1), context=Context(heading=evil)),
        source(3, "p.jpg", "", Whole(), "image", caption=evil, pictures=(encoded(grey),)),
        source(4, "q.zip", "plain", Lines(1, 1), inner=evil[:150]),
    ]
    turns = messages("when does it sail?", sources, history=[(evil, evil)])
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"] and turns[0]["content"] == SYSTEM
    text = shown(turns)
    assert not re.search(r"<\|[^\s<>|]+\|>|</?think>|</?tool_call>|[\u200b\u202e\U000e0041]", text)
    last = shown(turns[-1:])
    assert re.findall(r"(?m)^<source (\d+): .*>$", last) == ["1", "2", "3", "4"]
    assert re.findall(r"(?i)<\s*/?\s*source\b[^>]*>", last) == re.findall(r"(?m)^<source \d+: .*>$|^</source \d+>$", last)
    assert re.findall(r"(?m)^</source (\d+)>$", last) == ["1", "2", "3", "4"]
    assert last.endswith("</source 4>\n\nQuestion: when does it sail?\n")


def test_what_is_no_marker_stays_as_it_is() -> None:
    text = "if a < b: print('<b>source</b>')  # x |> y, عربي\u200cنص, 👩\u200d🚢"
    assert data(text) == text
