"""The keys of `rag key`: made here, kept as hashes in a file that only its owner can read, compared in constant time.

Knows one file; knows no HTTP. A key is 32 random bytes, so that a plain SHA-256 of it cannot be guessed back.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.api.grants import Grant
from rag.errors import WrongRequest

KEY_BYTES = 32
PREFIX = "rag_"  # by which scanners for secrets know one
_NAME = re.compile(r"[\w.@-]{1,64}")


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept: nothing of it leads back to the key."""

    name: str
    hash: str  # SHA-256 of the key, hexadecimal
    cookie_hash: str  # SHA-256 of the cookie that stands for it in a browser
    created: float  # seconds since the epoch
    indexes: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def grant(self) -> Grant:
        """What it is for."""
        return Grant(self.name, frozenset(self.indexes), frozenset(self.roots), self.read_only)


class KeyFile:
    """The keys of a user. Read again whenever the file changes: a removed key ends with the next request."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read_at: tuple[int, int, int] | None = None
        self._keys: tuple[StoredKey, ...] = ()

    def add(self, name: str, indexes: Sequence[str], roots: Sequence[str], *, read_only: bool) -> str:
        """A new key, told once and kept nowhere. WrongRequest for a name that is taken or none, or limits on one that writes."""
        if not _NAME.fullmatch(name):
            raise WrongRequest(f"{name!r} is no name for a key", remedy="use up to 64 letters, digits, and . _ - @")
        if (indexes or roots) and not read_only:
            raise WrongRequest(
                "a key that is limited to indexes or roots can only read: a run looks at whole indexes",
                remedy=f"rag key add {name} --read-only …",
            )
        if any(not one for one in (*indexes, *roots)):
            raise WrongRequest("an index or a root without a name was given", remedy="`rag status` lists the roots of an index")
        key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
        with self._changing() as known:
            if any(one.name == name for one in known):
                raise WrongRequest(f"there is a key called {name}", remedy=f"choose another name, or first: rag key rm {name}")
            known.append(StoredKey(name, _hash(key), _hash(cookie_of(key)), time.time(), tuple(indexes), tuple(roots), read_only))
        return key

    def remove(self, name: str) -> None:
        """Ends a key. WrongRequest where there is none of that name."""
        with self._changing() as known:
            kept = [one for one in known if one.name != name]
            if len(kept) == len(known):
                raise WrongRequest(f"no key is called {name}", remedy="rag key list")
            known[:] = kept

    def kept(self) -> tuple[StoredKey, ...]:
        """All of them, in the order they were made. WrongRequest where the file cannot be read."""
        try:
            seen = self.file.stat()
        except FileNotFoundError:
            self._read_at, self._keys = None, ()
            return ()
        except OSError as error:
            raise _unreadable(self.file, error.strerror or "") from error
        now = (seen.st_mtime_ns, seen.st_ino, seen.st_size)
        if now != self._read_at:
            self._keys = tuple(_read(self.file))
            self._read_at = now
        return self._keys

    def find(self, key: str) -> StoredKey | None:
        """The key that was given; None where it is none. Every kept one is compared, in constant time. WrongRequest as `kept`."""
        given, found = _hash(key), None
        for one in self.kept():
            if hmac.compare_digest(one.hash, given):
                found = one
        return found

    def find_cookie(self, value: str) -> StoredKey | None:
        """The same by the cookie that stands for a key. WrongRequest as `kept`."""
        given, found = _hash(value), None
        for one in self.kept():
            if hmac.compare_digest(one.cookie_hash, given):
                found = one
        return found

    @contextmanager
    def _changing(self) -> Iterator[list[StoredKey]]:
        """The keys, to be changed; written with their new state, whole or not at all. One process at a time."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.file.with_name(f".{self.file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = list(_read(self.file)) if self.file.exists() else []
            yield known
            fresh = self.file.with_name(f".{self.file.name}.{secrets.token_hex(4)}")
            try:
                out = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with open(out, "w", encoding="utf-8") as stream:  # noqa: PTH123 (its descriptor)
                    json.dump({"keys": [asdict(one) for one in known]}, stream, indent=1)
                    stream.flush()
                    os.fsync(stream.fileno())
                fresh.replace(self.file)
            finally:
                fresh.unlink(missing_ok=True)
        finally:
            os.close(lock)


def key_file(named: str = "") -> KeyFile:
    """The file of the settings, or $XDG_CONFIG_HOME/rag/keys.json."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    return KeyFile(Path(named).expanduser() if named else Path(base, "rag", "keys.json"))


def cookie_of(key: str) -> str:
    """The value of the cookie that stands for a key: whoever sees a cookie does not have the key."""
    return hmac.new(key.encode("utf-8", "replace"), b"cookie", hashlib.sha256).hexdigest()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _read(file: Path) -> Iterator[StoredKey]:
    try:
        if file.stat().st_mode & 0o077:
            raise _unreadable(file, "others can read it", f"chmod 600 {file}")
        found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))["keys"]
        for one in found:
            limits = {name: tuple(str(each) for each in one[name]) for name in ("indexes", "roots")}
            yield StoredKey(
                str(one["name"]), str(one["hash"]), str(one["cookie_hash"]), float(one["created"]), **limits,
                read_only=bool(one["read_only"]),
            )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(file, str(error)) from error


def _unreadable(file: Path, why: str, remedy: str = "") -> WrongRequest:
    return WrongRequest(
        f"the keys in {file} cannot be read: {why}", remedy=remedy or "mend it, or move it away and make new keys"
    )
