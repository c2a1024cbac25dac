"""Several results selected, taken away as text and judged; searches that this browser remembers."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.axe import violations
from tests.page.conftest import Server, Visit, rag


def saved(page: Page, button: str) -> str:
    """The text of the file that a button saves."""
    with page.expect_download() as download:
        page.locator(".picked").get_by_role("button", name=button).click()
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_selected_results_are_taken_away(server: Server, visit: Visit) -> None:
    visitor = visit(server, 1440, 900, permissions=["clipboard-read", "clipboard-write"])
    page = visitor.search("?q=harbour")
    names = page.locator(".card h3").all_inner_texts()
    page.locator(".card").nth(1).hover()
    page.locator(".card-pick").nth(1).check()
    page.locator(".card-open").first.focus()
    page.keyboard.press("x")
    bar = page.locator(".picked")
    expect(bar).to_contain_text("2 results selected")
    assert violations(page) == []
    visitor.shot("selection")
    bar.get_by_role("button", name="Copy as Markdown").click()
    expect(bar).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    first, second = (re.sub(r"([_])", r"\\\1", name) for name in names[:2])
    assert copied.startswith(f"1. **{first}**") and f"\n2. **{second}**" in copied
    found = json.loads(saved(page, "JSON"))
    assert (found["query"], [one["rank"] for one in found["hits"]]) == ("harbour", [1, 2])
    rows = list(csv.DictReader(saved(page, "CSV").lstrip("\ufeff").splitlines()))
    assert [row["name"] for row in rows] == names[:2]
    page.locator(".card-open").first.focus()
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 result selected")
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar).to_be_hidden()
    expect(page.locator(".card-pick:checked")).to_have_count(0)


def test_thumbs_make_a_file_that_rag_eval_reads(server: Server, samples: Path, tmp_path: Path, visit: Visit) -> None:
    page = visit(server, 1440, 900).search("?q=lighthouse")
    page.locator(".card-open").first.focus()
    page.keyboard.press("x")
    page.locator(".picked").get_by_role("button", name="Good results").click()
    expect(page.locator(".picked")).to_contain_text("1 result judged")
    page.keyboard.press("Escape")
    file = tmp_path / "judgements.jsonl"
    file.write_text(saved(page, "Save 1 judgement"))
    assert json.loads(file.read_text())["grade"] == 1
    done = rag("eval", str(file), "--index", str(samples), "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["all"]["fused"]["queries"] == 1


def test_searches_are_remembered_and_saved(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    page = visitor.open()
    visitor.ask("lighthouse")
    page.get_by_role("button", name="Save this search").click()
    expect(page.get_by_role("button", name="Remove from the saved searches")).to_be_visible()
    visitor.ask("harbour dues")
    page.get_by_role("button", name="Clear", exact=True).click()
    memory = page.locator(".remembered")
    expect(memory.locator(".remembered-list").first.locator("a")).to_have_text(["lighthouse"])
    expect(memory.locator(".remembered-list").nth(1).locator("a")).to_have_text(["harbour dues", "lighthouse"])
    assert violations(page) == []
    visitor.shot("remembered")
    memory.get_by_role("link", name="harbour dues").click()
    visitor.settled()
    assert page.url.endswith("?q=harbour+dues")
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_role("button", name="Forget recent searches").click()
    expect(memory.locator("a")).to_have_text(["lighthouse"])
    page.get_by_role("button", name="Forget lighthouse").click()
    expect(memory.locator("a")).to_have_count(0)
