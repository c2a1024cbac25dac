"""The page of two processes behind a proxy that asks them in turn: a person does not notice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.round_robin import round_robin
from tests.page.conftest import Place, Visit, rag, serving

KEY = "0123456789abcdef"
MANY = 60  # results: three loads of the list


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("readers")
    (folder / "corpus").mkdir()
    for number in range(MANY):
        (folder / f"corpus/berth-{number}.txt").write_text(f"Berth {number} has a bollard of kind {number * 7}.")
    index = folder / "indexes/default"
    assert rag("index", str(folder / "corpus"), "--index", str(index), "--quiet", cwd=folder).returncode == 0
    with (
        serving(folder, index, key=KEY) as one,
        serving(folder, index, key=KEY) as other,
        round_robin([one.url, other.url]) as url,
    ):
        yield Place(url)


def test_two_processes_are_one_page(place: Place, visit: Visit) -> None:
    visitor = visit(place)
    page = visitor.open(f"?token={KEY}")
    visitor.ask("bollard")
    expect(page.locator(".told").first).to_contain_text(f"{MANY} results")
    for _ in range(100):
        if page.locator(".end").inner_text() == "No more results.":
            break
        page.mouse.wheel(0, 2_000)
        page.wait_for_timeout(100)
    assert page.locator(".card").last.get_attribute("aria-posinset") == str(MANY)
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator(".told").first).to_contain_text(f"{MANY} results")
    page.locator(".card-open").first.dblclick()
    expect(page.locator("dialog[open]")).to_contain_text("bollard")
