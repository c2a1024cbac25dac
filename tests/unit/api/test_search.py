"""POST /v1/search: the same hits as the read path, and errors that say what to do."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

import rag
from tests.unit.api_server import CORPUS, asking


def ask(api: TestClient, **request: Any) -> dict[str, Any]:
    answer = api.post("/v1/search", json=request)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def data_url(picture: bytes, kind: str = "jpeg") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (width, height), 90).save(out, "PNG")
    return out.getvalue()


def test_hits_are_the_same_as_in_python(api: TestClient, library: Path) -> None:
    found = ask(api, text="harbour dues", top_k=5)
    with rag.open_index(str(library)) as searcher:
        expected = [rag.hit_json(hit) for hit in searcher.query("harbour dues", top_k=5)]
    added = ("media", "thumbnail", "marks")
    assert [{key: value for key, value in hit.items() if key not in added} for hit in found["hits"]] == expected
    assert found["hits"][0]["document"] == "minutes.txt"
    assert (found["index"], found["reranked"], found["reranker"], found["good"]) == ("library", False, None, True)


def test_marks_are_the_words_of_the_query_in_the_snippet(api: TestClient) -> None:
    hit = ask(api, text="dues harbours")["hits"][0]
    assert [hit["snippet"][start:end] for start, end in hit["marks"]] == ["Harbour", "dues"]


def test_without_reranking_the_fused_score_ranks(api: TestClient) -> None:
    found = ask(api, text="harbour dues", rerank=False, explain=True)
    assert (found["reranked"], found["reranker"]) == (False, None)
    assert all(hit["rerank_score"] is None and hit["explain"]["score_is"] == "fused" for hit in found["hits"])
    assert found["hits"] == sorted(found["hits"], key=lambda hit: -hit["score"])


def test_every_stage_has_its_seconds(api: TestClient) -> None:
    seconds = ask(api, text="harbour")["seconds"]
    assert list(seconds) == ["embed", "filter", "dense", "lexical", "fuse", "rerank", "group", "total"]
    assert seconds["total"] == pytest.approx(sum(value for stage, value in seconds.items() if stage != "total"), abs=1e-4)


def test_a_picture_finds_itself(api: TestClient) -> None:
    picture = (CORPUS / "photos/IMG_2063.jpg").read_bytes()
    hit = ask(api, image=data_url(picture))["hits"][0]
    assert (hit["document"], hit["media"]) == ("photos/IMG_2063.jpg", "image")
    assert hit["thumbnail"].startswith(f"/v1/media/{hit['id']}?size=thumb&index=library&v=")
    assert "immutable" in api.get(hit["thumbnail"]).headers["Cache-Control"]


def test_several_pictures_are_one_query(api: TestClient, library: Path) -> None:
    """The hits are those of Python; each picture finds itself."""
    files = [CORPUS / "photos" / name for name in ("IMG_2041.jpg", "IMG_2063.jpg")]
    found = ask(api, images=[data_url(file.read_bytes()) for file in files], explain=True, ocr=False)["hits"]
    assert {hit["document"] for hit in found[:2]} == {f"photos/{file.name}" for file in files}
    assert "vector: the mean of 2 pictures" in found[0]["explain"]["score_is"]
    with rag.open_index(str(library)) as searcher:
        same = searcher.query(images=[str(file) for file in files], ocr=False)
    assert [hit.id for hit in same] == [hit["id"] for hit in found]


def test_more_like_a_passage_leaves_it_out(api: TestClient) -> None:
    page = ask(api, text="annual report income", kinds=["page"])["hits"][0]
    like = ask(api, like=page["id"], top_k=3)
    assert len(like["hits"]) == 3
    assert page["id"] not in [hit["id"] for hit in like["hits"]]
    assert [hit["rank"] for hit in like["hits"]] == [1, 2, 3]
    assert like["hits"][0]["kind"] == "page"


def test_filters_and_counts(api: TestClient) -> None:
    found = ask(api, text="harbour", kinds=["page", "text"])
    assert set(found["counts"]["kinds"]) == {"page", "text"}
    assert found["counts"]["roots"] == {"corpus": sum(found["counts"]["kinds"].values())}
    assert found["counts"]["folders"]["reports"] == found["counts"]["kinds"]["page"]
    assert {hit["document"] for hit in ask(api, text="harbour", paths=["notes/"])["hits"]} == {"notes/gull-head-visit.md"}


def test_a_whole_list_comes_in_pages_to_its_end(api: TestClient) -> None:
    first = ask(api, text="harbour", whole=True, top_k=2)
    assert first["total"]["exact"] and first["total"]["results"] > 2
    listed, answer = [hit["id"] for hit in first["hits"]], first
    while answer["next"]:
        answer = ask(api, text="harbour", top_k=2, cursor=answer["next"], whole=True)
        listed += [hit["id"] for hit in answer["hits"]]
    assert len(listed) == len(set(listed)) == first["total"]["results"]
    assert ask(api, text="harbour", whole=True, top_k=200)["next"] is None
    assert not [note for note in answer["notes"] if "changed" in note]
    stale = ask(api, text="harbour", whole=True, top_k=2, cursor="2-00000000")
    assert "the index was changed since the first page: a result may be missing or shown twice" in stale["notes"]
    refused = api.post("/v1/search", json={"text": "harbour", "cursor": "two"})
    assert (refused.status_code, refused.json()["error"]["what"]) == (400, "the cursor is none that this server gave")


@pytest.mark.parametrize("text", ["red boat", "blue sky", "harbour"])
def test_a_count_is_what_a_filter_shows_for_colours_too(api: TestClient, text: str) -> None:
    asked = {"text": text, "whole": True, "top_k": 200}
    counts = api.post("/v1/search", json=asked).json()["counts"]["kinds"]
    for kind in ("text", "page", "image", "screenshot", "frame"):
        found = api.post("/v1/search", json={**asked, "kinds": [kind]}).json()["total"]["results"]
        assert (kind, counts.get(kind, 0)) == (kind, found)


def test_full_texts_come_on_request(api: TestClient) -> None:
    hit = ask(api, text="harbour dues", texts=True)["hits"][0]
    assert hit["text"] == "Harbour dues were raised by nine percent in the winter."


def test_a_search_without_a_good_match_says_so(api: TestClient) -> None:
    assert ask(api, text="zzyzx quokka")["good"] is False


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [
        ({"text": "  "}, 400, "wrong_request"),
        ({"text": "x", "top_k": 201}, 422, "wrong_shape"),
        ({"text": "x", "top_k": 0}, 422, "wrong_shape"),
        ({"text": "x" * 20_001}, 422, "wrong_shape"),
        ({"text": "x", "colour": "red"}, 422, "wrong_shape"),
        ({"text": "x", "kinds": ["smell"]}, 422, "wrong_shape"),
        ({"text": "x", "roots": ["elsewhere"]}, 400, "wrong_request"),
        ({"text": "x", "after": "yesterday"}, 400, "wrong_request"),
        ({"text": "x", "index": "other"}, 404, "no_such_index"),
        ({"text": "x", "index": "../library"}, 404, "no_such_index"),
        ({"like": "nobody"}, 404, "no_such_passage"),
        ({"image": "http://127.0.0.1/secret.png"}, 400, "wrong_request"),
        ({"image": "file:///etc/passwd"}, 400, "wrong_request"),
        ({"images": ["http://127.0.0.1/secret.png"]}, 400, "wrong_request"),
        ({"images": [data_url(png(8, 8))] * 6}, 422, "wrong_shape"),
        ({"image": "data:image/png;base64,????"}, 400, "wrong_request"),
        ({"image": data_url(b"GIF89a and no more")}, 400, "wrong_request"),
        ({"image": data_url(png(10_000, 6_000))}, 413, "too_large"),
    ],
)
def test_invalid_requests_are_refused_with_a_remedy(api: TestClient, question: dict[str, Any], status: int, code: str) -> None:
    answer = api.post("/v1/search", json=question)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["what"] and error["remedy"]
    assert "Traceback" not in answer.text and "/tmp/rag-query" not in answer.text


def test_too_large_a_body_is_refused_before_it_is_read(api: TestClient) -> None:
    answer = api.post("/v1/search", content=b" " * (33 << 20), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_body_of_unknown_length_is_refused_when_it_grows_too_large(api: TestClient) -> None:
    pieces = (b" " * (1 << 20) for _ in range(40))
    answer = api.post("/v1/search", content=pieces, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_copy_is_the_best_hit_for_more_like_a_picture(tmp_path: Path) -> None:
    """It is not folded into the picture of the query and dropped with it."""
    photo = Image.open(CORPUS / "photos/IMG_2063.jpg")
    (tmp_path / "corpus").mkdir()
    photo.save(tmp_path / "corpus/photo.jpg")
    photo.resize((photo.width // 2, photo.height // 2)).save(tmp_path / "corpus/smaller.jpg")
    Image.open(CORPUS / "photos/IMG_2041.jpg").save(tmp_path / "corpus/other.jpg")
    index = tmp_path / "indexes/copies"
    rag.build_index(tmp_path / "corpus", index=str(index), ocr="never")
    with asking(index) as client:
        [asked] = [
            hit for hit in ask(client, image=data_url((tmp_path / "corpus/photo.jpg").read_bytes()))["hits"] if hit["folded"]
        ]
        like = [hit["document"] for hit in ask(client, like=asked["id"])["hits"]]
    assert like[0] == asked["folded"][0]["document"]
    assert asked["document"] not in like


def test_text_in_a_query_picture_is_read_unless_ocr_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each picture, however often it is used; with `ocr` false only its pixels count."""
    from rag.loaders.picture import ocr

    (tmp_path / "corpus").mkdir()
    Image.new("RGB", (320, 240), (20, 90, 160)).save(tmp_path / "corpus/sea.png")
    (tmp_path / "corpus/pilot.txt").write_text("The pilot boat leaves at dawn.\n")
    index = tmp_path / "indexes/pictures"
    rag.build_index(tmp_path / "corpus", index=str(index))
    read: list[tuple[int, ...]] = []

    def recognise(pixels: Any, threads: int = 1) -> ocr.OcrResult:
        read.append(pixels.shape)
        return ocr.OcrResult("pilot boat", ())

    monkeypatch.setattr(ocr, "recognise", recognise)
    asked = data_url(png(311, 207))
    with asking(index, jobs=0) as client:  # read in this process, where it can be counted
        quick = ask(client, image=asked, ocr=False, rerank=False)
        assert read == []
        assert [hit["document"] for hit in quick["hits"]][:1] == ["sea.png"]
        assert all(hit["lanes"].keys() == {"dense"} for hit in quick["hits"])
        for _ in range(2):
            whole = ask(client, image=asked)
        assert len(read) == 1
        assert whole["hits"][0]["document"] == "pilot.txt"


@pytest.mark.parametrize("blend", ["NaN", "Infinity", "5", "-1"])
def test_blend_must_be_between_0_and_1(api: TestClient, blend: str) -> None:
    asked = f'{{"text": "harbour", "blend": {blend}}}'
    assert api.post("/v1/search", content=asked, headers={"Content-Type": "application/json"}).status_code == 422


def test_a_glob_of_many_stars_does_not_stall_the_server(api: TestClient) -> None:
    asked = {"text": "harbour", "paths": ["*a" * 1_000 + "b", "**/" * 300 + "*e*e*e*e*e*e*e*e*e*z"]}
    assert api.post("/v1/search", json=asked).json()["hits"] == []
