"""The HTTP API that the page is a client of: of this process, without a socket, or of another.

Knows HTTP and the JSON of a failure; knows no page and no Gradio.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from starlette.types import ASGIApp

Visitor = Callable[[], Mapping[str, str] | None]
PATIENCE = 330.0  # seconds for an answer: longer than the server's own limits, so that its words arrive


class Refused(Exception):
    """The API did not do what was asked: `failure` has `what`, `remedy` and `code`; `body` is the whole JSON, or empty."""

    def __init__(self, failure: Mapping[str, str], body: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{failure['what']}; {failure['remedy']}" if failure["remedy"] else failure["what"])
        self.failure = dict(failure)
        self.body = dict(body or {})


class Connection:
    """JSON in, JSON out. Refused where the API answers with a failure or not at all."""

    def __init__(
        self, client: httpx.AsyncClient, headers: Mapping[str, str] | None = None, visitor: Visitor = lambda: None
    ) -> None:
        """Each request is sent with `headers`, but for one on behalf of a `visitor` with what that one sent, and nothing else."""
        self._client = client
        self._headers = dict(headers or {})
        self._visitor = visitor

    def visited_with(self, cookies: str) -> Connection:
        """The same API, asked with the cookies of a visitor of the page: they say what that person may do."""
        return Connection(self._client, self._headers | ({"Cookie": cookies} if cookies else {}), self._visitor)

    async def get(self, path: str, **values: str | int | None) -> Any:
        """What GET answers; values that are None are left off."""
        return await self._ask("GET", path, params={name: value for name, value in values.items() if value is not None})

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What POST of a JSON body answers."""
        return await self._ask("POST", path, json=body)

    async def delete(self, path: str) -> Any:
        """What DELETE answers."""
        return await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            visitor = self._visitor()
            headers = self._headers if visitor is None else visitor
            answer = await self._client.request(method, path, headers=headers, **more)
        except httpx.TransportError as error:
            what = f"no answer from {self._client.base_url}: {error}"
            raise Refused({"what": what, "remedy": "is it running? Start it with: rag ui", "code": "down"}) from error
        if answer.is_success:
            return answer.json()
        raise _refusal(answer)


def in_process(app: ASGIApp, key: str = "", visitor: Visitor = lambda: None) -> Connection:
    """The API of an application in this process, such as `rag.api.app.create_app` makes.

    `visitor` gives the headers by which whoever the page acts for shows what is allowed, None where it acts for nobody.
    """
    return _connection("http://127.0.0.1", key, httpx.ASGITransport(app=app, raise_app_exceptions=False), visitor)


def over_http(address: str, key: str = "") -> Connection:
    """The API of a `rag ui` at that address, which asks for `key` if it has one."""
    return _connection(address, key, None)


def _connection(
    address: str, key: str, transport: httpx.AsyncBaseTransport | None, visitor: Visitor = lambda: None
) -> Connection:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    client = httpx.AsyncClient(base_url=address, timeout=PATIENCE, transport=transport, trust_env=False)
    return Connection(client, headers, visitor)


def _refusal(answer: httpx.Response) -> Refused:
    try:
        body = answer.json()
        return Refused({name: str(body["error"].get(name, "")) for name in ("what", "remedy", "code")}, body)
    except (ValueError, KeyError, TypeError, AttributeError):
        what = f"the server could not answer ({answer.status_code})"
        return Refused({"what": what, "remedy": "try again; its terminal shows more", "code": str(answer.status_code)})
