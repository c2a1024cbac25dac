"""What only who has the key of this start may do: browse folders, upload, start and stop runs.

Knows what the guard noted of a request; knows no key and no index. Other users of the machine reach the port, and may search.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from rag.errors import WrongRequest

MANAGES = "rag.manages"  # in the scope of a request: whether it carries the key of this start
UPLOADS = "/v1/uploads"


class StartKeyNeeded(WrongRequest):
    """The request needs the key of this start."""

    def __init__(self) -> None:
        super().__init__(
            "this needs the key that was made when the server started",
            remedy="open the address that `rag ui` printed, or send the key in it: `Authorization: Bearer KEY`",
        )


def may_manage(request: Request) -> bool:
    """Whether the request carries the key of this start."""
    return bool(request.scope.get(MANAGES))


def needs_start_key(request: Request) -> None:
    """What a route that manages depends on. StartKeyNeeded."""
    if not may_manage(request):
        raise StartKeyNeeded


def is_upload(scope: Mapping[str, Any]) -> bool:
    """Whether the body of the request is a file to be kept, whose size its route bounds."""
    return bool(scope["type"] == "http" and scope["method"] == "PUT" and scope["path"] == UPLOADS)
