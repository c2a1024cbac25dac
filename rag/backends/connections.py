"""The addresses of a model server, checked, with one HTTP client for each.

Knows HTTP and certificates; knows no model, and sends nothing.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpx

from rag.backends.base import Choice
from rag.backends.exchange import shown
from rag.backends.window import Window
from rag.errors import WrongSetting

CONNECT_SECONDS = 5.0  # to open a connection
KEPT_SECONDS = 3.0  # an idle connection; uvicorn, which vLLM runs in, closes its own after 5 s


@dataclass(slots=True, eq=False)
class Endpoint:
    """One address of a server, and how it fares. Only the thread of the event loop changes it."""

    url: str  # scheme, host, port and path, without a password and without /v1
    client: httpx.AsyncClient
    window: Window  # how many of them at once
    busy: int = 0  # requests under way
    taken: int = 0  # requests so far
    failures: int = 0  # in a row
    rests_until: float = 0.0  # loop time
    answered: bool = False  # ever
    proven: bool = False  # that it serves the model, since it last failed
    proving: asyncio.Lock = field(default_factory=asyncio.Lock)


def endpoints_of(choice: Choice) -> tuple[Endpoint, ...]:
    """One endpoint for each address of the choice. WrongSetting says which address, key or certificate cannot be used."""
    if not choice.urls:
        raise WrongSetting("no address of a model server is given", remedy="give one: --url http://HOST:PORT")
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}
    if choice.api_key:
        if not choice.api_key.isascii() or not choice.api_key.isprintable():
            raise WrongSetting(
                "the API key holds characters that no HTTP header can carry", remedy="set api_key again, without line ends"
            )
        headers["Authorization"] = f"Bearer {choice.api_key}"
    urls = [_address(url) for url in choice.urls]
    trusted = _certificates(choice.ca_bundle, needed=any(url.scheme == "https" for url in urls))
    return tuple(_endpoint(url, headers, trusted, choice) for url in dict.fromkeys(urls))


def _endpoint(url: httpx.URL, headers: Mapping[str, str], trusted: ssl.SSLContext, choice: Choice) -> Endpoint:
    client = httpx.AsyncClient(
        headers=headers,
        auth=(url.username, url.password) if url.username else None,
        verify=trusted,
        trust_env=not _is_loopback(url.host),  # a proxy cannot reach this machine's own addresses
        follow_redirects=False,
        timeout=httpx.Timeout(choice.timeout, connect=min(CONNECT_SECONDS, choice.timeout), pool=None),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=choice.in_flight, keepalive_expiry=KEPT_SECONDS),
    )
    return Endpoint(str(url.copy_with(username=None, password=None)).rstrip("/"), client, Window(choice.in_flight))


def _address(given: str) -> httpx.URL:
    try:
        url = httpx.URL(given.strip().rstrip("/").removesuffix("/v1"))
    except httpx.InvalidURL as error:
        raise WrongSetting(f"{shown(given)} is no address: {error}", remedy="write it as http://HOST:PORT") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise WrongSetting(f"{shown(given)} is no address of a server", remedy="write it as http://HOST:PORT")
    return url.copy_with(query=None, fragment=None)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _certificates(bundle: str, needed: bool) -> ssl.SSLContext:
    if not needed:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and spares the time to load those to trust
    try:
        return ssl.create_default_context(cafile=bundle or None)
    except (OSError, ssl.SSLError) as error:
        raise WrongSetting(
            f"{bundle}: the certificates cannot be read: {error}", remedy="let ca_bundle name a file in PEM format"
        ) from error
