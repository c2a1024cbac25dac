"""`make bench-page`: what a person waits for on the page, in Debian's chromium on the samples. Needs the extra `page`.

Knows the page's marks and a browser; the rows that need no Gradio beside them are bounds in milliseconds or bytes.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.measure import Row, show
from tests.page.conftest import ARGUMENTS, CHROMIUM, TOP, Server, rag, serving
from tests.page.test_layout import SHIFTS

FIRST, FINAL = 350, 700  # milliseconds after the last letter on a quiet machine
WORDS = ("lighthouse", "pump room", "harbour", "storm", "ferry")
MANY = 1_200  # results of the long list
FRAME = 20  # milliseconds that the slowest twentieth of frames may take longer than those of a blank page
SHIFT = 0.05  # cumulative
SCRIPTS = 200_000  # bytes of ours, as served, without Gradio's
LETTERS = "the quick brown fox jumps"
PATIENCE = 120_000  # milliseconds

# How long after the last change of the box the first of these marks was set.
AFTER_LAST_LETTER = """(marks) => new Promise((told) => {
    const look = () => {
        const set = marks.flatMap((mark) => performance.getEntriesByName(mark));
        const found = set.map((one) => one.startTime).filter((at) => at > window.lastLetter).sort((a, b) => a - b);
        if (found.length) told(found[0] - window.lastLetter); else setTimeout(look, 10);
    };
    look();
})"""
# The times between frames, in milliseconds, while the page is scrolled by `by` pixels a frame.
SCROLLED = """(by) => new Promise((told) => {
    const times = [];
    let before = performance.now(), left = 240;
    const frame = (now) => {
        times.push(now - before);
        before = now;
        scrollBy(0, by);
        left -= 1;
        if (left) requestAnimationFrame(frame); else told(times.slice(2));
    };
    requestAnimationFrame(frame);
})"""
# From a key to the frame that shows its letter.
LETTER = """() => {
    window.letters = [];
    document.querySelector("#rag-words").addEventListener("keydown", (event) => {
        const pressed = event.timeStamp;
        requestAnimationFrame(() => setTimeout(() => window.letters.push(performance.now() - pressed)));
    }, { capture: true });
}"""
# The box alone, as Gradio would mount it, without Gradio.
BARE = """<!doctype html><meta charset="utf-8"><body><div id="here"></div><script type="module">
    const { default: bar } = await import("%s");
    bar(document.getElementById("here"), {
        shared_props: { id: 1, dispatcher() {}, register_component() {} },
        props: {
            value: null, facets: null,
            indexes: [{ documents: 1, passages: 1, kinds: {}, folders: {}, roots: [], name: "a" }],
        },
    });
    document.documentElement.dataset.ready = "true";
</script>"""


def rows() -> Iterator[Row]:
    """All of them, in one browser."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with samples_served(Path(folder)) as server:
            yield from waits(opened(browser, server.url))
            yield shift(opened(browser, server.url, "?q=lighthouse"))
            yield scripts(browser, server)
            yield letters(browser, server)
        with long_list_served(Path(folder)) as server:
            yield scrolling(browser, server)
        browser.close()


@contextmanager
def samples_served(folder: Path) -> Iterator[Server]:
    """The samples; PAGE_TEST_INDEX may name an index of them that is made already."""
    index = Path(os.environ.get("PAGE_TEST_INDEX", folder / "indexes/samples"))
    if not index.exists():
        rag("index", str(TOP / "samples/corpus"), "--index", str(index), "--quiet", cwd=folder)
    with serving(folder, index) as server:
        yield server


@contextmanager
def long_list_served(folder: Path) -> Iterator[Server]:
    corpus = folder / "many"
    corpus.mkdir()
    for number in range(MANY):
        (corpus / f"log-{number}.txt").write_text(
            f"Harbour log of day {number}: tide {number * 7 % 40}, wind {number * 11 % 12}."
        )
    rag("index", str(corpus), "--index", str(folder / "indexes/many"), "--quiet", cwd=folder)
    with serving(folder, folder / "indexes/many") as server:
        yield server


def opened(browser: Browser, url: str, query: str = "") -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{url}/{query}")
    page.wait_for_selector("html[data-ready]")
    return page


def waits(page: Page) -> Iterator[Row]:
    """From the last letter to the first result painted, and to the final order."""
    box = page.locator("#rag-words")
    box.evaluate("box => box.addEventListener('input', (event) => { window.lastLetter = performance.now(); })")
    painted, settled = [], []
    for words in ("warm", *WORDS):
        box.fill("")
        box.press_sequentially(words, delay=60)
        painted.append(page.evaluate(AFTER_LAST_LETTER, ["rag:painted", "rag:settled"]))
        settled.append(page.evaluate(AFTER_LAST_LETTER, ["rag:settled"]))
    yield bounded("page: first result after the last letter", statistics.median(painted[1:]), FIRST, "ms")
    yield bounded("page: final order after the last letter", statistics.median(settled[1:]), FINAL, "ms")


def shift(page: Page) -> Row:
    """What moves while results load."""
    page.wait_for_selector('.search[data-settled="true"]')
    page.wait_for_timeout(2000)
    moved = float(page.evaluate(SHIFTS))
    return Row("page: layout shift while loading", f"{moved:.3f}", f"{SHIFT}", moved / SHIFT, "≤ 1", moved <= SHIFT)


def scripts(browser: Browser, server: Server) -> Row:
    """Every script of ours that a visit can load: bytes as they are served."""
    page = opened(browser, server.url)
    asked: set[str] = set()
    page.on("request", lambda one: asked.add(one.url.partition("?")[0]))
    page.goto(f"{server.url}/?q=porpoise&kind=page")
    page.wait_for_selector(".pane-view .facts")
    page.locator(".card-open").first.press("Enter")
    page.wait_for_selector("dialog.viewer .facts")
    page.goto(f"{server.url}/?tab=index")
    page.wait_for_selector(".figures")
    page.wait_for_timeout(500)
    return bounded(
        "page: scripts of ours", sum(len(page.request.get(url).body()) for url in asked if is_ours(url)), SCRIPTS, "bytes"
    )


def is_ours(url: str) -> bool:
    return "/gradio_api/custom_component/" in url and url.partition("?")[0].endswith(".js")


def letters(browser: Browser, server: Server) -> Row:
    """From a key to its letter: on the page, and the same box without Gradio."""
    page = opened(browser, server.url)
    script = next(
        url for url in page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)") if is_box(page, url)
    )
    bare = browser.new_page(viewport={"width": 1440, "height": 900})
    bare.route(f"{server.url}/bare", lambda route: route.fulfill(body=BARE % script, content_type="text/html"))
    bare.goto(f"{server.url}/bare")
    bare.wait_for_selector("#rag-words")
    times: dict[Page, list[float]] = {page: [], bare: []}
    for one in times:
        one.evaluate(LETTER)
    for _ in range(3):  # in turn, so that a busy moment meets both
        for one, found in times.items():
            one.bring_to_front()
            one.locator("#rag-words").fill("")
            one.locator("#rag-words").press_sequentially(LETTERS, delay=40)
            found[:] = one.evaluate("window.letters")
    measured, floor = statistics.median(times[page]), statistics.median(times[bare])
    return Row("page: a letter is seen", f"{measured:.1f} ms", f"{floor:.1f} ms", measured / floor, "≤ 2", measured <= 2 * floor)


def is_box(page: Page, url: str) -> bool:
    """Whether that script is the one of the search bar."""
    return is_ours(url) and url.endswith("index.js") and "rag-words" in page.request.get(url).text()


def scrolling(browser: Browser, server: Server) -> Row:
    """Frames while all results are scrolled through, beside a page with nothing in it."""
    blank = browser.new_page(viewport={"width": 1440, "height": 900})
    blank.set_content("<body style='height: 200000px'></body>")
    page = opened(browser, server.url, "?q=harbour")
    page.wait_for_selector('.search[data-settled="true"]')
    for _ in range(200):  # all results are there before they are scrolled through
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        if page.locator(".end", has_text="No more results").count():
            break
        page.wait_for_timeout(150)
    frames: dict[Page, list[float]] = {page: [], blank: []}
    for _ in range(3):
        for one, found in frames.items():
            one.bring_to_front()
            one.evaluate("scrollTo(0, 0)")
            found += one.evaluate(SCROLLED, 160)
    measured, floor = (statistics.quantiles(frames[one], n=20)[-1] for one in (page, blank))
    more = max(0.0, measured - floor)
    what = f"page: 95 % of frames, scrolling {MANY:,} results"
    return Row(what, f"{measured:.1f} ms", f"{floor:.1f} ms blank + {FRAME}", more / FRAME, "≤ 1", more <= FRAME)


def bounded(what: str, measured: float, most: float, unit: str) -> Row:
    return Row(what, f"{measured:,.0f} {unit}", f"{most:,} {unit}", measured / most, "≤ 1", measured <= most)


if __name__ == "__main__":
    table = []
    for each in rows():
        print(f"{each.what}: {each.measured}", file=sys.stderr, flush=True)  # on a busy machine it takes minutes
        table.append(each)
    show(table)
    sys.exit(not all(row.holds for row in table))
