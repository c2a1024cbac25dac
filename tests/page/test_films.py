"""Videos that browsers cannot play: transcoded around the hit, or shown as frames; and one that fails half way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.page.conftest import Server, Visit, rag, serving
from tests.unit.films import film


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an MPEG-4 part 2 AVI, which browsers cannot play, and subtitles to find its frames by."""
    folder = tmp_path_factory.mktemp("films")
    corpus = folder / "corpus"
    corpus.mkdir()
    film(corpus / "harbour-tour.avi", 12, "mpeg4", "libmp3lame")
    film(corpus / "crane-tour.avi", 44, "mpeg4", "libmp3lame")
    (corpus / "crane-tour.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHere stands the crane.\n")
    (corpus / "harbour-tour.srt").write_text(
        "1\n00:00:00,500 --> 00:00:02,000\nThe ferry leaves.\n\n2\n00:00:07,000 --> 00:00:09,000\nHere stands the lighthouse.\n"
    )
    index = folder / "indexes/films"
    done = rag("index", str(corpus), "--index", str(index), "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    with serving(folder, index) as one:
        yield one


def opened(page: Page) -> dict[str, Any]:
    """Opens the first card; returns the `video` of its passage."""
    with page.expect_response(re.compile("/v1/passages/")) as answered:
        page.locator(".card-open").first.click()
    expect(page.locator("dialog.viewer .facts")).to_be_visible()
    said: dict[str, Any] = answered.value.json()["video"]
    return said


def test_a_video_that_browsers_cannot_play_is_transcoded_around_the_hit(films: Server, visit: Visit) -> None:
    visitor = visit(films)
    visitor.page.add_init_script(
        """addEventListener("playing", (event) => { window.firstShown ??= event.target.currentTime; }, true);"""
    )
    page = visitor.search("?q=lighthouse&kind=frame")
    video = opened(page)
    assert video["playable"] == "transcode"
    page.wait_for_function("() => window.firstShown !== undefined")
    assert abs(page.evaluate("window.firstShown") + video["clip"]["start"] - video["start"]) <= 0.5
    expect(page.locator(".film-wait")).to_have_count(0)
    visitor.shot("open-video-avi")


def test_the_next_clip_of_a_transcoded_video_follows(films: Server, visit: Visit) -> None:
    page = visit(films).search("?q=crane&kind=frame")
    video = opened(page)
    first_end = video["clip"]["end"]
    assert first_end < video["duration"] - 5
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    with page.expect_response(re.compile("/clip[?].*start=")) as asked:
        page.evaluate("() => { const film = document.querySelector('video'); film.currentTime = film.duration - 1; }")
    assert abs(float(re.search(r"start=([\d.]+)", asked.value.url)[1]) - first_end) < 0.5  # type: ignore[index]
    page.wait_for_function(
        "() => { const film = document.querySelector('video'); return film.src.includes('/clip?') && film.currentTime > 0; }"
    )
    left = page.locator(".film-at").evaluate("mark => parseFloat(mark.style.left)")
    assert left >= 100 * (first_end - 0.5) / video["duration"]
    expect(page.locator(".film-wait")).to_have_count(0)


def test_a_video_that_cannot_be_transcoded_is_shown_as_frames(films: Server, visit: Visit) -> None:
    """The answer is changed on its way, because no file here can be indexed but not transcoded."""

    def frames_only(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        said["video"] |= {"playable": "frames", "type": "", "clip": None}
        route.fulfill(response=answer, json=said)

    visitor = visit(films)
    visitor.page.route("**/v1/passages/**", frames_only)
    page = visitor.search("?q=lighthouse&kind=frame")
    opened(page)
    expect(page.locator(".film-label")).to_contain_text("Browsers cannot play this file; here are frames of it.")
    strip_of_frames(page)
    visitor.shot("open-video-moments")


@pytest.mark.complains
def test_a_video_that_fails_is_shown_as_frames(films: Server, visit: Visit) -> None:
    visitor = visit(films)
    visitor.page.route("**/video?*", lambda route: route.fulfill(status=422, json={"error": {"what": "damaged"}}))
    page = visitor.search("?q=lighthouse&kind=frame")
    opened(page)
    expect(page.locator(".film-note")).to_contain_text("The video could not be played; here are frames of it.")
    strip_of_frames(page)


def strip_of_frames(page: Page) -> None:
    """The frames are real pictures of the file, and a click shows one large."""
    large = page.locator(".film-large")
    first = large.get_attribute("src")
    shown = page.locator(".nears-wide img")
    assert shown.count() >= 12
    for image in (large, shown.first):
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 200
    page.locator(".nears-wide .near").last.click()
    assert large.get_attribute("src") != first
    assert large.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 200
