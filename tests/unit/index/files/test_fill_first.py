"""What searches ask for first: bounded, the latest first, and nothing where the folder cannot be written."""

from pathlib import Path

from rag.index.files.fill_first import FILE, MOST, ask_first, take_asked


def test_the_latest_search_comes_first_and_each_passage_once(tmp_path: Path) -> None:
    ask_first(tmp_path, [1, 2])
    ask_first(tmp_path, [])
    ask_first(tmp_path, [3, 1])
    assert take_asked(tmp_path) == [1, 3, 2]
    assert take_asked(tmp_path) == [] and not (tmp_path / FILE).exists()


def test_the_file_is_bounded_and_keeps_what_is_new(tmp_path: Path) -> None:
    for number in range(3 * MOST // 10):
        ask_first(tmp_path, range(10 * number, 10 * number + 10))
        assert (tmp_path / FILE).stat().st_size <= 8 * MOST
    found = take_asked(tmp_path)
    assert found[0] == 10 * (3 * MOST // 10) - 1 and len(found) <= MOST
    ask_first(tmp_path, range(2 * MOST))
    assert len(take_asked(tmp_path)) == MOST


def test_half_a_number_is_left_out(tmp_path: Path) -> None:
    ask_first(tmp_path, [7])
    with (tmp_path / FILE).open("ab") as out:
        out.write(b"abc")
    assert take_asked(tmp_path) == [7]


def test_a_folder_that_is_not_there_or_a_file_that_is_none(tmp_path: Path) -> None:
    ask_first(tmp_path / "none", [1])
    assert take_asked(tmp_path / "none") == []
    (tmp_path / FILE).mkdir()
    ask_first(tmp_path, [1])
    assert take_asked(tmp_path) == []
