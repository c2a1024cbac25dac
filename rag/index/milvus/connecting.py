"""Connects to the Milvus of an address.

Knows pymilvus and addresses; knows no collection.
"""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

from rag.errors import IndexFailure, MissingExtra, first_line
from rag.index.milvus.embedded import core_of

if TYPE_CHECKING:
    from rag.index.milvus.address import Address

SECONDS = 60.0  # for one call


def connect(address: Address, token: str) -> tuple[str, Any]:
    """The URI that was connected to, and the client. MissingExtra, IndexLocked; IndexFailure where nothing answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pkg_resources, by milvus-lite
        try:
            import pymilvus
        except ImportError as error:
            raise MissingExtra("an index in Milvus needs the package pymilvus, which is not installed", "milvus") from error
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what fails is raised, and said once
        try:
            uri = address.uri if address.file is None else core_of(address.file, address.shown)
            client = pymilvus.MilvusClient(uri=uri, token=token, db_name=address.database, timeout=SECONDS)
        except failures(OSError, ValueError) as error:
            remedy = "is the server up? an address is milvus://HOST:19530/NAME; a token goes into RAG_MILVUS_TOKEN"
            raise IndexFailure(f"{address.shown} does not answer: {reason_of(error)}", remedy=remedy) from error
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        return uri, client


def failures(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What pymilvus raises: its own errors, and those of the connection that it passes on as they are; and `more`."""
    import grpc
    from pymilvus.exceptions import MilvusException

    return MilvusException, grpc.RpcError, *more


def reason_of(error: BaseException) -> str:
    """What Milvus says, without how its client wraps it; a connection says it as a code and, where it knows more, in words."""
    code = getattr(error, "code", None)
    if callable(code):
        words = str(getattr(error, "details", str)() or "")
        return ": ".join(filter(None, (code().name.lower().replace("_", " "), words.partition("\n")[0])))
    told = str(getattr(error, "message", "")).strip()
    return first_line(ValueError(told) if told else error)
