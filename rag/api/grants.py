"""What the key of a request may see and do; kept with the request, so that whatever answers it is bound by it.

Knows names of indexes and roots; knows no key, no HTTP and no index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """What one key is for. Empty: every index, every root."""

    name: str  # of the key
    indexes: frozenset[str] = frozenset()  # their names
    roots: frozenset[str] = frozenset()  # their names, in every index
    read_only: bool = True

    @property
    def is_limited(self) -> bool:
        """Whether there is something that it must not see."""
        return bool(self.indexes or self.roots)

    @property
    def manages(self) -> bool:
        """Whether it may also browse folders, upload, and start and stop runs."""
        return not self.read_only and not self.is_limited

    def allows_index(self, name: str) -> bool:
        """Whether it may see anything of that index."""
        return not self.indexes or name in self.indexes

    def allows_root(self, name: str) -> bool:
        """Whether it may see that root."""
        return not self.roots or name in self.roots

    def allowed_roots(self, names: Iterable[str]) -> list[str]:
        """Those of these roots that it may see, sorted."""
        return sorted(name for name in names if self.allows_root(name))


EVERYTHING = Grant("", read_only=False)
_GRANT: ContextVar[Grant] = ContextVar("rag_grant", default=EVERYTHING)

# What a limited key reaches; all else is closed to it, so that a new route must be thought of before it opens.
OPEN_TO_LIMITED = (
    *("/v1/search", "/v1/ask", "/v1/indexes", "/v1/status", "/v1/rerank", "/v1/access", "/v1/media/", "/v1/passages/"),
    *("/mcp", "/healthz", "/readyz", "/docs", "/openapi.json"),
)
CLOSED_TO_LIMITED = ("/v1/", "/metrics")  # what of it is not open; other paths are the page's, which asks these


def current_grant() -> Grant:
    """That of the request which is answered; everything where none is."""
    return _GRANT.get()


def is_open(path: str) -> bool:
    """Whether a limited key reaches that path."""
    opened = any(path == one or (one.endswith("/") and path.startswith(one)) for one in OPEN_TO_LIMITED)
    return opened or not path.startswith(CLOSED_TO_LIMITED)


@contextmanager
def granting(grant: Grant) -> Iterator[None]:
    """Everything within is bound by it, also in the threads of a `RequestPool`."""
    token = _GRANT.set(grant)
    try:
        yield
    finally:
        _GRANT.reset(token)
