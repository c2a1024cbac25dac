"""Media and passages over HTTP: byte ranges, caching, outlines, neighbours; and paths that lead out of a root."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.datastructures import Headers
from starlette.testclient import TestClient

import rag
from rag.api.app import create_app
from rag.api.byte_ranges import Described, NoSuchRange, Range, attachment, range_of
from rag.api.guard import Trust
from rag.api.library import IndexLibrary
from rag.config import load_settings
from rag.index.reader.open_index import open_index
from tests.unit.films import colour, film, watched

SAMPLES = Path(__file__).parents[3] / "samples/corpus"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two indexes; the first has a PDF, a picture, a text, and videos in three containers."""
    base = tmp_path_factory.mktemp("media")
    corpus, other = base / "corpus", base / "other"
    corpus.mkdir()
    other.mkdir()
    shutil.copy(SAMPLES / "manuals/crane-b4-manual.pdf", corpus / "manual.pdf")
    shutil.copy(SAMPLES / "photos/IMG_2041.jpg", corpus / "photo.jpg")
    (corpus / "notes.md").write_text("# Harbour\n\nThe harbours closed.\n\n# Storm\n\nIt blew.\n\n# Dues\n\nThey rose.\n")
    film(corpus / "direct.mp4", sound="aac")
    film(corpus / "stream.ts", sound="aac", form="mpegts")
    film(corpus / "old.avi", codec="mpeg4", sound="mp3", form="avi", seconds=20)
    (other / "secret.txt").write_text("another index")
    rag.build_index(corpus, index=str(base / "indexes/first"), ocr="never", frame_seconds=1.0, passage_characters=100)
    rag.build_index(other, index=str(base / "indexes/second"), ocr="never")
    return base


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[TestClient]:
    named = [str(place / "indexes/first"), str(place / "indexes/second")]
    library = IndexLibrary(named, load_settings({}))
    app = create_app(library, Trust("127.0.0.1", 7860))
    app.state.place = place
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        yield client


def ids(client: TestClient, document: str, index: str = "first") -> list[str]:
    """The ids of a document's passages, in document order."""
    place: Path = client.app.state.place  # type: ignore[attr-defined]
    with open_index(place / "indexes" / index) as opened, opened.snapshot() as snapshot:
        stored = snapshot.passages(snapshot.live.numbers.tolist())
    return [one.id for one in stored if one.passage.document.path == document]


def picture(answer: httpx.Response) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))


# ---- pictures ---------------------------------------------------------------------------------


def test_a_thumbnail_and_its_caching(client: TestClient) -> None:
    id = ids(client, "photo.jpg")[0]
    answer = client.get(f"/v1/media/{id}?size=thumb")
    assert (answer.status_code, answer.headers["content-type"], max(picture(answer).shape)) == (200, "image/webp", 768)
    assert (
        answer.headers["x-content-type-options"] == "nosniff"
        and "default-src 'none'" in answer.headers["content-security-policy"]
    )
    assert answer.headers["cache-control"] == "private, no-cache"
    again = client.get(f"/v1/media/{id}?size=thumb", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    passage = client.get(f"/v1/passages/{id}").json()
    assert client.get(passage["thumbnail"]).headers["cache-control"] == "private, max-age=31536000, immutable"
    assert client.get(passage["thumbnail"]).content == answer.content
    assert client.head(f"/v1/media/{id}?size=thumb").headers["content-length"] == str(len(answer.content))


def test_a_frame_and_another_second_of_its_video(client: TestClient) -> None:
    first = ids(client, "direct.mp4")[0]
    for at in (None, 4.0):
        answer = client.get(f"/v1/media/{first}", params={} if at is None else {"at": at})
        assert np.abs(picture(answer).mean(axis=(0, 1)) - colour(at or 0.0)).max() < 12
    assert client.get(f"/v1/media/{first}?at=nan").status_code == 422
    assert client.get(f"/v1/media/{first}?at=1&page=1").status_code == 400


def test_passages_without_a_picture_or_video(client: TestClient) -> None:
    text, photo = ids(client, "notes.md")[0], ids(client, "photo.jpg")[0]
    assert client.get(f"/v1/media/{text}").json()["error"]["code"] == "not_shown"
    for address in (f"/v1/media/{text}", f"/v1/media/{text}/video", f"/v1/media/{photo}/video", f"/v1/media/{photo}?at=3"):
        answer = client.get(address)
        assert answer.status_code == 404 and answer.json()["error"]["remedy"], address


def test_the_part_of_a_page_that_shows_the_match(client: TestClient) -> None:
    [page] = ids(client, "manual.pdf")[:1]
    found = client.get(f"/v1/media/{page}/match", params={"words": "crane"}).json()
    assert found["regions"] and all(one["x"] >= 0 and one["x"] + one["width"] <= 1.001 for one in found["regions"])
    assert {one["words"].lower() for one in found["regions"]} == {"crane"}
    shown = picture(client.get(found["picture"]))
    assert shown.shape[1] / shown.shape[0] == pytest.approx(1.6, abs=0.02)
    region = found["regions"][0]
    y, x = (
        int((region[at] + region[side] / 2) * shown.shape[axis]) for at, side, axis in (("y", "height", 0), ("x", "width", 1))
    )
    height = max(4, int(region["height"] * shown.shape[0] / 2))
    assert shown[y - height : y + height, x - 20 : x + 20].min() < 120  # there are letters
    nothing = {"picture": None, "regions": []}
    assert client.get(f"/v1/media/{page}/match", params={"words": "zeppelin"}).json() == nothing
    assert client.get(f"/v1/media/{ids(client, 'photo.jpg')[0]}/match", params={"words": "crane"}).json() == nothing
    assert client.get(f"/v1/media/{page}?crop=0,0,7,1").status_code == 422
    assert client.get(f"/v1/media/{page}?crop=0.5,0,0.9,1").status_code == 400


# ---- passages ---------------------------------------------------------------------------------


def test_a_page_with_its_outlines_and_neighbours(client: TestClient) -> None:
    pages = ids(client, "manual.pdf")
    said = client.get(f"/v1/passages/{pages[1]}", params={"words": "cranes", "reach": 1}).json()
    assert (said["kind"], said["media"], said["locator"], said["place"], said["pages"]) == (
        "page",
        "page",
        {"page": 2},
        "p. 2",
        len(pages),
    )
    assert [one["id"] for one in said["neighbours"]["before"]] == [pages[0]]
    assert [one["place"] for one in said["neighbours"]["after"]] == ["p. 3"]
    assert said["marks"] and {said["text"][start:end].lower() for start, end in said["marks"]} <= {"crane", "cranes"}
    assert {region["words"].lower() for region in said["regions"]} <= {"crane", "cranes"} and len(said["regions"]) == len(
        said["marks"]
    )
    assert all(region["x"] >= 0 and region["x"] + region["width"] <= 1 for region in said["regions"])
    assert client.get(f"/v1/passages/{pages[1]}", params={"words": "cranes", "regions": False}).json()["regions"] == []
    assert client.get(said["neighbours"]["after"][0]["thumbnail"]).headers["content-type"] == "image/webp"


def test_a_text_in_its_context(client: TestClient) -> None:
    spans = ids(client, "notes.md")
    said = client.get(f"/v1/passages/{spans[0]}", params={"words": "HARBOUR"}).json()
    assert [said["text"][start:end] for start, end in said["marks"]][-1] == "harbours"
    assert (said["picture"], said["thumbnail"], said["video"], said["trouble"], said["media"]) == (None, None, None, None, "text")
    assert all("text" in one for one in said["neighbours"]["after"])


def test_how_videos_play(client: TestClient) -> None:
    found = {name: client.get(f"/v1/passages/{ids(client, name)[-1]}").json() for name in ("direct.mp4", "stream.ts", "old.avi")}
    assert {name: said["video"]["playable"] for name, said in found.items()} == {
        "direct.mp4": "direct",
        "stream.ts": "remux",
        "old.avi": "transcode",
    }
    assert found["direct.mp4"]["size"] == [320, 240] and found["direct.mp4"]["media"] == "video"
    video = found["old.avi"]["video"]
    assert video["clip"]["start"] == max(0.0, video["start"] - 2) and video["clip"]["end"] <= video["duration"]
    assert found["direct.mp4"]["video"]["clip"] is None


def test_unknown_ids_and_ids_of_other_indexes_are_not_found(client: TestClient) -> None:
    secret = ids(client, "secret.txt", "second")[0]
    assert client.get(f"/v1/passages/{secret}?index=second").json()["text"] == "another index"
    for id in (secret, "nothing", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%00b"):
        for address in (f"/v1/passages/{id}", f"/v1/media/{id}", f"/v1/media/{id}/video", f"/v1/media/{id}/original"):
            assert client.get(address).status_code == 404, address
    assert client.get(f"/v1/passages/{secret}?index=third").status_code == 404
    assert client.get(f"/v1/passages/{secret}?index=../second").status_code == 404


def test_a_file_that_became_a_link_out_of_the_root_is_not_found(client: TestClient, place: Path) -> None:
    id, file = ids(client, "photo.jpg")[0], place / "corpus/photo.jpg"
    kept = file.rename(place / "photo.jpg")
    try:
        file.symlink_to(kept)
        for address in (f"/v1/media/{id}", f"/v1/media/{id}?size=thumb", f"/v1/media/{id}/original"):
            assert client.get(address).status_code == 404, address
        said = client.get(f"/v1/passages/{id}").json()
        assert said["trouble"]["code"] == "not_shown" and "rag index" in said["trouble"]["remedy"] and said["path"] == str(file)
    finally:
        file.unlink()
        kept.rename(file)


# ---- videos and ranges ------------------------------------------------------------------------


def test_ranges_of_a_video_are_the_bytes_of_the_file(client: TestClient, place: Path) -> None:
    content = (place / "corpus/direct.mp4").read_bytes()
    size = len(content)
    address = f"/v1/media/{ids(client, 'direct.mp4')[0]}/video"
    whole = client.get(address)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, content, "video/mp4")
    assert (whole.headers["accept-ranges"], whole.headers["content-disposition"]) == ("bytes", "inline")
    for asked, start, stop in [("0-99", 0, 100), ("100-", 100, size), ("-50", size - 50, size), (f"5-{size + 9}", 5, size)]:
        part = client.get(address, headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.content) == (206, content[start:stop])
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    beyond = client.get(address, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert client.get(address, headers={"Range": "bytes=0-1,5-6"}).content == content
    assert client.get(address, headers={"Range": "bytes=0-1", "If-Range": '"older"'}).status_code == 200
    assert client.get(address, headers={"Range": "bytes=0-1", "If-Range": whole.headers["etag"]}).status_code == 206
    head = client.head(address, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")
    assert client.get(address, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_a_transport_stream_plays_from_its_start(client: TestClient, tmp_path: Path) -> None:
    address = f"/v1/media/{ids(client, 'stream.ts')[0]}/video"
    answer = client.get(address)
    assert answer.headers["content-type"] == "video/mp4"
    (tmp_path / "a.mp4").write_bytes(answer.content)
    frames = watched(tmp_path / "a.mp4")
    assert len(frames) == 60 and frames[0][0] < 0.1
    assert all(np.abs(np.subtract(shown, colour(moment))).max() < 16 for moment, shown in frames)
    assert client.get(address, headers={"Range": "bytes=40-79"}).content == answer.content[40:80]


def test_clips(client: TestClient, tmp_path: Path) -> None:
    id = ids(client, "old.avi")[0]
    for address, begins in ((f"/v1/media/{id}/clip?start=3&end=5", 3.0), (f"/v1/media/{id}/video?at=12", 10.0)):
        answer = client.get(address)
        (tmp_path / "a.mp4").write_bytes(answer.content)
        frames = watched(tmp_path / "a.mp4")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
        assert all(np.abs(np.subtract(shown, colour(moment + begins, 20))).max() < 16 for moment, shown in frames)
    assert client.get(f"/v1/media/{id}/clip?start=0&end=61").status_code == 400
    assert client.get(f"/v1/media/{id}/clip?start=5&end=5").status_code == 400
    assert client.get(f"/v1/media/{id}/clip?start=-1&end=5").status_code == 422
    assert client.get(f"/v1/media/{id}/clip?start=0&end=inf").status_code == 422


def test_originals_are_downloads(client: TestClient, place: Path) -> None:
    answer = client.get(f"/v1/media/{ids(client, 'notes.md')[0]}/original")
    assert answer.content == (place / "corpus/notes.md").read_bytes()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename=\"notes.md\"; filename*=UTF-8''notes.md"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ('a"b\r\nX: y.pdf', "attachment; filename=\"a_b__X_ y.pdf\"; filename*=UTF-8''a%22b%0D%0AX%3A%20y.pdf"),
        ("手册.pdf", "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E6%89%8B%E5%86%8C.pdf"),
        ("\udcff.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%FF.txt"),
    ],
)
def test_names_of_downloads(name: str, expected: str) -> None:
    assert attachment(name) == expected


@pytest.mark.parametrize(
    ("asked", "size", "found"),
    [
        ("bytes=0-0", 10, Range(0, 1)),
        ("bytes=-20", 10, Range(0, 10)),
        ("bytes=9-", 10, Range(9, 10)),
        ("bytes=5-4", 10, None),
        ("bytes=-", 10, None),
        ("items=0-1", 10, None),
        ("bytes=0-1,3-4", 10, None),
        ("bytes=99999999999999999999-", 10, None),
        ("", 10, None),
    ],
)
def test_range_of(asked: str, size: int, found: Range | None) -> None:
    assert range_of(Headers({"range": asked}), size, Described("", "v", 0.0)) == found


@pytest.mark.parametrize(("asked", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=-1", 0), ("bytes=0-", 0)])
def test_ranges_beyond_the_end(asked: str, size: int) -> None:
    with pytest.raises(NoSuchRange):
        range_of(Headers({"range": asked}), size, Described("", "v", 0.0))
