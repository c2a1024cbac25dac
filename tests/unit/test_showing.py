"""Pictures, outlines and videos of passages, from real files through real decoder processes; and files that mean harm."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.errors import NotShown, UnreadableDocument, WrongRequest
from rag.loaders.base import Limits
from rag.showing.originals import opened
from rag.showing.projector import Picture, Projector
from rag.showing.shelf import Shelf
from rag.showing.thumbnails import Thumbnails
from rag.types import DocumentId, Kind, Lines, Locator, Page, Passage, Seconds, StoredPassage, Whole
from tests.unit.films import colour, film, heard, watched

SAMPLES = Path(__file__).parents[2] / "samples/corpus"
LIMITS = Limits()


@pytest.fixture(scope="module")
def projector() -> Iterator[Projector]:
    with Projector() as one:
        yield one


def passage(root: Path, path: str, kind: Kind, locator: Locator | None = None) -> StoredPassage:
    where = Passage(DocumentId("root", path), 0, locator or Whole(), kind, "text" if kind == "text" else "image")
    return StoredPassage(1, "abc", where, root / path, 0.0)


def seen(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.content)).convert("RGB"))


def pdf(file: Path, words: str, box: str = "0 0 400 300", extra: str = "", at: str = "100 200") -> Path:
    """One page with words in 24-point Helvetica."""
    drawn = f"BT /F1 24 Tf {at} Td ({words}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] {extra} /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = "%PDF-1.4\n"
    places = []
    for number, one in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"xref\n0 6\n0000000000 65535 f \n{table}trailer << /Root 1 0 R /Size 6 >>\nstartxref\n{len(out)}\n%%EOF\n"
    file.write_text(out, "latin-1")
    return file


# ---- pictures ---------------------------------------------------------------------------------


def test_a_frame_is_the_frame_of_its_second(projector: Projector, tmp_path: Path) -> None:
    film(tmp_path / "f.mp4")
    for moment in (0.0, 3.0, 5.5):
        shown = projector.picture(passage(tmp_path, "f.mp4", "frame", Seconds(moment, moment)), "thumb", LIMITS, tmp_path)
        assert shown.type == "image/webp"
        assert seen(shown).shape == (240, 320, 3)
        assert np.abs(seen(shown).mean(axis=(0, 1)) - colour(moment)).max() < 12
    other = projector.picture(passage(tmp_path, "f.mp4", "frame", Seconds(0.0, 1.0)), "view", LIMITS, tmp_path, Seconds(5.5, 5.5))
    assert np.abs(seen(other).mean(axis=(0, 1)) - colour(5.5)).max() < 12
    assert other.type == "image/jpeg"


def test_sizes_of_a_picture(projector: Projector, tmp_path: Path) -> None:
    Image.new("RGB", (4000, 2000), (200, 30, 30)).save(tmp_path / "p.png")
    one = passage(tmp_path, "p.png", "image")
    assert [seen(projector.picture(one, size, LIMITS, tmp_path)).shape[:2] for size in ("thumb", "view", "full")] == [
        (160, 320),
        (800, 1600),
        (2000, 4000),
    ]


def test_a_page_is_drawn_and_a_huge_one_is_bounded(projector: Projector, tmp_path: Path) -> None:
    pdf(tmp_path / "p.pdf", "Harbour")
    shown = seen(projector.picture(passage(tmp_path, "p.pdf", "page", Page(1)), "full", LIMITS, tmp_path))
    assert shown.shape == (625, 834, 3)  # 400 × 300 points at 150 dpi
    assert shown.min() < 60 and shown[0, 0].tolist() == [255, 255, 255]
    pdf(tmp_path / "huge.pdf", "x", "0 0 14400 14400")
    huge = seen(projector.picture(passage(tmp_path, "huge.pdf", "page", Page(1)), "full", LIMITS, tmp_path))
    assert max(huge.shape) <= 5000
    with pytest.raises(UnreadableDocument, match=r"p\.pdf page 9 is not there: the file has 1 page$"):
        projector.picture(passage(tmp_path, "p.pdf", "page", Page(1)), "view", LIMITS, tmp_path, Page(9))


def test_text_has_no_picture_and_a_picture_no_seconds(projector: Projector, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    with pytest.raises(NotShown, match="is text"):
        projector.picture(passage(tmp_path, "a.txt", "text", Lines(1, 1)), "view", LIMITS, tmp_path)
    with pytest.raises(NotShown, match="has no seconds"):
        projector.picture(passage(tmp_path, "p.png", "image"), "view", LIMITS, tmp_path, Seconds(1, 1))


@pytest.mark.parametrize("name", ["cut-in-the-post.pdf", "empty.png", "no-index.mp4", "not-a-picture.jpg", "poster-huge.png"])
def test_broken_files_cost_themselves_only(projector: Projector, tmp_path: Path, name: str) -> None:
    kind: Kind = {"pdf": "page", "mp4": "frame"}.get(name[-3:], "image")  # type: ignore[assignment]
    place = {"page": Page(1), "frame": Seconds(0, 1)}.get(kind, Whole())
    with pytest.raises(UnreadableDocument, match=name):
        projector.picture(passage(SAMPLES.parent / "broken", name, kind, place), "thumb", LIMITS, tmp_path)


def test_a_truncated_video_shows_what_is_there(projector: Projector, tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mkv", form="matroska").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    shown = projector.picture(passage(tmp_path, "cut.mkv", "frame", Seconds(0, 1)), "thumb", LIMITS, tmp_path)
    assert np.abs(seen(shown).mean(axis=(0, 1)) - colour(0)).max() < 12
    assert projector.video(passage(tmp_path, "cut.mkv", "frame", Seconds(0, 1)), LIMITS).playable == "remux"


# ---- what may be opened -----------------------------------------------------------------------


def test_only_files_inside_their_root_are_opened(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "sub", root / ".hidden", outside):
        folder.mkdir(parents=True)
    for file in (root / "a.txt", root / "sub/b.txt", root / ".hidden/c.txt", root / ".d.txt", outside / "secret.txt"):
        file.write_text(file.name)
    (root / "out.txt").symlink_to(outside / "secret.txt")
    (root / "way").symlink_to(outside)
    (root / "in.txt").symlink_to("sub/b.txt")
    (root / "dot.txt").symlink_to(".hidden/c.txt")
    os.mkfifo(root / "pipe.txt")
    for path, content in [("a.txt", b"a.txt"), ("sub/b.txt", b"b.txt"), ("in.txt", b"b.txt")]:
        with opened(passage(root, path, "text")) as original:
            assert os.read(original.fd, 100) == content
    refused = [
        "out.txt",
        "way/secret.txt",
        "dot.txt",
        ".d.txt",
        ".hidden/c.txt",
        "pipe.txt",
        "sub",
        "gone.txt",
        "../outside/secret.txt",
    ]
    for path in (*refused, "", "sub/../a.txt", "/etc/passwd", "a\0.txt"):
        with pytest.raises(NotShown), opened(passage(root, path, "text")):
            pass


def test_a_file_swapped_for_a_link_while_it_is_checked_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub/a.txt").write_text("a")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/a.txt").write_text("secret")
    true_realpath = os.path.realpath

    def swapped_after(path: os.PathLike[str], **options: bool) -> str:
        real = true_realpath(path, **options)
        if real.endswith("a.txt"):
            (root / "sub").rename(root / "moved")
            (root / "sub").symlink_to(tmp_path / "secret")
        return real

    monkeypatch.setattr(os.path, "realpath", swapped_after)
    with pytest.raises(NotShown), opened(passage(root, "sub/a.txt", "text")):
        pass


def test_a_replaced_file_is_shown_anew(projector: Projector, tmp_path: Path) -> None:
    one = passage(tmp_path, "p.png", "image")
    versions = []
    for red in (10, 200):
        Image.new("RGB", (40, 40), (red, 0, 0)).save(tmp_path / "new.png")
        (tmp_path / "new.png").replace(tmp_path / "p.png")
        shown = projector.picture(one, "thumb", LIMITS, tmp_path)
        assert abs(int(seen(shown)[20, 20, 0]) - red) < 10
        versions.append(shown.version)
    assert len(set(versions)) == 2


# ---- thumbnails on disk -----------------------------------------------------------------------


def test_thumbnails_are_kept_in_the_index_folder_and_damaged_ones_made_anew(tmp_path: Path) -> None:
    Image.new("RGB", (640, 480), (0, 200, 0)).save(tmp_path / "p.png")
    one, index = passage(tmp_path, "p.png", "image"), tmp_path / "index"
    with Projector() as projector:
        made = projector.picture(one, "thumb", LIMITS, index)
    (kept,) = (index / "thumbs").glob("*/*.webp")
    assert kept.stem == made.version and kept.read_bytes() == made.content
    kept.write_bytes(made.content[:-9])
    with Projector() as projector:
        assert projector.picture(one, "thumb", LIMITS, index).content == made.content
    assert kept.read_bytes() == made.content


def test_an_index_that_cannot_be_written_goes_without(projector: Projector, tmp_path: Path) -> None:
    Image.new("RGB", (640, 480), (0, 200, 0)).save(tmp_path / "p.png")
    (tmp_path / "index").write_text("a file where the folder should be")  # root may write everywhere else
    shown = projector.picture(passage(tmp_path, "p.png", "image"), "thumb", LIMITS, tmp_path / "index")
    assert seen(shown).shape == (240, 320, 3)


def test_too_many_thumbnails_are_cleared_the_least_used_first(tmp_path: Path) -> None:
    kept = Thumbnails(tmp_path, most_bytes=1000)
    content = b"RIFF" + (92).to_bytes(4, "little") + b"WEBP" + bytes(88)
    for number in range(20):
        kept.keep(f"{number:02}", content)
        os.utime(tmp_path / f"thumbs/{number:02}/{number:02}.webp", (number, number))
    assert kept.find("03") == content  # used now
    kept.clear()
    assert [number for number in range(20) if kept.find(f"{number:02}")] == [3, *range(13, 20)]


# ---- outlines ---------------------------------------------------------------------------------


def test_words_on_a_page_are_outlined_where_they_are_drawn(projector: Projector, tmp_path: Path) -> None:
    pdf(tmp_path / "p.pdf", "The harbours closed")
    found = projector.outlines(passage(tmp_path, "p.pdf", "page", Page(1)), "harbour", LIMITS, ocr=False)
    assert (found["pages"], found["size"]) == (1, [400, 300])
    (region,) = found["regions"]
    assert region["words"] == "harbours"
    assert 0.36 < region["x"] < 0.38 and 0.22 < region["width"] < 0.26  # Helvetica: "The " is 46.7 points wide at 24
    assert 0.24 < region["y"] < 0.28 and 0.05 < region["height"] < 0.1  # the line stands on 200 of 300 points
    _is_dark_inside(projector, tmp_path, "p.pdf", region)


@pytest.mark.parametrize(
    ("box", "extra", "at"),
    [
        ("0 0 400 300", "/Rotate 90", "100 200"),
        ("0 0 400 300", "/CropBox [50 100 350 280]", "100 200"),
        ("-200 -100 200 200", "/Rotate 270", "-100 50"),
    ],
)
def test_outlines_follow_pages_that_are_turned_or_cut(
    projector: Projector, tmp_path: Path, box: str, extra: str, at: str
) -> None:
    pdf(tmp_path / "p.pdf", "The harbours closed", box, extra, at)
    (region,) = projector.outlines(passage(tmp_path, "p.pdf", "page", Page(1)), "harbour", LIMITS, ocr=False)["regions"]
    _is_dark_inside(projector, tmp_path, "p.pdf", region)


def test_a_word_of_spaced_letters_is_one_region_and_two_words_are_two(projector: Projector, tmp_path: Path) -> None:
    pdf(tmp_path / "p.pdf", "harbour dues", at="20 200 Td 9 Tc 0 0")
    found = projector.outlines(passage(tmp_path, "p.pdf", "page", Page(1)), "harbour dues", LIMITS, ocr=False)["regions"]
    assert [region["words"] for region in found] == ["harbour", "dues"]
    assert found[0]["width"] > 0.3 and found[0]["x"] + found[0]["width"] < found[1]["x"]


def _is_dark_inside(projector: Projector, root: Path, path: str, region: dict[str, float]) -> None:
    """Whether letters are drawn in the region, from its left end to its right one, and it holds most of the height of a line."""
    pixels = seen(projector.picture(passage(root, path, "page", Page(1)), "full", LIMITS, root))
    height, width = pixels.shape[:2]
    left, right = int(region["x"] * width), int((region["x"] + region["width"]) * width)
    top, bottom = int(region["y"] * height), int((region["y"] + region["height"]) * height)
    dark = pixels[top:bottom, left:right].min(axis=2) < 128
    assert dark.mean() > 0.1
    if right - left < bottom - top:
        dark = dark.T
    ends = max(3, dark.shape[1] // 12)
    assert dark[:, :ends].any() and dark[:, -ends:].any()


def test_words_in_a_screenshot_are_outlined(projector: Projector, tmp_path: Path) -> None:
    image = Image.new("RGB", (900, 500), "white")
    font = ImageFont.load_default(32)
    ImageDraw.Draw(image).text((200, 300), "harbour dues rose", fill="black", font=font)
    image.save(tmp_path / "s.png")
    found = projector.outlines(passage(tmp_path, "s.png", "screenshot"), "dues", LIMITS, ocr=True)
    assert found["size"] == [900, 500]
    (region,) = found["regions"]
    assert region["words"].lower() == "dues"
    box = ImageDraw.Draw(image).textbbox((200, 300), "harbour dues", font=font)
    before = ImageDraw.Draw(image).textlength("harbour ", font=font)
    assert abs(region["x"] * 900 - (200 + before)) < 25
    assert abs((region["x"] + region["width"]) * 900 - box[2]) < 25
    assert region["y"] * 500 < 318 < (region["y"] + region["height"]) * 500
    assert projector.outlines(passage(tmp_path, "s.png", "screenshot"), "dues", LIMITS, ocr=False)["regions"] == []


# ---- videos -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec", "sound", "form", "playable", "kind"),
    [
        ("a.mp4", "libx264", "aac", "mp4", "direct", "video/mp4"),
        ("a.webm", "libvpx", "libopus", "webm", "direct", "video/webm"),
        ("a.ts", "libx264", "aac", "mpegts", "remux", "video/mp4"),
        ("a.mkv", "libx264", "aac", "matroska", "remux", "video/mp4"),
        ("b.mkv", "libvpx", "aac", "matroska", "remux", "video/webm"),
        ("a.mov", "libx264", "pcm_s16le", "mov", "remux", "video/mp4"),
        ("a.avi", "libx264", "mp3", "avi", "remux", "video/mp4"),
        ("b.avi", "mpeg4", "mp3", "avi", "transcode", "video/mp4"),
        ("b.mp4", "libx265", "aac", "mp4", "transcode", "video/mp4"),
    ],
)
def test_what_a_browser_plays(
    projector: Projector, tmp_path: Path, name: str, codec: str, sound: str, form: str, playable: str, kind: str
) -> None:
    """Made playable, it shows the right colour at the right second, from its start, and keeps its sound."""
    file = film(tmp_path / name, codec=codec, sound=sound, form=form)
    one = passage(tmp_path, name, "frame", Seconds(4, 5))
    video = projector.video(one, LIMITS)
    assert (video.playable, video.type, video.width, video.height) == (playable, kind, 320, 240)
    assert video.duration is not None and 5.8 < video.duration < 6.4
    with projector.playing(one, LIMITS, 4.0) as playing:
        content = os.pread(playing.fd, playing.size + 1, 0)
        assert (len(content), playing.type) == (playing.size, kind)
    if playable == "direct":
        assert content == file.read_bytes()
        return
    out = tmp_path / f"out.{kind[6:]}"
    out.write_bytes(content)
    begins = 2.0 if playable == "transcode" else 0.0  # the clip around second 4 begins at 2
    source = [(moment - begins, shown) for moment, shown in watched(file) if moment >= begins]
    frames = watched(out)
    assert len(frames) >= len(source) - 1
    for moment, shown in frames:
        _, meant = min(source, key=lambda one: abs(one[0] - moment))
        assert np.abs(np.subtract(shown, meant)).max() < 12, (moment, shown, meant)
    assert abs(frames[0][0] - source[0][0]) < 0.06 and abs(frames[-1][0] - source[-1][0]) < 0.11
    assert heard(out) == [{"video/mp4": "mp3" if name == "a.avi" else "aac", "video/webm": "opus"}[kind]]
    if kind == "video/mp4":
        assert content.index(b"moov") < content.index(b"mdat")  # plays while it loads


def test_a_clip_shows_what_was_asked_for(projector: Projector, tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", sound="aac")
    one = passage(tmp_path, "a.mp4", "frame", Seconds(0, 1))
    with projector.clip(one, LIMITS, 2.5, 4.0) as playing:
        (tmp_path / "clip.mp4").write_bytes(os.pread(playing.fd, playing.size, 0))
    frames = watched(tmp_path / "clip.mp4")
    assert len(frames) == 15 and heard(tmp_path / "clip.mp4") == ["aac"]
    assert all(np.abs(np.subtract(shown, colour(moment + 2.5))).max() < 16 for moment, shown in frames)
    for start, end in [(-1, 2), (2, 2), (3, 1), (0, 61), (float("nan"), 2)]:
        with pytest.raises(WrongRequest), projector.clip(one, LIMITS, start, end):
            pass
    with pytest.raises(UnreadableDocument, match="shows nothing"), projector.clip(one, LIMITS, 100, 110):
        pass


def test_pictures_are_not_played_and_damaged_videos_have_frames_only(projector: Projector, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    with pytest.raises(NotShown, match="is no video"):
        projector.video(passage(tmp_path, "p.png", "image"), LIMITS)
    broken = passage(SAMPLES.parent / "broken", "no-index.mp4", "frame", Seconds(0, 1))
    assert projector.video(broken, LIMITS).playable == "frames"
    with pytest.raises(UnreadableDocument, match="cannot be played"), projector.playing(broken, LIMITS, 0.0):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_decoder_holds_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.showing.decoders import Decoders

    monkeypatch.setenv("RAG_TOKEN", "a-key-of-the-server")
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    asked = {"kind": "image", "locator": {}, "size": "thumb", "stamp": "", "limits": {}}
    with Decoders(1, 30.0) as decoders, opened(passage(tmp_path, "p.png", "image")) as original:
        decoders.ask("picture", original, **asked)
        (idle,) = decoders._idle
        assert b"RAG_" not in Path(f"/proc/{idle._process.pid}/environ").read_bytes()


def test_a_decoder_that_dies_or_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.showing import exchange
    from rag.showing.decoders import Decoders

    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    one = passage(tmp_path, "p.png", "image")
    asked = {"kind": "image", "locator": {}, "size": "thumb", "stamp": "", "limits": {}}
    with Decoders(1, 30.0) as decoders, opened(one) as original:
        with pytest.raises(UnreadableDocument, match=r"p\.png stopped its decoder"):
            decoders.ask("no such question", original)
        monkeypatch.setattr(decoders, "_seconds", 0.0)
        monkeypatch.setattr(exchange, "receive", lambda line: line.recv(1))
        with pytest.raises(UnreadableDocument, match=r"took longer than|stopped"):
            decoders.ask("picture", original, **asked)
        monkeypatch.undo()
        said, content = decoders.ask("picture", original, **asked)
        assert (said["width"], said["height"], content[:4]) == (8, 8, b"RIFF")
        (idle,) = decoders._idle
        os.kill(idle._process.pid, signal.SIGKILL)  # as one that had nothing to do for minutes ends
        os.waitid(os.P_PID, idle._process.pid, os.WEXITED | os.WNOWAIT)
        assert decoders.ask("picture", original, **asked)[1] == content


def test_what_a_killed_program_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f"rag-video-{gone.pid}-x").mkdir()
    (tmp_path / f"rag-video-{gone.pid}-x/a").write_text("left")
    (tmp_path / f"rag-video-{os.getppid()}-y").mkdir()
    shelf = Shelf()
    os.close(shelf.opened("one", 1, lambda path: Path(path).write_text("made") and None))
    names = sorted(folder.name for folder in tmp_path.iterdir())
    assert len(names) == 2 and f"rag-video-{os.getppid()}-y" in names
    shelf.close()
    assert [folder.name for folder in tmp_path.iterdir()] == [f"rag-video-{os.getppid()}-y"]


def test_a_shelf_keeps_the_most_used_and_hands_out_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shelf = Shelf(most_bytes=250)
    made = []

    def make(path: str) -> None:
        made.append(path)
        Path(path).write_bytes(bytes(100))

    first = shelf.opened("a", 100, make)
    for name in ("b", "a", "c", "a", "b"):
        os.close(shelf.opened(name, 100, make))
    assert [Path(path).name for path in made] == [".a", ".b", ".c", ".b"]  # "c" sent "b" away, not "a"
    assert len(os.pread(first, 200, 0)) == 100
    os.close(first)
    with pytest.raises(UnreadableDocument, match="too large"):
        shelf.opened("d", 251, make)
    shelf.close()
