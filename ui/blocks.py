"""The page as a `gr.Blocks`: its components, and what happens between them.

Knows Gradio and the components; what an event does is in `searching`, `shelves` and `endpoints`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from rag.search.options import MOST_UNLIKE
from ui.components.ask_box import AskBox
from ui.components.index_panel import IndexPanel
from ui.components.results import Results
from ui.components.search_bar import SearchBar
from ui.components.top_bar import TopBar
from ui.components.viewer import Viewer
from ui.connection import Connection
from ui.endpoints import add_endpoints
from ui.searching import Searches
from ui.shelves import Shelves
from ui.values import NO_FILTERS, chat_messages, facets_value

LABELS = {
    "en": {"search": "Search", "ask": "Ask", "index": "Index"},
    "zh": {"search": "搜索", "ask": "提问", "index": "索引"},
}
LOOK_OFTEN = 1.0  # seconds between two looks at the indexes, while the index tab is open
LOOK_SELDOM = 4.0  # else
START_COOKIE = "rag_start_"  # how the names of the cookies begin that stand for the key of a start
# Events are requests of their own and not entries of Gradio's queue: the queue closes its stream to a page when nothing waits
# there, and an event that joins just then is never answered. Our server bounds what is computed at a time.
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}


def search_page(connection: Connection) -> gr.Blocks:
    """The whole page over an API: to be launched, mounted, or rendered in another `gr.Blocks` with its `render()`."""
    page: gr.Blocks
    with gr.Blocks(title="rag", analytics_enabled=False, fill_width=True) as page:
        top = TopBar(elem_id="rag-top")
        with gr.Tabs(elem_id="rag-tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab(LABELS["en"]["search"], id="search") as search_tab:
                bar = SearchBar(elem_id="rag-search")
                with gr.Row(elem_id="rag-found"):
                    results = Results(elem_id="rag-results", previews=True)
                    pane = Viewer(elem_id="rag-pane", beside=True)
            with gr.Tab(LABELS["en"]["ask"], id="ask") as ask_tab, gr.Row(elem_id="rag-ask"):
                chat = conversation()
                ask = AskBox(elem_id="rag-ask-box")
            with gr.Tab(LABELS["en"]["index"], id="index") as index_tab:
                panel = IndexPanel(elem_id="rag-index")
        viewer = Viewer(elem_id="rag-viewer")  # of every tab: nothing of a tab that is not chosen is seen
        clock = gr.Timer(LOOK_SELDOM)
        add_search(connection, bar, results, viewer)
        results.preview(_opened, None, pane, trigger_mode="always_last", **QUIET)
        add_asking(ask, chat, viewer)
        for opened in (viewer, pane):
            add_like(bar, opened, top, tabs)
        add_indexes(connection, page, (bar, ask, panel), (top, tabs), clock)
        add_tabs(top, tabs, {"search": search_tab, "ask": ask_tab, "index": index_tab}, clock)
        add_endpoints(connection)
    page.queue(api_open=False, max_size=256)
    return page


def add_search(connection: Connection, bar: SearchBar, results: Results, viewer: Viewer) -> None:
    """The events of searching: from the bar to the results, from a result to the viewer and back to the bar."""
    searches = Searches(connection)

    def shown(query: Mapping[str, Any] | None, found: dict[str, Any] | None) -> tuple[Any, Any]:
        if found is None:
            return gr.skip(), gr.skip()
        answer = found["answer"]
        return found, gr.skip() if answer is None else gr.update(facets=facets_value(query or {}, answer))

    async def find(query: dict[str, Any] | None, request: gr.Request) -> tuple[Any, Any]:
        return shown(query, await searches.first(query, str(request.session_hash)))

    async def settle(query: dict[str, Any] | None, request: gr.Request) -> tuple[Any, Any]:
        return shown(query, await searches.settled(query, str(request.session_hash)))

    async def more(query: dict[str, Any], event: gr.EventData) -> Any:
        return await searches.more(query, str(event._data["cursor"]))

    def unfiltered(query: Mapping[str, Any]) -> dict[str, Any]:
        return {**query, **NO_FILTERS}

    found = gr.on([bar.change, results.retry], find, bar, [results, bar], trigger_mode="multiple", **QUIET)
    found.then(settle, bar, [results, bar], trigger_mode="multiple", **QUIET)
    results.more(more, bar, results, **QUIET)
    results.select(_opened, None, viewer, trigger_mode="multiple", **QUIET)
    results.clear(unfiltered, bar, bar, **QUIET)


def conversation() -> gr.Chatbot:
    """The chat: what is said in it is made of words in the browser, where nothing but our own is markup."""
    return gr.Chatbot(
        elem_id="rag-chat",
        show_label=False,
        container=False,
        height=None,
        layout="panel",
        buttons=[],
        feedback_options=None,
        latex_delimiters=[],
        allow_file_downloads=False,
    )


def add_asking(ask: AskBox, chat: gr.Chatbot, viewer: Viewer) -> None:
    """The events of asking: from the box to the chat, from a source to the viewer."""

    def told(value: Mapping[str, Any] | None) -> tuple[list[dict[str, str]], Any]:
        return chat_messages(value), gr.update(shown=0 if value is None else value["number"])

    def cleared() -> None:
        return None

    ask.change(told, ask, [chat, ask], trigger_mode="multiple", **QUIET)
    ask.select(_opened, None, viewer, trigger_mode="multiple", **QUIET)
    chat.clear(cleared, None, ask, **QUIET)


def add_like(bar: SearchBar, viewer: Viewer, top: TopBar, tabs: gr.Tabs) -> None:
    """More like what is opened: a search, in its tab; or the search of the page, with less like it."""

    def like(query: dict[str, Any], value: Mapping[str, Any] | None, event: gr.EventData) -> tuple[Any, Any, Any]:
        if event._data.get("less"):
            less = [*dict.fromkeys([*query.get("less", ()), event._data["id"]])]
            return gr.skip(), gr.skip(), query | {"less": less[-MOST_UNLIKE:]}
        others = [one for one in query["indexes"] if one != event._data["index"]]
        asked = {"like": event._data["id"], "words": "", "pictures": [], "less": [], "indexes": [event._data["index"], *others]}
        return _on(value, "search"), gr.Tabs(selected="search"), query | asked

    viewer.like(like, [bar, top], [top, tabs, bar], **QUIET)


def add_indexes(
    connection: Connection,
    page: gr.Blocks,
    shown: tuple[SearchBar, AskBox, IndexPanel],
    placed: tuple[TopBar, gr.Tabs],
    clock: gr.Timer,
) -> None:
    """The events of indexes: a look at the start and with every tick; jobs started and stopped.

    `shown` show them; a job that is started where nothing is indexed yet leads to the tab of indexes, of `placed`.
    """
    bar, ask, panel = shown
    top, tabs = placed
    shelves = Shelves(connection)
    seen = gr.State("")

    async def look(before: str, request: gr.Request) -> tuple[Any, Any, Any, str]:
        value = await shelves.value(_cookies(request))
        print_ = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        if print_ == before:
            return gr.skip(), gr.skip(), gr.skip(), before
        facts = [one["facts"] for one in value["indexes"]]
        return value, gr.update(indexes=facts, manage=value["manage"]), gr.update(indexes=facts), print_

    async def start(event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        cookies = _cookies(request)
        return await shelves.value(cookies, await shelves.start(cookies, event._data))

    async def stop(event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        cookies = _cookies(request)
        return await shelves.value(cookies, await shelves.stop(cookies, event._data["id"]))

    async def begin(value: Mapping[str, Any] | None, event: gr.EventData, request: gr.Request) -> tuple[Any, Any, Any]:
        return _on(value, "index"), gr.Tabs(selected="index"), await start(event, request)

    gr.on([page.load, clock.tick], look, seen, [panel, bar, ask, seen], **QUIET)
    panel.start(start, None, panel, **QUIET)
    panel.stop(stop, None, panel, **QUIET)
    bar.start(begin, top, [top, tabs, panel], **QUIET)


def add_tabs(top: TopBar, tabs: gr.Tabs, named: Mapping[str, gr.Tab], clock: gr.Timer) -> None:
    """The address chooses a tab, and a chosen tab changes the address."""

    def told(value: Mapping[str, Any] | None) -> tuple[Any, ...]:
        if value is None:  # before the page has read its address
            return (gr.skip(),) * (1 + len(named))
        labels = LABELS[value["language"]]
        return gr.Tabs(selected=value["tab"]), *(gr.Tab(label=labels[name]) for name in named)

    def choosing(name: str) -> Callable[[Mapping[str, Any] | None], tuple[Any, Any]]:
        def chose(value: Mapping[str, Any] | None) -> tuple[Any, Any]:
            if value is None:  # Gradio chooses a tab before the page has read its address
                return gr.skip(), gr.skip()
            return _on(value, name), gr.Timer(LOOK_OFTEN if name == "index" else LOOK_SELDOM)

        return chose

    top.change(told, top, [tabs, *named.values()], **QUIET)
    for name, tab in named.items():
        tab.select(choosing(name), top, [top, clock], **QUIET)


def _cookies(request: gr.Request) -> str:
    """The cookies by which who triggered an event may manage; no others: the API may be another server's."""
    every = str(request.headers.get("cookie", "")).split(";")
    return "; ".join(one.strip() for one in every if one.strip().startswith(START_COOKIE))


def _opened(event: gr.EventData) -> dict[str, Any] | None:
    """The value of the viewer for a hit that was chosen; None for none."""
    return dict(event._data) if event._data else None


def _on(value: Mapping[str, Any] | None, tab: str) -> Any:
    """The value of the top bar with another tab.

    It stays as it is while the tab that the address names is not there yet: Gradio chooses the first one by itself before.
    """
    if value is None or not (value["settled"] or tab == value["tab"]):
        return gr.skip()
    return {**value, "tab": tab, "settled": True}
