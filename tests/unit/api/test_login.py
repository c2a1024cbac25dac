"""Login of browsers: one-time codes and the form for the key; and the limits on request bodies."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient
from starlette.types import Message

from rag.api.app import create_app
from rag.api.body_limits import FREE_BYTES, BodyLimits
from rag.api.guard import Trust
from rag.api.library import IndexLibrary
from rag.api.login import OneTimeCodes
from rag.config import load_settings

KEY = "0123456789abcdef"
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def codes() -> OneTimeCodes:
    return OneTimeCodes()


@pytest.fixture
def client(library: Path, codes: OneTimeCodes) -> TestClient:
    library = IndexLibrary([str(library)], load_settings({"ocr": "never"}), token=KEY)
    app = create_app(library, Trust("0.0.0.0", 7860, KEY), codes)
    return TestClient(app, base_url="http://0.0.0.0:7860", raise_server_exceptions=False)


def test_a_code_works_once(client: TestClient, codes: OneTimeCodes) -> None:
    code = codes.make()
    welcome = client.get(f"/?code={code}&q=harbour")
    assert (welcome.status_code, 'content="0;url=/?q=harbour"' in welcome.text) == (200, True)
    assert code not in welcome.text and "HttpOnly" in welcome.headers["Set-Cookie"]
    assert client.get("/v1/index/jobs/x").status_code == 404  # the client keeps the cookie
    client.cookies.clear()
    assert client.get(f"/?code={code}").status_code == 401
    assert client.get("/v1/index/jobs/x").status_code == 401
    for path in ("/v1/indexes", "/docs"):  # codes open only the page
        assert client.get(f"{path}?code={codes.make()}").status_code == 401


def test_a_code_expires() -> None:
    old = OneTimeCodes(lifetime=0.0)
    assert not old.redeem(old.make())
    assert not OneTimeCodes().redeem("") and not OneTimeCodes().redeem("ü")


def test_a_browser_without_the_key_is_asked_for_it(client: TestClient) -> None:
    form = client.get("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", headers=BROWSER)
    assert (form.status_code, form.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert '<form action="/" method="get">' in form.text and 'name="q" value="&quot;&gt;&lt;script&gt;' in form.text
    assert "<script" not in form.text and "script-src" not in form.headers["Content-Security-Policy"]
    assert "is wrong" not in form.text
    tried = client.get("/?token=wrong-wrong-wrong", headers=BROWSER)
    assert (tried.status_code, "is wrong" in tried.text, "wrong-wrong" in tried.text) == (401, True, False)
    assert client.get("/").json()["error"]["code"] == "no_key"  # programs get JSON
    assert client.get("/v1/indexes", headers=BROWSER).json()["error"]["code"] == "no_key"


def test_on_loopback_the_key_of_this_start_opens_more(library: Path, codes: OneTimeCodes) -> None:
    trust = Trust("127.0.0.1", 7860)
    app = create_app(IndexLibrary([str(library)], load_settings({"ocr": "never"})), trust, codes)
    base = "http://127.0.0.1:7860"
    assert trust.start_key != Trust("127.0.0.1", 7860).start_key and trust.start_key not in repr(trust)

    def manages(client: TestClient) -> bool:
        return bool(client.get("/v1/access").json()["manage"])

    visitor = TestClient(app, base_url=base)
    assert not manages(visitor) and visitor.get("/v1/indexes").status_code == 200
    assert not manages(TestClient(app, base_url=base, headers={"Authorization": "Bearer "}))
    assert manages(TestClient(app, base_url=base, headers={"Authorization": f"Bearer {trust.start_key}"}))
    for way in (f"token={trust.start_key}", f"code={codes.make()}"):
        own = TestClient(app, base_url=base)
        welcome = own.get(f"/?{way}&tab=index")
        assert 'content="0;url=/?tab=index"' in welcome.text
        assert "Max-Age" not in welcome.headers["Set-Cookie"]  # the next start has another key
        assert manages(own)
    tried = visitor.get("/?token=wrong-wrong-wrong", headers=BROWSER)
    assert (tried.status_code, "is wrong" in tried.text, manages(visitor)) == (401, True, False)


def test_off_loopback_the_key_to_search_does_not_manage(library: Path) -> None:
    trust = Trust("0.0.0.0", 7860, KEY)
    app = create_app(IndexLibrary([str(library)], load_settings({"ocr": "never"}), token=KEY), trust)
    for key, manage in ((KEY, False), (trust.start_key, True)):
        client = TestClient(app, base_url="http://0.0.0.0:7860")
        client.get(f"/?token={key}")
        assert client.get("/v1/access").json()["manage"] is manage
        bearer = TestClient(app, base_url="http://0.0.0.0:7860", headers={"Authorization": f"Bearer {key}"})
        assert bearer.get("/v1/access").json()["manage"] is manage


# ---- bodies -----------------------------------------------------------------------------------


def part(size: int, more: bool = True) -> Message:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


def receiving(*messages: Message) -> object:
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    return receive


def refused(error: pytest.ExceptionInfo[HTTPException]) -> int:
    return error.value.status_code


def test_each_body_has_a_limit_and_all_together_have_another() -> None:
    async def play() -> None:
        bodies = BodyLimits(each=3 * FREE_BYTES, together=3 * FREE_BYTES)
        with (
            bodies.counted(receiving(part(2 * FREE_BYTES), part(2 * FREE_BYTES))) as first,
            pytest.raises(HTTPException) as large,
        ):
            await first()
            await first()
        assert (refused(large), bodies.held) == (413, 0)
        with bodies.counted(receiving(part(3 * FREE_BYTES, more=False))) as first:
            await first()
            assert bodies.held == 2 * FREE_BYTES
            with bodies.counted(receiving(part(3 * FREE_BYTES))) as second, pytest.raises(HTTPException) as busy:
                await second()
            assert (refused(busy), busy.value.headers) == (429, {"Retry-After": "1"})
            with bodies.counted(receiving(part(FREE_BYTES, more=False))) as words:
                assert len((await words())["body"]) == FREE_BYTES  # a text query gets in all the same
        assert bodies.held == 0

    asyncio.run(play())


def test_a_body_that_never_ends_times_out_but_a_client_that_waits_for_its_answer_does_not() -> None:
    async def play() -> None:
        bodies = BodyLimits(timeout=0.0)
        with bodies.counted(receiving()) as slow, pytest.raises(HTTPException) as late:
            await slow()
        assert refused(late) == 408
        with bodies.counted(receiving(part(1, more=False), {"type": "http.disconnect"})) as whole:
            await whole()
            assert (await whole())["type"] == "http.disconnect"

    asyncio.run(play())
