"""Pictures, outlines and videos of stored passages: made by worker processes, kept in bounded caches.

Knows passages and open files; knows no search, no model and no HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any

from rag.corpus.file_types import SHOWN_BY
from rag.decoding.ask_pool import AskPool
from rag.errors import NotShown, UnreadableDocument, WrongRequest
from rag.limits import HELD_BYTES
from rag.loaders.base import Limits
from rag.media.crop import Crop
from rag.media.highlights import outlines_in
from rag.media.recent_cache import RecentCache
from rag.media.results import Picture, Playing, Size, Version, Video, clip_around, place_of
from rag.media.safe_open import Original, open_original, version_of
from rag.media.thumbnails import Thumbnails
from rag.media.video_cache import VideoCache
from rag.types import Locator, StoredPassage

LONGEST_CLIP = 60.0  # seconds
_PICTURE_SECONDS, _VIDEO_SECONDS = 30.0, 180.0  # that a picture, and a video, may take to make
_PICTURE_BYTES, _FACT_BYTES, _LINE_BYTES = 96_000_000, 4_000_000, 8_000_000  # kept in memory
_MADE = "2"  # changes with how pictures are made


class MediaService:
    """Pictures, outlines and videos of passages, from any index. Threads share it; close it, or use it in a `with`."""

    def __init__(self) -> None:
        self._quick = AskPool(2, _PICTURE_SECONDS)
        self._ocr = AskPool(1, _PICTURE_SECONDS)  # apart, so that no picture waits for it
        self._slow = AskPool(1, _VIDEO_SECONDS)
        self._in_use: dict[str, tuple[threading.Lock, int]] = {}  # by the stamp of a file: its lock, and how many hold it or wait
        self._lock = threading.Lock()
        self._video_cache = VideoCache()
        self._pictures: RecentCache[tuple[bytes, str]] = RecentCache(_PICTURE_BYTES)
        self._facts: RecentCache[dict[str, Any]] = RecentCache(_FACT_BYTES)
        self._lines: RecentCache[dict[str, Any]] = RecentCache(_LINE_BYTES)
        self._thumbnails: dict[Path, Thumbnails] = {}

    def __enter__(self) -> MediaService:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Removes the converted videos."""
        self._video_cache.close()

    def picture(
        self,
        stored: StoredPassage,
        size: Size,
        limits: Limits,
        derived: Path,
        at: Locator | None = None,
        crop: Crop | None = None,
    ) -> Picture:
        """The passage as a picture, a part of it, or another place of its document: a `Page`, or `Seconds` of a video.

        NotShown where the file is gone or the passage has no picture, UnreadableDocument where it cannot be decoded.
        """
        kind = stored.passage.kind
        if kind not in SHOWN_BY:
            raise NotShown(f"{stored.passage.document} is text and has no picture", remedy="get its text instead")
        place = place_of(stored, at)
        with open_original(stored) as original:
            version = version_of(original, kind, place, size, limits, _MADE, crop)
            details = {"kind": kind, "locator": place, "limits": limits, "crop": None if crop is None else astuple(crop)}
            content, form = self._rendered(original, version, size, derived, **details)
            return Picture(content, form, version, original.modified)

    def version(
        self, stored: StoredPassage, size: Size, limits: Limits, at: Locator | None = None, crop: Crop | None = None
    ) -> Version:
        """The version of a picture without making it. NotShown where the file is gone."""
        with open_original(stored) as original:
            name = version_of(original, stored.passage.kind, place_of(stored, at), size, limits, _MADE, crop)
            return Version(name, original.modified)

    def modified(self, stored: StoredPassage) -> float:
        """When the file was changed, seconds since the epoch. NotShown where it is gone."""
        with open_original(stored) as original:
            return original.modified

    def outlines(self, stored: StoredPassage, words: str, limits: Limits, *, ocr: bool) -> dict[str, Any]:
        """`{"pages", "size", "regions"}` as `rag.media.highlights` describes them. NotShown, UnreadableDocument.

        With `ocr`, text in the pixels is recognised where nothing else matches: up to some seconds the first time, and kept.
        """
        with open_original(stored) as original:
            found = self._regions(original, stored, words, limits)
            if ocr and words.strip() and not found["regions"]:
                found = found | {"regions": outlines_in(self._lines_of(original, stored, limits), words)}
        return found

    def video(self, stored: StoredPassage, limits: Limits) -> Video:
        """How the video of a frame can be played; of a damaged one only frames. NotShown where it is not a video, or gone."""
        if stored.passage.kind != "frame":
            raise NotShown(f"{stored.passage.document} is not a video", remedy="get its picture or its text instead")
        with open_original(stored) as original:
            return self._video(original, limits)

    @contextmanager
    def playing(self, stored: StoredPassage, limits: Limits, at: float) -> Iterator[Playing]:
        """The video as a browser plays it: itself, remuxed, or a clip around the second `at`. NotShown, UnreadableDocument."""
        video = self.video(stored, limits)
        if video.playable == "direct" and stored.passage.inner:
            with open_original(stored) as original, self._converted(original, "inside:copied", video.type) as playing:
                yield playing
        elif video.playable == "direct":
            with open_original(stored) as original:
                yield Playing(original.fd, original.size, video.type, version_of(original, "direct"), original.modified)
        elif video.playable == "transcode":
            around = clip_around(at, video)
            with self.clip(stored, limits, around.start, around.end) as playing:
                yield playing
        elif video.playable == "remux":
            form = video.type.removeprefix("video/")
            with open_original(stored) as original, self._converted(original, "remux:remux", video.type, form=form) as playing:
                yield playing
        else:
            raise UnreadableDocument(
                f"{stored.passage.document} cannot be played in a browser", remedy="look at its frames, or download the original"
            )

    @contextmanager
    def clip(self, stored: StoredPassage, limits: Limits, start: float, end: float) -> Iterator[Playing]:
        """The video from `start` to `end` seconds, as MP4. WrongRequest, NotShown, UnreadableDocument."""
        if not 0 <= start < end or end - start > LONGEST_CLIP:
            raise WrongRequest(
                f"a clip from {start} to {end} s is not possible", remedy=f"choose 0 ≤ start < end, at most {LONGEST_CLIP:g} s"
            )
        if stored.passage.kind != "frame":
            raise NotShown(f"{stored.passage.document} is not a video", remedy="get its picture or its text instead")
        start, end = round(start, 3), round(end, 3)
        with open_original(stored) as original:
            bounds = {"start": start, "end": end, "max_source_pixels": limits.max_source_pixels}
            with self._converted(original, "transcode:clip", "video/mp4", **bounds) as playing:
                yield playing

    def _ask(
        self, pool: AskPool, function: str, original: Original, details: dict[str, Any], *, out: int = -1, room: int = 0
    ) -> tuple[dict[str, Any], bytes]:
        """Calls a function of this package, in a worker, with an open file. One call at a time for each file, so that requests
        for one video wait for each other instead of competing for the disk.
        """
        descriptors = (original.fd,) if out < 0 else (original.fd, out)
        function = f"rag.media.{function}"
        if original.inner:
            details = {"name": original.name, "inner": original.inner, "function": function, "details": details}
            function = "rag.media.inside:called"
        with self._one_at_a_time(original.stamp):
            try:
                return pool.call(function, Path(original.name), details, size=original.size, room=room, descriptors=descriptors)
            except UnreadableDocument as error:
                remedy = "download the original; other files are not affected"
                named = f"{original.name} › {original.inner}" if original.inner else original.name
                raise UnreadableDocument(f"{named} {error.what}", remedy=remedy) from error

    @contextmanager
    def _one_at_a_time(self, stamp: str) -> Iterator[None]:
        with self._lock:
            lock, waiting = self._in_use.get(stamp, (threading.Lock(), 0))
            self._in_use[stamp] = lock, waiting + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                _, waiting = self._in_use[stamp]
                if waiting == 1:
                    del self._in_use[stamp]
                else:
                    self._in_use[stamp] = lock, waiting - 1

    def _regions(self, original: Original, stored: StoredPassage, words: str, limits: Limits) -> dict[str, Any]:
        passage = stored.passage
        details = {"kind": passage.kind, "locator": passage.locator, "words": words, "limits": limits}
        name = version_of(original, "outlines", details)
        found = self._facts.find(name)
        if found is None:
            found, _ = self._ask(self._quick, "highlights:outlines", original, details)
            self._facts.keep(name, found, len(repr(found)))
        return found

    def _lines_of(self, original: Original, stored: StoredPassage, limits: Limits) -> list[dict[str, Any]]:
        """The lines that OCR reads in the picture of a passage, whatever is asked: the next query finds them at once."""
        details = {"kind": stored.passage.kind, "locator": stored.passage.locator, "limits": limits}
        name = version_of(original, "lines", details)
        found = self._lines.find(name)
        if found is None:
            found, _ = self._ask(self._ocr, "highlights:lines", original, details)
            self._lines.keep(name, found, len(repr(found)))
        lines: list[dict[str, Any]] = found["lines"]
        return lines

    def _video(self, original: Original, limits: Limits) -> Video:
        name = version_of(original, "video", limits.max_source_pixels)
        found = self._facts.find(name)
        if found is None:
            try:
                found, _ = self._ask(self._quick, "remux:probe", original, {"max_source_pixels": limits.max_source_pixels})
            except UnreadableDocument:
                found = {"duration": None, "width": 0, "height": 0, "playable": "frames", "type": ""}
            self._facts.keep(name, found, len(repr(found)))
        return Video(**found)

    @contextmanager
    def _converted(self, original: Original, function: str, sent_as: str, /, **details: Any) -> Iterator[Playing]:
        version = version_of(original, function, details, "1")
        size = HELD_BYTES if original.inner else original.size
        room = size + 1_000_000 if function in ("remux:remux", "inside:copied") else 100_000_000

        def make(out: int) -> None:
            self._ask(self._slow, function, original, details, out=out, room=2 * room)

        fd = self._video_cache.open(version, room, make)
        with open(fd, "rb") as made:  # noqa: PTH123 (a descriptor has no path)
            size = made.seek(0, 2)
            yield Playing(fd, size, sent_as, version, original.modified)

    def _rendered(self, original: Original, version: str, size: Size, index: Path, **details: Any) -> tuple[bytes, str]:
        is_kept = size == "thumb" and details["crop"] is None
        thumbnails = self._thumbnails.setdefault(index, Thumbnails(index)) if is_kept else None
        found = self._pictures.find(version)
        if found is not None:
            return found
        content = thumbnails.find(version) if thumbnails is not None else None
        if content is None:
            facts, content = self._ask(
                self._quick, "render:picture", original, {"size": size, "stamp": original.stamp, **details}
            )
            form = str(facts["type"])
            if thumbnails is not None:
                thumbnails.keep(version, content)
        else:
            form = "image/webp"
        self._pictures.keep(version, (content, form), len(content))
        return content, form
