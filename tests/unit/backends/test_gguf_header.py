"""The header of a GGUF is read as it was written, and a broken file is an error that names it."""

import numpy as np
import pytest

from rag.backends.gguf_header import WORDS, read_header
from rag.errors import BackendError
from tests.unit.gguf_samples import write_gguf

VALUES = {
    "general.architecture": "qwen3",
    "n": 7,
    "x": 0.5,
    "yes": True,
    "few": [6, 5, 5, 0],
    "many": list(range(100)),
    "s": ["a", "b"],
}


def test_values_words_and_places_of_tensors(tmp_path):
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    tensors = {"first": np.ones((1, 5), np.float32), "token_embd.weight": matrix}
    file = write_gguf(tmp_path / "a.gguf", {**VALUES, WORDS: ["no", "yes", "é"]}, tensors)
    header = read_header(file)
    assert header.words == (b"no", b"yes", "é".encode())
    assert header.values == {**VALUES, "few": (6, 5, 5, 0), "many": (), "s": ()}
    place = header.tensors["token_embd.weight"]
    assert (place.sizes, place.kind) == ((4, 3), 0)
    np.testing.assert_array_equal(np.fromfile(file, "<f4", 12, offset=place.offset).reshape(3, 4), matrix)


@pytest.mark.parametrize("kept", [0, 3, 20, 90])
def test_a_file_that_ends_too_early_is_named(tmp_path, kept):
    whole = write_gguf(tmp_path / "a.gguf", {**VALUES, WORDS: ["no", "yes"]})
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(BackendError, match=r"cut\.gguf is no whole GGUF file"):
        read_header(cut)


@pytest.mark.parametrize("content", [b"%PDF-1.7 and more", b"GGUF\x01\0\0\0" + bytes(40), b"GGUF\x03\0\0\0" + b"\xff" * 40])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "other.gguf").write_bytes(content)
    with pytest.raises(BackendError, match=r"other\.gguf is no whole GGUF file"):
        read_header(tmp_path / "other.gguf")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BackendError, match=r"gone\.gguf cannot be read: No such file"):
        read_header(tmp_path / "gone.gguf")
