"""First attempts without the manual: odd arguments, odd streams, settings elsewhere. Every message says what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rag
from tests.e2e.conftest import Ran


@pytest.fixture
def indexed(corpus: Path) -> Path:
    rag.build_index(corpus, ocr="never")
    return corpus


def test_an_index_named_by_variable_or_file_is_made_there_and_reported(
    corpus: Path, tmp_path: Path, rag: Callable[..., Ran]
) -> None:
    named = rag("index", "corpus", "--ocr", "never", RAG_INDEX=str(tmp_path / "elsewhere"))
    assert (named.code, f"→ {tmp_path}/elsewhere\n" in named.out) == (0, True)
    (tmp_path / "rag.toml").write_text('index = "mine"\n')
    filed = rag("index", "corpus", "--ocr", "never")
    assert (filed.code, f"→ {tmp_path}/indexes/mine\n" in filed.out) == (0, True)
    assert not (tmp_path / "indexes/default").exists()


def test_an_empty_folder_name_does_not_mean_the_current_folder(corpus: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    done = rag("index", "")
    assert (done.code, "name a folder" in done.err, (tmp_path / "indexes").exists()) == (2, True, False)


def test_an_unknown_home_and_a_long_name_do_not_crash(indexed: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    (tmp_path / "~nobody-of-that-name").mkdir()
    (tmp_path / "~nobody-of-that-name/a.txt").write_text("tilde")
    assert rag("index", "~nobody-of-that-name").code == 0
    (tmp_path / "loop").symlink_to("loop")
    long = "a" * 5_000
    for words in (
        ("index", "~nobody-else/x"),
        ("index", long),
        ("index", "corpus/page.md/x"),
        ("rm", "~nobody-else/x"),
        ("rm", "loop"),
        ("query", "--image", long),
        ("query", "--video", f"~nobody-else/{long}@1"),
        ("eval", long),
        ("status", "--index", f"{long}/"),
    ):
        done = rag(*words)
        assert (done.code, "Traceback" in done.err) == (2, False), (words[0], done.err)
    assert rag("query", "x", "--path", "~nobody-else/x").code == 1


@pytest.mark.skipif(not shutil.which("setpriv") or os.geteuid() != 0, reason="root needs setpriv to lose its rights")
def test_a_path_without_permission_is_reported(indexed: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o000)
    plain = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", sys.executable, "-m", "rag.cli"]
    for words in (("index", "closed/x"), ("query", "x", "--index", "closed/"), ("query", "--image", "closed/x")):
        done = subprocess.run([*plain, *words], capture_output=True, text=True)
        assert (done.returncode, "Permission denied" in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_an_index_without_passages_says_so(tmp_path: Path, rag: Callable[..., Ran]) -> None:
    (tmp_path / "empty").mkdir()
    rag("index", "empty")
    done = rag("query", "anything")
    assert (done.code, "the index has no passages yet" in done.err) == (1, True)


def test_status_names_the_commonest_suffixes(tmp_path: Path, rag: Callable[..., Ran]) -> None:
    (tmp_path / "many").mkdir()
    for number in range(20):
        (tmp_path / f"many/a.x{number}").write_text("text")
        (tmp_path / f"many/{number}.md").write_text("text")
    rag("index", "many")
    assert "documents   40 (20 .md, 1 .x0, " in rag("status").out
    assert ", 9 others)" in rag("status").out
    assert len(rag("status", "--json").json["suffixes"]) == 21


def test_words_need_no_quotes(indexed: Path, rag: Callable[..., Ran]) -> None:
    assert rag("query", "new", "crane", "--json").out == rag("query", "new crane", "--json").out


def test_no_query_on_stdin_is_an_empty_answer(indexed: Path, rag: Callable[..., Ran]) -> None:
    done = rag("query", "-", "--json", input="\n \n")
    assert (done.code, done.out, "no query on stdin" in done.err) == (1, "[]\n", True)


def test_streams_in_another_encoding_are_not_an_error(indexed: Path, rag: Callable[..., Ran]) -> None:
    (indexed / "menu.txt").write_text("Smørrebrød “special” • 12 €")
    rag("index")
    assert "Sm?rrebr?d ?special? ? 12 ?" in rag("query", "special", "-k", "1", PYTHONIOENCODING="ascii").out
    asked = rag("query", "-", "--format", "paths", input="crane é\n", PYTHONIOENCODING="ascii:strict")
    assert asked.out.splitlines()[0] == str(indexed / "a/minutes.txt")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_reported(indexed: Path) -> None:
    for words in (("query", "crane"), ("query", "crane", "--json"), ("config",)):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run([sys.executable, "-m", "rag.cli", *words], stdout=full, stderr=subprocess.PIPE, text=True)
        assert (done.returncode, done.stderr.splitlines()[0]) == (2, "rag: the output cannot be written: No space left on device")


def test_a_closed_pipe_is_not_a_failure(indexed: Path) -> None:
    command = f"{sys.executable} -m rag.cli query - --json --explain -k 100"
    done = subprocess.run(
        ["bash", "-c", f"yes crane | head -n 40 | {command} | head -n 1; exit ${{PIPESTATUS[2]}}"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[\n", "")


# ---- rm ---------------------------------------------------------------------------------------


@pytest.fixture
def two_roots(tmp_path: Path) -> Path:
    for file in ("A/docs/a.txt", "B/docs/b.txt", "B/c.txt"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"words of {file}")
    rag.build_index(tmp_path / "A", tmp_path / "B")
    return tmp_path


def held() -> list[str]:
    with rag.open_index() as searcher:
        return sorted(f"{hit.root}/{hit.document}" for hit in searcher.query("words"))


def test_rm_prefers_the_path_on_disk(two_roots: Path, monkeypatch: pytest.MonkeyPatch, rag: Callable[..., Ran]) -> None:
    (two_roots / "link").symlink_to("B")
    assert rag("rm", "A/../A/docs").out == "forgot 1 document of A/../A/docs\n"
    assert held() == ["B/c.txt", "B/docs/b.txt"]
    assert rag("rm", "link/docs/b.txt").code == 0
    assert held() == ["B/c.txt"]
    assert rag("rm", "link").code == 0
    assert rag("status", "--json").json["roots"].keys() == {"A"}


@pytest.mark.parametrize("path", ["", " ", "/", ".", "..", "./", "../..", "docs", "nowhere"])
def test_rm_refuses_unknown_and_ambiguous_paths(two_roots: Path, path: str, rag: Callable[..., Ran]) -> None:
    done = rag("rm", path)
    assert (done.code, done.out, "Traceback" in done.err) == (2, "", False)
    assert held() == ["A/docs/a.txt", "B/c.txt", "B/docs/b.txt"]


def test_rm_of_a_path_below_a_root(two_roots: Path, rag: Callable[..., Ran]) -> None:
    assert "several roots hold docs" in rag("rm", "docs").err
    assert rag("rm", "c.txt").out == "forgot 1 document of c.txt\n"
    assert rag("rm", "docs/b.txt/").code == 0
    assert held() == ["A/docs/a.txt"]


# ---- filters and moments ------------------------------------------------------------------------


def test_a_filter_that_matches_nothing_is_reported_and_paths_may_be_absolute(two_roots: Path, rag: Callable[..., Ran]) -> None:
    nothing = rag("query", "words", "--path", "B/docs/*")
    assert (nothing.code, "no passage matches the filters; paths are relative to a root" in nothing.err) == (1, True)

    def found(*words: str) -> list[str]:
        return sorted(f"{hit['root']}/{hit['document']}" for hit in rag("query", "words", "--json", *words).json)

    assert found("--path", f"{two_roots}/B/docs") == ["B/docs/b.txt"]
    assert found("--path", f"{two_roots}/B/*") == ["B/c.txt"]
    assert found("--path", f"{two_roots}/B/") == ["B/c.txt", "B/docs/b.txt"]
    assert found("--path", f"{two_roots}/B/docs/*", "--path", f"{two_roots}/B/c.txt") == ["B/c.txt", "B/docs/b.txt"]


@pytest.fixture
def clip(indexed: Path, tmp_path: Path) -> Path:
    """Two seconds: one red, one blue."""
    import av
    import numpy as np

    with av.open(str(tmp_path / "me@home.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 160, 120
        for number in range(20):
            colour = (200, 20, 20) if number < 10 else (20, 20, 200)
            picture = np.full((120, 160, 3), colour, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return tmp_path / "me@home.mp4"


def test_moments_of_a_video(clip: Path, rag: Callable[..., Ran]) -> None:
    def first(asked: str) -> str:
        document: str = rag("query", "--video", asked, "--kind", "image", "--json").json[0]["document"]
        return document

    assert first("me@home.mp4") == first("me@home.mp4@0.5") == "a/IMG_1.jpg"
    assert first("me@home.mp4@1.5") == first("me@home.mp4@0:01.5") == first("me@home.mp4@0:00:01.5") == "a/IMG_2.png"
    for moment in ("-1", "nan", "inf", "1e2", "", "0:0:0:1", "soon"):
        assert "write FILE@SECONDS" in rag("query", "--video", f"me@home.mp4@{moment}").err
    late = rag("query", "--video", "me@home.mp4@1:00")
    assert (late.code, "has no frame at 1:00: it ends at 2.0 s" in late.err) == (2, True)


# ---- files of settings and judgements -------------------------------------------------------------


def test_settings_that_are_not_text(tmp_path: Path, rag: Callable[..., Ran]) -> None:
    (tmp_path / "rag.toml").write_bytes(b"\xff\xfe")
    done = rag("config")
    assert (done.code, "rag.toml: is not UTF-8" in done.err) == (2, True)
    (tmp_path / "rag.toml").write_text("top_k = 0\n")
    assert f"rag: {tmp_path}/rag.toml: top_k: should be" in rag("config").err
    assert "rag: RAG_TOP_K: should be" in rag("config", RAG_TOP_K="many").err


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (b"\x89PNG", "is not UTF-8"),
        (b"", "has no judged query"),
        (b'{"id": 1, "query": "x"}', "has no judged query"),
        (b"harbour", "line 1: is not JSON"),
        (b"[1]", "line 1: is not a JSON object"),
        (b'{"query": "x", "relevant": []}', "line 1: 'id' is missing"),
        (b'{"id": 1, "relevant": [{"document": "a"}]}', "has neither a query nor an image"),
        (b'{"id": 1, "query": "x", "relevant": ["a"]}', "is not a JSON object with a list"),
        (b'{"id": 1, "query": "x", "relevant": [{"document": "a", "locator": {"pag": 1}}]}', "line 1: not a locator"),
        (b'{"id": 1, "query": "x"}\n{"id": 1, "query": "y"}', "line 2: the id 1 is used twice"),
    ],
)
def test_unusable_judgements(indexed: Path, tmp_path: Path, lines: bytes, says: str, rag: Callable[..., Ran]) -> None:
    (tmp_path / "judged.jsonl").write_bytes(lines)
    done = rag("eval", "judged.jsonl")
    assert (done.code, done.out, says in done.err, "Error" in done.err) == (2, "", True, False)


def test_an_unknown_tag_lists_the_tags(indexed: Path, tmp_path: Path, rag: Callable[..., Ran]) -> None:
    query = {"id": 1, "query": "crane", "relevant": [{"document": "a/minutes.txt"}], "tags": ["text"]}
    (tmp_path / "judged.jsonl").write_text(json.dumps(query))
    assert "the tags are: text" in rag("eval", "judged.jsonl", "--only", "page").err
    assert rag("eval", "judged.jsonl", "--only", "text", "--json").json["all"]["hits"]["Success@5"] == 1.0
