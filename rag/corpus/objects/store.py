"""The object stores themselves: list, look at one object, fetch. The only module that speaks to obstore.

Knows buckets and keys. Credentials come from where the client of a store looks by itself: the environment, a profile of ~/.aws, a
web identity, the metadata of the machine. They are in no setting, no log and no message of this program.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple

from rag.errors import BackendError, MissingExtra, WrongRequest
from rag.location import ObjectPath

CHUNK = 1_000  # objects of one answer of a store
PART_BYTES = 64_000_000  # fetched by one request: a request has an end in time, a film may be long
_CLIENT = {"connect_timeout": "10s", "timeout": "300s"}
_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
_AT = "at "  # before the time in a stamp without an ETag
_STATUS = re.compile(r"status code: (\d{3} [A-Za-z ]+)")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_SHOWN = 300  # characters of what a store says


class StoredObject(NamedTuple):
    """An object as a listing shows it."""

    key: str  # in its bucket
    size: int  # bytes
    etag: str  # "" where the store has none
    modified: float  # seconds since the epoch

    @property
    def stamp(self) -> str:
        """Size and ETag, or the time where there is no ETag: equal stamps mean unchanged bytes."""
        return f"{self.size}:{self.etag or f'{_AT}{self.modified}'}"

    @property
    def is_strong(self) -> bool:
        """Whether its ETag names its very bytes, so that they can be asked for by it."""
        return bool(self.etag) and not self.etag.startswith("W/")


def version_of_stamp(stamp: str, key: str, modified: float) -> StoredObject:
    """The version that a stamp is of."""
    size, _, version = stamp.partition(":")
    return StoredObject(key, int(size), "" if version.startswith(_AT) else version, modified)


class StoreFailed(BackendError):
    """An object store did not answer, or refused."""

    def __init__(self, place: ObjectPath | str, error: BaseException) -> None:
        super().__init__(f"{place} cannot be read: {_said(error)}", remedy=_remedy(error))


class ObjectGone(StoreFailed):
    """The object is not there."""


class ObjectChanged(StoreFailed):
    """The object is another version than was asked for."""

    def __init__(self, place: ObjectPath) -> None:
        super().__init__(place, ValueError("it changes faster than it can be fetched"))


def list_objects(prefix: ObjectPath, chunk: int = CHUNK) -> Iterator[StoredObject]:
    """Every object below a prefix, as the store gives them; one of that very name is none. StoreFailed, at any time."""
    store = _store(prefix.bucket)
    import obstore

    try:
        for some in obstore.list(store, prefix.key or None, chunk_size=chunk):
            for found in some:
                yield _described(found)
    except _failures() as error:
        raise StoreFailed(prefix, error) from error


def list_folder(prefix: ObjectPath) -> tuple[list[StoredObject], list[str]]:
    """The objects directly below a prefix, and the prefixes of those further below. StoreFailed."""
    store = _store(prefix.bucket)
    import obstore

    try:
        found = obstore.list_with_delimiter(store, prefix.key or None)
    except _failures() as error:
        raise StoreFailed(prefix, error) from error
    return [_described(one) for one in found["objects"]], list(found["common_prefixes"])


def look_at(place: ObjectPath) -> StoredObject:
    """The object now. ObjectGone, StoreFailed."""
    store = _store(place.bucket)
    import obstore

    try:
        return _described(obstore.head(store, place.key))
    except FileNotFoundError as error:
        raise ObjectGone(place, error) from error
    except _failures() as error:
        raise StoreFailed(place, error) from error


def fetch_into(place: ObjectPath, wanted: StoredObject, out: IO[bytes]) -> None:
    """Writes the bytes of that version to a file. ObjectChanged, ObjectGone, StoreFailed; OSError where there is no room."""
    store = _store(place.bucket)
    import obstore
    from obstore.exceptions import PreconditionError

    at = 0
    try:
        while at < wanted.size or not at:
            options: dict[str, Any] = {"if_match": f'"{wanted.etag}"'} if wanted.is_strong else {}
            if wanted.size > PART_BYTES:
                options["range"] = (at, min(at + PART_BYTES, wanted.size))
            answer = obstore.get(store, place.key, options=options)  # type: ignore[arg-type]
            if answer.meta["size"] != wanted.size:
                raise ObjectChanged(place)
            for some in answer.stream():
                out.write(some)
            if out.tell() == at and wanted.size:
                raise StoreFailed(place, ValueError(f"it ended after {at:,} of {wanted.size:,} bytes"))
            at = out.tell()
            if not wanted.size:
                break
    except PreconditionError as error:
        raise ObjectChanged(place) from error
    except FileNotFoundError as error:
        raise ObjectGone(place, error) from error
    except _failures() as error:
        raise StoreFailed(place, error) from error
    if at != wanted.size:
        raise ObjectChanged(place)


def holds_objects(prefix: ObjectPath) -> bool:
    """Whether anything lies below it. StoreFailed."""
    return next(list_objects(prefix, chunk=1), None) is not None


def is_object(place: ObjectPath) -> bool:
    """Whether it is an object, and no prefix of others. StoreFailed."""
    if not place.key:
        return False
    try:
        look_at(place)
    except ObjectGone:
        return False
    return not holds_objects(place)


def _described(found: Any) -> StoredObject:
    etag = (found["e_tag"] or "").strip('"').replace("|", "-")  # some stores quote it only in a header
    return StoredObject(found["path"], found["size"], etag, found["last_modified"].timestamp())


@lru_cache(maxsize=64)
def _store(bucket: str) -> Any:
    """The client of a bucket. MissingExtra without obstore; StoreFailed where it cannot be set up."""
    if importlib.util.find_spec("obstore") is None:
        raise MissingExtra(f"obstore is not installed, which reads {bucket}", "objects")
    from obstore.store import AzureStore, GCSStore, S3Store

    scheme, _, name = bucket.partition("://")
    options: Any = {"client_options": _CLIENT, "retry_config": _RETRIES}
    try:
        if scheme == "gs":
            return GCSStore(name, **options)
        if scheme == "az":
            return AzureStore(name, **options)
        return S3Store(name, **options | _of_s3())
    except _failures() as error:
        raise StoreFailed(bucket, error) from error


def _of_s3() -> dict[str, Any]:
    """What the environment says and the client does not read by itself: an endpoint without TLS, and a profile."""
    more: dict[str, Any] = {}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint:
        more["endpoint"] = endpoint
    if endpoint.startswith("http://"):  # whoever names such an endpoint means it
        more["client_options"] = _CLIENT | {"allow_http": True}
    if "AWS_ACCESS_KEY_ID" in os.environ or not _has_profile():
        return more
    if importlib.util.find_spec("boto3") is None:
        if "AWS_PROFILE" in os.environ:
            remedy = "pip install boto3, or give keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise WrongRequest("AWS_PROFILE is set, and boto3 is not installed, which reads profiles", remedy=remedy)
        return more
    from obstore.auth.boto3 import Boto3CredentialProvider

    return more | {"credential_provider": Boto3CredentialProvider()}


def _has_profile() -> bool:
    named = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    return "AWS_PROFILE" in os.environ or Path(os.path.expanduser(named)).is_file()  # noqa: PTH111


def _failures() -> tuple[type[BaseException], ...]:
    from obstore.exceptions import BaseError

    return (BaseError, OSError, ValueError)


def _said(error: BaseException) -> str:
    """What a store says: its status and code, or without these the words, and nothing of the internals that follow."""
    said = " ".join(str(error).partition("Debug source")[0].split())
    if status := _STATUS.search(said):
        code = _CODE.search(said)
        return f"the store answers {status[1].strip()}{f' ({code[1]})' if code else ''}"
    return said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"


def _remedy(error: BaseException) -> str:
    kind = type(error).__name__
    if kind in ("PermissionDeniedError", "UnauthenticatedError") or "credential" in str(error).lower():
        return "give keys that may list and read it, as to the store's own client: AWS_PROFILE, AWS_ACCESS_KEY_ID, …"
    if kind == "InvalidPathError":
        return "rename the object: names with empty parts, `..`, tabs or line breaks cannot be read"
    return "check the name and the network, and run the same command again"
