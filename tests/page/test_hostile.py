"""A hostile corpus: markup in names, texts, pictures and headings is shown as written and never runs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import expect

from tests.page.conftest import Server, Visit, rag, serving

RUN = "window.ran=1"
TRICKS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><svg onload={RUN}>',
    f"' onmouseover='{RUN}' x='",
    f"javascript:{RUN}//",
    "${alert(1)} {{constructor.constructor('window.ran=1')()}}",
    "\u202egpj.exe",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    corpus = folder / "<b onclick=window.ran=1>corpus"
    below = corpus / "<img src=x onerror=window.ran=1>"
    below.mkdir(parents=True)
    for number, trick in enumerate(TRICKS):
        name = trick.replace("/", "_")[:80]
        (below / f"{name} {number}.txt").write_text(f"harbour {trick}\nharbour again: {trick}\n")
    (corpus / "page.html").write_text(f"<title>harbour {TRICKS[1]}</title><h1>harbour</h1><script>{RUN}</script><p>harbour</p>")
    (corpus / "note.md").write_text(f"# harbour {TRICKS[0]}\n\n[harbour](javascript:{RUN}) ![x]({TRICKS[2]}) harbour\n")
    (corpus / "drawing.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"><script>{RUN}</script><text>harbour</text></svg>'
    )
    (corpus / f"{TRICKS[1]}.jpg").write_text("not a picture")
    image = Image.new("RGB", (1100, 300), "white")
    ImageDraw.Draw(image).text((20, 60), f"harbour <img src=x onerror={RUN}>", fill="black", font=ImageFont.load_default(40))
    image.save(corpus / "words.png")
    (corpus / "words.png.txt").write_text(f"harbour caption {TRICKS[1]} {TRICKS[2]}")
    os.utime(corpus / "words.png")
    index = folder / "indexes" / "default"
    done = rag("index", str(corpus), "--index", str(index), "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    with serving(folder, index) as one:
        yield one


def test_nothing_of_a_hostile_corpus_runs(hostile: Server, visit: Visit) -> None:
    visitor = visit(hostile)
    page = visitor.search("?q=harbour")
    assert page.locator(".card").count() >= 8
    assert page.locator(".card", has_text="<script>window.ran=1<_script>").count() >= 1
    for number in range(page.locator(".card-open").count()):
        with page.expect_response(lambda answer: "/v1/passages/" in answer.url):
            page.locator(".card-open").nth(number).click()
        expect(page.locator("dialog.viewer .facts")).to_be_visible()
        page.locator("summary", has_text="Why this result").click()
        page.mouse.move(300, 300)
        page.keyboard.press("Escape")
        expect(page.locator("dialog.viewer")).to_be_hidden()
    page.locator("summary", has_text="Folder").click()
    expect(page.locator(".menu-option", has_text="<img src=x onerror=window.ran=1>")).to_be_visible()
    visitor.shot("hostile")
    page.locator(".menu-option", has_text="<img src=x onerror=window.ran=1>").click()
    expect(page.locator(".card").first).to_be_visible()
    visitor.settled()
    visitor.open("?tab=index")
    expect(page.locator(".skipped tr", has_text="onerror").first).to_be_visible()
    assert page.evaluate("window.ran") is None
    assert (
        page.locator("script:not([src])").evaluate_all(
            "scripts => scripts.filter((one) => one.textContent.includes('ran=1')).length"
        )
        == 0
    )


@pytest.mark.parametrize("trick", TRICKS)
def test_a_hostile_query_in_the_address_runs_nothing(hostile: Server, visit: Visit, trick: str) -> None:
    visitor = visit(hostile)
    page = visitor.open(f"?{httpx.QueryParams({'q': trick, 'sort': trick, 'path': trick})}")
    page.wait_for_selector(".search:not(.is-searching)")
    assert page.locator("#rag-words").input_value().strip() == trick.strip()
    assert page.evaluate("window.ran") is None


def test_the_policy_of_the_page_blocks_injected_scripts(hostile: Server, visit: Visit) -> None:
    """Even markup that got into the page would not run: no inline script, no handler, no eval, no other host."""
    visitor = visit(hostile)
    page = visitor.open()
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = 1";
            document.body.append(script);
            const holder = document.createElement("div");
            holder.innerHTML = "<img src=x onerror='window.ran = 2'>";
            document.body.append(holder);
            const elsewhere = document.createElement("img");
            elsewhere.src = "data:text/html,x";
            document.body.append(elsewhere);
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in line for line in visitor.said)
    visitor.said.clear()
