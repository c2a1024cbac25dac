"""Checks the addresses of model servers, and says how to reach each: certificates, proxy and headers.

Knows addresses and the environment; opens no connection.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, unquote, urlsplit

from rag.backends.base import Choice
from rag.backends.server.sanitize import shown
from rag.errors import WrongSetting

PORTS = {"http": 80, "https": 443}
UNQUOTED = "/%:@!$&'()*+,;=-._~"  # characters of a path that are not quoted (RFC 3986, 3.3)


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy between this machine and a server."""

    host: str
    port: int
    is_tls: bool
    headers: Mapping[str, str]  # its credentials


@dataclass(frozen=True, slots=True)
class Route:
    """One address, and how to reach it."""

    url: str  # scheme, host, port and path, without a password and without /v1
    host: str
    port: int
    is_tls: bool
    prefix: str  # of every request's path: the path of the address, or the whole address if a proxy forwards the request
    headers: Mapping[str, str]
    trusted: ssl.SSLContext
    proxy: Proxy | None = None

    @property
    def is_tunnel(self) -> bool:
        """Whether the proxy forwards TLS that it cannot read."""
        return self.proxy is not None and self.is_tls


def routes_of(choice: Choice) -> tuple[Route, ...]:
    """One for each address of the choice. WrongSetting names the address, key, certificate or proxy that cannot be used."""
    if not choice.urls:
        raise WrongSetting("no address of a model server was given", remedy="give one: --url http://HOST:PORT")
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": "multimodal-rag",
    }
    if choice.api_key:
        if not choice.api_key.isascii() or not choice.api_key.isprintable():
            raise WrongSetting(
                "the API key contains characters that an HTTP header cannot carry",
                remedy="set api_key again, in ASCII and without line breaks",
            )
        headers["Authorization"] = f"Bearer {choice.api_key}"
    addresses = [_address(given) for given in choice.urls]
    proxies = {_url(address): _proxy_for(address) for address in addresses}
    needed = any(address.scheme == "https" for address in addresses) or any(one and one.is_tls for one in proxies.values())
    trusted = _certificates(choice.ca_bundle, needed=needed)
    routes = {_url(address): _route(address, headers, trusted, proxies[_url(address)]) for address in addresses}
    return tuple(routes.values())


def _route(address: SplitResult, headers: Mapping[str, str], trusted: ssl.SSLContext, proxy: Proxy | None) -> Route:
    url, sent, is_tls = _url(address), {**headers, **_credentials("Authorization", address)}, address.scheme == "https"
    prefix = _path(address)
    if proxy is not None and not is_tls:
        prefix, sent = url, {**sent, **proxy.headers}
    return Route(url, _host(address), address.port or PORTS[address.scheme], is_tls, prefix, sent, trusted, proxy)


def _address(given: str) -> SplitResult:
    try:
        address = urlsplit(given.strip().rstrip("/").removesuffix("/v1"))
        known = address.scheme in PORTS and bool(_host(address)) and address.port != 0
    except ValueError as error:  # also for a host name that DNS cannot encode
        raise WrongSetting(f"{shown(given)} is not an address: {error}", remedy="write it as http://HOST:PORT") from error
    if not known:
        raise WrongSetting(f"{shown(given)} is not an http:// or https:// address", remedy="write it as http://HOST:PORT")
    return address


def _host(address: SplitResult) -> str:
    """The host name as DNS encodes it. ValueError if it is not a host name."""
    name = address.hostname or ""
    host = name if name.isascii() else name.encode("idna").decode("ascii")
    if not host.isprintable() or " " in host:
        raise ValueError("a host name has no spaces and no control characters")
    return host


def _path(address: SplitResult) -> str:
    return quote(address.path.rstrip("/"), safe=UNQUOTED)


def _url(address: SplitResult) -> str:
    host = _host(address)
    place = f"[{host}]" if ":" in host else host
    port = f":{address.port}" if address.port and address.port != PORTS[address.scheme] else ""
    return f"{address.scheme}://{place}{port}{_path(address)}"


def _credentials(header: str, address: SplitResult) -> dict[str, str]:
    """A header with the user name and the password in an address; empty if it has none."""
    if not address.username:
        return {}
    pair = f"{unquote(address.username)}:{unquote(address.password or '')}"
    return {header: f"Basic {b64encode(pair.encode()).decode('ascii')}"}


def _proxy_for(address: SplitResult) -> Proxy | None:
    """The proxy that the environment names for an address; None for a loopback address, which a proxy cannot reach."""
    host = _host(address)
    if _is_loopback(host):
        return None
    from urllib.request import getproxies, proxy_bypass

    known = getproxies()
    named = known.get(address.scheme) or known.get("all")
    if not named or proxy_bypass(f"{host}:{address.port or PORTS[address.scheme]}"):
        return None
    try:
        proxy = urlsplit(named if "://" in named else f"http://{named}")
        if proxy.scheme in PORTS and _host(proxy) and not (proxy.scheme == address.scheme == "https"):
            credentials = _credentials("Proxy-Authorization", proxy)
            return Proxy(_host(proxy), proxy.port or PORTS[proxy.scheme], proxy.scheme == "https", credentials)
    except ValueError:
        pass  # reported below
    what = f"the proxy for {_url(address)} ({shown(named.rpartition('@')[2])}) cannot be used"
    raise WrongSetting(what, remedy="set an http:// proxy in the environment, or add this server's host to NO_PROXY")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _certificates(bundle: str, needed: bool) -> ssl.SSLContext:
    if not needed:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nothing, and saves the time to load certificates
    try:
        return ssl.create_default_context(cafile=bundle or None)
    except (OSError, ssl.SSLError) as error:
        raise WrongSetting(
            f"{bundle}: the certificates cannot be read: {error}", remedy="set ca_bundle to a file in PEM format"
        ) from error
