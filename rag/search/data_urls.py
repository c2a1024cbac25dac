"""Pictures given as data URLs, the form in which they come over HTTP and MCP.

Knows base64; fetches nothing and decodes no picture.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from rag.errors import WrongRequest

_PICTURE = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.ASCII)


def pictures_of(image: str | None, images: Sequence[str]) -> dict[str, Any]:
    """The pictures of a request as search options. WrongRequest where one is not the data URL of a picture."""
    return {"image": None if image is None else picture_of(image), "images": [picture_of(one) for one in images]}


def picture_of(address: str) -> bytes:
    """The bytes of a data URL. WrongRequest for any other URL: nothing is fetched."""
    begin = _PICTURE.match(address)
    if begin is None:
        raise WrongRequest(
            "the query picture is not a data URL of a picture", remedy="send data:image/jpeg;base64,… with its bytes"
        )
    try:
        return base64.b64decode(address[begin.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongRequest(
            "the query picture is not valid base64", remedy="send its bytes in base64, without line breaks"
        ) from error
