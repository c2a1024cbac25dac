"""Whose subtitles a file is: names beside a video, and folders of subtitles."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.corpus.subtitle_folders import owners_of
from rag.corpus.walk import FileEntry, Ignored, Root, walk

VIDEOS = {"v": ["v.mkv"], "v.2": ["v.2.mp4"], "the film": ["the film.mp4"]}


@pytest.mark.parametrize(
    ("stem", "owners"),
    [
        ("v", ["v.mkv"]),
        ("v.en", ["v.mkv"]),
        ("v.translated", ["v.mkv"]),
        ("v.pt-BR.forced", ["v.mkv"]),
        ("v.English.sdh", ["v.mkv"]),
        ("v.2.de", ["v.2.mp4"]),
        ("v_en", ["v.mkv"]),
        ("the film (German)", ["the film.mp4"]),
        ("v.part one.notes", []),
        ("v_notes", []),
        ("other", []),
    ],
)
def test_names_of_subtitles_beside_a_video(stem: str, owners: list[str]) -> None:
    assert list(owners_of(stem, VIDEOS)) == owners


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"words")


def found(folder: Path, under: str = "") -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """The companions of every document below `folder`, and what was taken for subtitles."""
    seen = list(walk(Root("r", folder.resolve()), under))
    documents = {one.path: one.companions for one in seen if isinstance(one, FileEntry)}
    return documents, {one.path for one in seen if isinstance(one, Ignored) and "subtitles" in one.reason}


def test_a_folder_of_subtitles_belongs_to_the_videos_it_names(tmp_path: Path) -> None:
    write(tmp_path, "s/e1.mkv", "s/e2.mkv", "s/Subs/e1.en.srt", "s/Subs/e2/2_German.ass", "s/Subs/other.srt", "s/Subs/e1.txt")
    taken = {"s/Subs/e1.en.srt", "s/Subs/e2/2_German.ass"}
    documents, subtitles = found(tmp_path)
    assert documents == {
        "s/Subs/e1.txt": (),
        "s/Subs/other.srt": (),
        "s/e1.mkv": ("Subs/e1.en.srt",),
        "s/e2.mkv": ("Subs/e2/2_German.ass",),
    }
    assert subtitles == taken
    assert found(tmp_path, "s/Subs")[1] == taken
    assert found(tmp_path, "s/e1.mkv")[0] == {"s/e1.mkv": ("Subs/e1.en.srt",)}


def test_the_subtitles_of_a_lone_video_need_not_name_it(tmp_path: Path) -> None:
    write(tmp_path, "film.mp4", "subtitles/2_English.srt", "subtitles/notes.txt", "Subtitles.txt")
    assert found(tmp_path)[0] == {"Subtitles.txt": (), "film.mp4": ("subtitles/2_English.srt",), "subtitles/notes.txt": ()}


def test_a_folder_of_subtitles_without_a_video_is_read_by_itself(tmp_path: Path) -> None:
    write(tmp_path, "Subs/a.srt", "b.txt")
    assert found(tmp_path) == ({"Subs/a.srt": (), "b.txt": ()}, set())


def test_what_ignore_files_name_belongs_to_no_video(tmp_path: Path) -> None:
    write(tmp_path, "film.mp4", "Subs/film.en.srt", "Subs/film.de.srt")
    (tmp_path / ".ragignore").write_text("*.de.srt\n")
    assert found(tmp_path)[0] == {"film.mp4": ("Subs/film.en.srt",)}


def test_a_change_in_the_folder_changes_the_video(tmp_path: Path) -> None:
    write(tmp_path, "film.mp4", "Subs/film.srt")
    before = {one.path: one.stamp for one in walk(Root("r", tmp_path.resolve())) if isinstance(one, FileEntry)}
    (tmp_path / "Subs/film.srt").write_text("other words")
    after = {one.path: one.stamp for one in walk(Root("r", tmp_path.resolve())) if isinstance(one, FileEntry)}
    assert before["film.mp4"] != after["film.mp4"]
