"""The tab where questions are asked, over a chat server that answers by script: streaming, sources, stopping, hostile answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.page.axe import violations
from tests.page.conftest import Server, Visit, Visitor, serving
from tests.unit.answers.chat_server import Script, chatting

FERRY = "when does the ferry sail in winter?"
ASKS = 40
FIRST = re.compile(r"<source 1: [^\n]*\n(.*?)\n</source 1>", re.S)
HOSTILE = (
    "<img src=x onerror=window.ran=1> ![pixel](http://evil.example/a.png) [click](http://evil.example/) https://evil.example/z "
    "<script>window.ran=1</script> <a href='http://evil.example'>x</a> **<b>bold</b>** [1](javascript:x) `<svg onload=x>`"
)


def words_of(messages: list[dict[str, Any]]) -> str:
    """The words of the last turn that the model is given."""
    content = messages[-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def quoting(messages: list[dict[str, Any]]) -> str:
    """Quotes the first source truly, then says something that none bears out."""
    found = FIRST.search(words_of(messages))
    quote = " ".join(found[1].split()[:5]).replace('"', "") if found else ""
    return f'It says so [1 "{quote}"]. The moon is made of green cheese [2].'


@pytest.fixture(scope="module")
def script() -> Script:
    return Script(context=32_000)


@pytest.fixture(scope="module")
def answering(samples: Path, tmp_path_factory: pytest.TempPathFactory, script: Script) -> Iterator[Server]:
    with chatting(script) as url, serving(tmp_path_factory.mktemp("ask"), samples, RAG_ANSWER_URL=url) as server:
        yield server


@pytest.fixture(autouse=True)
def as_new(script: Script) -> None:
    fresh = replace(Script(context=32_000, reply=quoting), bodies=script.bodies, paths=script.paths, ended=script.ended)
    script.__dict__.update(fresh.__dict__)
    script.ended.clear()


def settled(page: Page, state: str = "done") -> None:
    """Waits until the answer is in that state, and the chat shows it."""
    page.wait_for_selector(f'.asking[data-state="{state}"][data-told="true"]', state="attached")


def ask(page: Page, question: str, state: str = "done") -> None:
    page.locator("#rag-question").fill(question)
    page.locator("#rag-question").press("Enter")
    expect(page.locator("#rag-chat").get_by_text(question, exact=True).last).to_be_visible()
    settled(page, state)


def chat(page: Page) -> str:
    return page.locator("#rag-chat [role=log]").inner_text()


def test_an_answer_streams_with_sources_that_open_at_their_place(answering: Server, script: Script, visit: Visit) -> None:
    script.pause = 0.05
    visitor = visit(answering)
    page = visitor.open("?tab=ask")
    expect(page.get_by_role("heading", name="Ask your files")).to_be_visible()
    expect(page.locator("#rag-question")).to_be_focused()
    page.locator("#rag-question").fill(FERRY)
    page.locator("#rag-question").press("Enter")
    expect(page.locator(".source").first).to_be_visible()  # before the answer is written
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.locator("#rag-chat")).to_contain_text("It says so")
    assert page.locator(".asking").get_attribute("data-state") == "writing"
    settled(page)
    expect(page.get_by_role("heading", name="Sources", exact=True)).to_be_visible()
    assert page.locator(".source-cards").first.locator(".source").count() == 2  # those that are cited
    marks = page.locator("#rag-chat mark")
    assert marks.all_inner_texts() == ["The moon is made of green cheese [2]."]
    expect(page.locator("#rag-chat small")).to_have_text("not verified")
    assert page.locator(".source-quote").count() == 1
    assert page.url.endswith("?q=when+does+the+ferry+sail+in+winter%3F&tab=ask")
    visitor.shot("ask")

    page.locator("#rag-chat").get_by_role("link", name="[2]").click()
    card = page.locator('.source[data-number="2"]')
    expect(card.locator(".source-open")).to_be_focused()
    assert "#" not in page.url
    page.keyboard.press("Enter")
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    assert f"open={card.get_attribute('data-id')}" in page.url and "tab=ask" in page.url
    page.keyboard.press("ArrowLeft")  # the source before it
    expect(page).to_have_url(re.compile(f"open={page.locator('.source').first.get_attribute('data-id')}"))
    page.keyboard.press("Escape")
    expect(page.locator("dialog.viewer")).to_be_hidden()
    expect(page.locator(".source-open").first).to_be_focused()


def test_a_follow_up_keeps_the_conversation_also_after_a_reload(answering: Server, script: Script, visit: Visit) -> None:
    page = visit(answering).open("?tab=ask")
    ask(page, FERRY)
    page.reload()
    settled(page)
    asked = len(script.bodies)
    expect(page.locator("#rag-chat")).to_contain_text(FERRY)
    ask(page, "and in summer?")
    turns = [turn["content"] for turn in script.bodies[-1]["messages"] if turn["role"] != "system"]
    assert turns[0] == f"Question: {FERRY}" and "green cheese" in turns[1] and len(turns) == 3
    assert len(script.bodies) == asked + 2  # one rewrites the follow-up
    page.locator("#rag-chat").get_by_role("link", name="[2]").first.click()  # of the first answer
    expect(page.locator("#rag-source-1-2 .source-open")).to_be_focused()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#rag-chat")).to_be_hidden()
    assert page.url.endswith("?tab=ask")
    ask(page, FERRY)
    assert len(script.bodies[-1]["messages"]) == 2


@pytest.mark.parametrize("how", ["key", "button", "leaving"])
def test_stopping_ends_the_work_of_the_model(answering: Server, script: Script, visit: Visit, how: str) -> None:
    script.reply, script.pause = lambda _: "word " * 3_000, 0.01
    page = visit(answering).open("?tab=ask")
    page.locator("#rag-question").fill(FERRY)
    page.locator("#rag-question").press("Enter")
    expect(page.locator("#rag-chat")).to_contain_text("word word word")
    assert not script.ended.is_set()
    if how == "leaving":
        page.goto("about:blank")
    elif how == "key":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Stop").click()
    assert script.ended.wait(20)
    if how != "leaving":
        settled(page, "stopped")
        assert chat(page).rstrip().endswith("Stopped.") and "word" in chat(page)
        script.reply, script.pause = quoting, 0.0
        ask(page, "and in summer?")


def test_it_never_hangs(answering: Server, script: Script, visit: Visit) -> None:
    page = visit(answering).open("?tab=ask")
    for number in range(ASKS):
        ask(page, f"Question {number}: which ferry?")
        expect(page.locator("#rag-chat mark").last).to_have_text("The moon is made of green cheese [2].")
        if number % 8 == 7:
            page.get_by_role("button", name="Clear").click()
            expect(page.locator("#rag-chat")).to_be_hidden()


@pytest.mark.complains  # the browser notes what was lost
def test_events_that_are_lost_are_triggered_again(answering: Server, visit: Visit) -> None:
    page = visit(answering).open("?tab=ask")
    lost: list[str] = []

    def lose(route: Any) -> None:
        if '"messages"' in (route.request.post_data or "") and len(lost) < 3:
            lost.append(route.request.url)
            route.abort() if len(lost) == 1 else route.fulfill(status=503, body="{}")
        else:
            route.continue_()

    page.route("**/gradio_api/run/predict**", lose)
    ask(page, FERRY)
    assert len(lost) == 3 and "green cheese" in chat(page)


def test_what_the_files_do_not_tell_and_answers_without_sources(answering: Server, script: Script, visit: Visit) -> None:
    page = visit(answering).open("?tab=ask")
    script.reply = lambda _: "NOT IN THE FILES. Nobody wrote of cheese."
    ask(page, "is the moon made of cheese?")
    expect(page.locator("#rag-chat strong")).to_have_text("The files do not tell.")
    assert "Nobody wrote of cheese." in chat(page) and page.locator(".source-quote").count() == 0
    script.reply = lambda _: "Surely it is."
    ask(page, "surely?")
    expect(page.locator("#rag-chat mark").last).to_contain_text("No sentence of this answer names a source")


def test_a_model_that_fails_can_be_asked_again(answering: Server, script: Script, visit: Visit) -> None:
    page = visit(answering).open("?tab=ask")
    script.fault = "error"
    ask(page, FERRY, "failed")
    expect(page.locator(".ask-bar [role=alert]")).to_contain_text("the engine died")
    script.fault = ""
    page.get_by_role("button", name="Try again").click()
    settled(page)
    expect(page.locator(".ask-bar [role=alert]")).to_have_count(0)
    assert chat(page).count(FERRY) == 1 and "green cheese" in chat(page)


def test_nothing_that_a_model_writes_is_markup(answering: Server, script: Script, visit: Visit) -> None:
    """Also nothing of a question: no element but ours, no other host, no script."""
    script.reply = lambda _: f"{HOSTILE}\n\n# {HOSTILE}\n- {HOSTILE}\n\n| {HOSTILE} |\n|---|\n\n```html\n{HOSTILE}\n```\n[1]"
    page = visit(answering).open("?tab=ask")
    ask(page, "what is <img src=x onerror=window.ran=1> ![x](http://evil.example/q.png)?")
    log = page.locator("#rag-chat [role=log]")
    assert log.locator("img, script, iframe, object, form, input, svg[onload], b, table, pre").count() == 0
    hrefs = log.locator("a").evaluate_all("links => links.map((one) => one.getAttribute('href'))")
    assert set(hrefs) <= {"#rag-source-1-1"}
    assert "<img src=x onerror=window.ran=1>" in chat(page) and "https://evil.example/z" in chat(page)
    assert page.evaluate("window.ran") is None


@pytest.mark.complains  # the browser notes that the server answers 503
def test_without_a_model_the_page_says_which_settings_are_missing(server: Server, visit: Visit) -> None:
    page = visit(server).open("?tab=ask&q=lighthouse")
    settled(page, "evidence")
    told = chat(page)
    assert "No chat model is set" in told and "rag serve answerer" in told
    assert all(name in told for name in ("answer_url", "answer_model", "answer_key"))
    kinds = page.locator(".source .badge").all_inner_texts()
    assert "Text" in kinds and "Image" in kinds
    page.locator(".source", has_text="gull-head.jpg").locator(".source-open").first.click()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()


def test_filters_and_the_address_hold_for_both_tabs(answering: Server, visit: Visit) -> None:
    page = visit(answering).open("?q=lighthouse&kind=image")
    page.get_by_role("tab", name="Ask").click()
    expect(page.locator("#rag-question")).to_have_value("lighthouse")
    expect(page.locator('.ask-bar [data-key="kind-image"]')).to_have_attribute("aria-pressed", "true")
    page.locator("#rag-question").press("Enter")
    settled(page)
    assert set(page.locator(".source .badge").all_text_contents()) == {"Image"}
    page.locator('.ask-bar [data-key="kind-image"]').click()
    page.locator('.ask-bar [data-key="kind-page"]').click()
    ask(page, "harbour dues")
    assert set(page.locator(".source .badge").all_text_contents()) == {"Page"}
    page.get_by_role("tab", name="Search").click()
    expect(page.locator("#rag-words")).to_have_value("harbour dues")
    page.wait_for_selector('.search[data-words="harbour dues"]')
    expect(page.locator('#rag-search [data-key="kind-page"]')).to_have_attribute("aria-pressed", "true")
    page.get_by_role("tab", name="Ask").click()
    expect(page.locator("#rag-chat")).to_contain_text("harbour dues")
    page.locator(".source-open").first.click()
    page.get_by_role("button", name="More like this").click()
    expect(page.get_by_role("tab", name="Search")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".card").first).to_be_visible()


def test_a_picture_dropped_where_questions_are_asked_is_searched_for(answering: Server, visit: Visit) -> None:
    page = visit(answering).open("?tab=ask")
    page.evaluate(
        """async () => {
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = 64;
            canvas.getContext("2d").fillRect(0, 0, 40, 40);
            const blob = await new Promise((made) => canvas.toBlob(made));
            const carried = new DataTransfer();
            carried.items.add(new File([blob], "x.png", { type: "image/png" }));
            dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.get_by_role("tab", name="Search")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".box-picture")).to_be_visible()


def test_keys_in_the_box(answering: Server, script: Script, visit: Visit) -> None:
    page = visit(answering).open("?tab=ask")
    before = len(script.bodies)
    box = page.locator("#rag-question")
    box.press("Enter")  # nothing is written yet
    box.type("one")
    box.press("Shift+Enter")
    box.type("two")
    assert box.input_value() == "one\ntwo" and len(script.bodies) == before
    page.locator(".ask-send").focus()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    box.press("Enter")
    settled(page)
    assert "one two" in words_of(script.bodies[-1]["messages"]).replace("\n", " ")


@pytest.mark.parametrize(("width", "height", "scheme"), [(390, 844, "dark"), (1280, 860, "light"), (1280, 860, "dark")])
def test_it_fits_and_is_accessible(answering: Server, visit: Visit, width: int, height: int, scheme: str) -> None:
    visitor: Visitor = visit(answering, width=width, height=height, color_scheme=scheme)
    page = visitor.open("?tab=ask")
    assert violations(page) == []
    ask(page, FERRY)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [page.locator(name).bounding_box() for name in ("#rag-chat", ".ask-sources", ".ask-form")]
    chat_box, sources, form = boxes
    assert chat_box is not None and sources is not None and form is not None
    assert form["y"] + form["height"] <= height and chat_box["y"] >= 50
    beside = sources["x"] >= chat_box["x"] + chat_box["width"] - 1
    assert beside == (width > 1000) and (beside or sources["y"] >= chat_box["y"] + chat_box["height"] - 1)
    visitor.shot(f"ask-{width}-{scheme}")


def test_it_speaks_chinese(answering: Server, visit: Visit) -> None:
    page = visit(answering, locale="zh-CN").open("?tab=ask")
    expect(page.get_by_role("tab", name="提问")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("heading", name="向你的文件提问")).to_be_visible()
    ask(page, FERRY)
    expect(page.locator("#rag-chat small")).to_have_text("未核实")
    expect(page.get_by_role("heading", name="来源", exact=True)).to_be_visible()
