"""Corpora in an object store: indexed, changed, moved, deleted, cut short, and shown, as folders are. A real server of moto's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rag
from rag.corpus.objects import copies
from rag.corpus.sources import local_file
from rag.corpus.walk import FileEntry, Ignored, Inaccessible, Root, walk
from rag.errors import BackendError, MissingExtra, WrongRequest
from rag.indexing.plan import plan_index
from rag.indexing.remove import remove_documents
from rag.location import ObjectPath
from tests.e2e.conftest import COUNTING, Calls, Ran
from tests.e2e.runs import found
from tests.object_store import Bucket, meddling, running_store, use

PREFIX = "s3://corpus/team"


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with running_store(MOTO_S3_DEFAULT_MAX_KEYS="3") as bucket:
        yield bucket


@pytest.fixture
def bucket(server: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    server.empty()
    use(server, tmp_path / "cache", monkeypatch)
    return server


@pytest.fixture
def filled(bucket: Bucket, corpus: Path) -> Bucket:
    """The small corpus below the prefix `team`."""
    for file in corpus.rglob("*"):
        if file.is_file():
            bucket.put_file(f"team/{file.relative_to(corpus).as_posix()}", file)
    return bucket


def index(*places: str) -> rag.Report:
    return rag.build_index(*places, backend=COUNTING)


def documents(folder: str = PREFIX) -> list[str]:
    return [seen.path for seen in walk(Root("team", ObjectPath(folder))) if isinstance(seen, FileEntry)]


def test_it_is_indexed_as_the_same_folder_is(filled: Bucket, corpus: Path, calls: Calls) -> None:
    first = index(PREFIX)
    assert (first.indexed, calls.since(), first.skipped) == (5, first.embedded, ())
    local = rag.build_index(corpus, index="local", backend=COUNTING)
    assert (local.indexed, dict(local.passages)) == (5, dict(first.passages))
    for words in ("harbour traffic", "pilot boat", "a tug called Heron", "crane foundation"):
        with rag.open_index(index="local", backend=COUNTING) as searcher:
            assert found(words) == [hit.document for hit in searcher.query(words)]
    with rag.open_index(backend=COUNTING) as searcher:
        [hit, *_] = searcher.query("harbour traffic")
    assert (hit.path, hit.root) == (f"{PREFIX}/a/report.txt", "team")


def test_an_unchanged_prefix_costs_no_model_call_and_fetches_nothing(
    filled: Bucket, tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(PREFIX)
    calls.since()
    with meddling(filled) as (between, meddler):
        use(between, tmp_path / "other-cache", monkeypatch)
        again = index()
    assert (again.unchanged, again.indexed, calls.since()) == (5, 0, 0)
    assert meddler.seen
    assert all("list-type=2" in path or path.startswith("HEAD ") for path in meddler.seen)


def test_changed_moved_and_deleted_objects(filled: Bucket, calls: Calls) -> None:
    index(PREFIX)
    calls.since()
    filled.put("team/a/report.txt", "Ferry tickets become cheaper in autumn.\n")
    assert (index().indexed, calls.since()) == (1, 1)
    assert found("ferry tickets")[0] == "a/report.txt"
    filled.move("team/a/report.txt", "team/b/renamed.txt")
    report = index()
    assert (report.moved, report.removed, calls.since()) == (1, 0, 0)
    assert found("ferry tickets")[0] == "b/renamed.txt"
    filled.delete("team/b/renamed.txt")
    report = index()
    assert (report.removed, report.unchanged) == (1, 4)
    assert "b/renamed.txt" not in found("ferry tickets")


def test_a_caption_that_changes_reads_its_picture_again(filled: Bucket) -> None:
    index(PREFIX)
    assert found("pilot boat")[0] == "a/IMG_1.jpg"
    filled.put("team/a/IMG_1.jpg.txt", "an icebreaker in the ice")
    assert index().indexed == 1
    assert found("icebreaker")[0] == "a/IMG_1.jpg"


def test_a_listing_cut_short_wipes_nothing_and_the_run_says_so(
    filled: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: Calls
) -> None:
    index(PREFIX)
    calls.since()
    filled.put("team/a/report.txt", "Ferry tickets become cheaper in autumn.\n")
    filled.delete("team/page.md")
    with meddling(filled) as (between, meddler):
        use(between, tmp_path / "cache", monkeypatch)
        meddler.refuses = lambda path: "continuation-token" in path
        report = index()
        [skipped] = report.skipped
        assert "could not be listed to its end" in skipped.reason
        assert "403 Forbidden (AccessDenied)" in skipped.reason
        assert (str(skipped.document), report.removed, report.indexed, calls.since()) == ("team/", 0, 0, 0)
        assert found("harbour traffic")[0] == "a/report.txt"
        plan = plan_index()
        assert (plan.gone, [one.reason for one in plan.skipped]) == (0, [skipped.reason])
        with pytest.raises(WrongRequest, match="could not be listed to its end"):
            rag.build_index(rebuild=True, backend=COUNTING)
        assert found("harbour traffic")[0] == "a/report.txt"
        meddler.refuses = lambda path: False
        report = index()  # the text that changed, and the picture that the page which is gone said something of
        assert (report.removed, report.indexed, found("ferry tickets")[0]) == (1, 2, "a/report.txt")


def test_an_emptied_prefix_is_not_believed(filled: Bucket) -> None:
    index(PREFIX)
    filled.empty()
    report = index()
    assert report.removed == 0
    assert any(f"{PREFIX} is empty" in note for note in report.notes)


NAMES = [
    "quo\"te's.txt",
    "a b  c.txt",
    "ü/ä ö.txt",
    "u\u0308ber.txt",
    "100%20x.txt",
    "ha#sh?&=+.txt",
    "st*r~{x}|^`.txt",
    "back\\slash.txt",
    "船.txt",
    "😀.txt",
]


def test_names_with_spaces_quotes_and_unicode(bucket: Bucket) -> None:
    bucket.put_all({f"team/{name}": f"word{number} is in this one\n" for number, name in enumerate(NAMES)})
    report = index(PREFIX)
    assert (report.indexed, report.skipped) == (len(NAMES), ())
    for number, name in enumerate(NAMES):
        assert found(f"word{number}")[0] == name
    assert index().unchanged == len(NAMES)
    assert documents() == sorted(NAMES)


def test_a_name_that_cannot_be_read_stops_the_listing_and_is_named(bucket: Bucket) -> None:
    bucket.put_all({"team/good.txt": "good", "team/bad\tname.txt": "bad"})
    [seen] = walk(Root("team", ObjectPath(PREFIX)))
    assert isinstance(seen, Inaccessible)
    assert "bad name.txt" in seen.reason


def test_an_object_that_vanishes_between_listing_and_reading_is_gone(
    filled: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(PREFIX)
    filled.put("team/a/report.txt", "Ferry tickets become cheaper in autumn.\n")
    filled.put("team/new.txt", "a new one")
    with meddling(filled) as (between, meddler):
        use(between, tmp_path / "other-cache", monkeypatch)

        def vanish(path: str) -> None:
            if path.endswith(("/report.txt", "/new.txt")):
                filled.delete("team/a/report.txt")
                filled.delete("team/new.txt")

        meddler.before = vanish
        report = index()
    assert (report.removed, report.indexed, report.skipped) == (1, 0, ())
    assert "a/report.txt" not in found("harbour traffic")


def test_an_object_that_changes_between_listing_and_reading_is_read_as_it_is(
    filled: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with meddling(filled) as (between, meddler):
        use(between, tmp_path / "other-cache", monkeypatch)
        once = iter([True])

        def change(path: str) -> None:
            if path.endswith("/report.txt") and next(once, False):
                filled.put("team/a/report.txt", "Ferry tickets become cheaper in autumn.\n")

        meddler.before = change
        assert index(PREFIX).indexed == 5
    assert found("ferry tickets")[0] == "a/report.txt"
    assert index().unchanged == 5


def test_an_object_that_cannot_be_fetched_keeps_its_old_version_and_is_tried_again(
    filled: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(PREFIX)
    filled.put("team/a/report.txt", "Ferry tickets become cheaper in autumn.\n")
    with meddling(filled) as (between, meddler):
        use(between, tmp_path / "other-cache", monkeypatch)
        meddler.refuses = lambda path: path.endswith("/report.txt")
        report = index()
        assert [one.document.path for one in report.skipped] == ["a/report.txt"]
        assert found("harbour traffic")[0] == "a/report.txt"
        meddler.refuses = lambda path: False
        assert (index().indexed, found("ferry tickets")[0]) == (1, "a/report.txt")


def test_ignore_files_and_filters_hold_as_in_a_folder(bucket: Bucket, tmp_path: Path) -> None:
    contents = {
        ".gitignore": "*.log\nbuild/\n",
        "a.txt": "a",
        "a.log": "a",
        "build/b.txt": "b",
        "sub/.ragignore": "secret*\n",
        "sub/secret.txt": "s",
        "sub/open.txt": "o",
        ".hidden/x.txt": "x",
        "empty.txt": "",
        "film.mp4": "no film",
        "film.en.srt": "no subtitles",
        "Subs/film.de.srt": "keine",
        "a-b/c.txt": "sorts before a.txt/",
    }
    bucket.put_all({f"team/{key}": content for key, content in contents.items()})
    for key, content in contents.items():
        file = tmp_path / "folder" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def seen(root: Root, under: str = "") -> list[object]:
        return [
            (type(one), one.path, one.companions if isinstance(one, FileEntry) else one.reason)
            for one in walk(root, under)
            if isinstance(one, FileEntry | Ignored)
        ]

    here, there = Root("team", (tmp_path / "folder").resolve()), Root("team", ObjectPath(PREFIX))
    assert seen(there) == seen(here)
    assert (FileEntry, "film.mp4", ("film.en.srt", "Subs/film.de.srt")) in seen(there)
    for under in ("sub", "sub/open.txt", "film.mp4", "Subs", "build", "not-there"):
        assert seen(there, under) == seen(here, under), under


def test_a_prefix_below_a_root_and_a_single_object(filled: Bucket) -> None:
    index(f"{PREFIX}/a/report.txt")
    with rag.open_index(backend=COUNTING) as searcher:
        assert {str(place) for place in searcher.roots().values()} == {f"{PREFIX}/a"}
    assert index(PREFIX).indexed + index().unchanged >= 5
    with rag.open_index(backend=COUNTING) as searcher:
        assert {str(place) for place in searcher.roots().values()} == {PREFIX}
        assert {hit.document for hit in searcher.query("crane", paths=["a/*"])} <= {
            "a/minutes.txt",
            "a/report.txt",
            "a/IMG_1.jpg",
        }
        assert searcher.query("crane", paths=[f"{PREFIX}/a/*.txt"])[0].document == "a/minutes.txt"
    filled.put("team/a/report.txt", "Ferry tickets become cheaper in autumn.\n")
    assert index(f"{PREFIX}/a").indexed == 1


def test_it_is_forgotten_by_its_url(filled: Bucket) -> None:
    index(PREFIX)
    assert remove_documents(f"{PREFIX}/a/report.txt") == 1
    assert remove_documents(PREFIX) == 4
    with rag.open_index(backend=COUNTING) as searcher:
        assert searcher.roots() == {}


def test_what_is_not_there_and_what_does_not_answer(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongRequest, match="nothing lies at s3://corpus/nothing"):
        index("s3://corpus/nothing")
    with pytest.raises(BackendError, match="s3://nobucket"):
        index("s3://nobucket/x")
    with pytest.raises(WrongRequest, match="ftp:// cannot be indexed"):
        index("ftp://host/x")


def test_without_the_client_the_command_that_installs_it_is_named(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtra, match="obstore is not installed, which reads s3://corpus") as raised:
        index(PREFIX)
    assert raised.value.remedy.endswith("pip install '.[objects]'")


def test_a_profile_gives_the_credentials(filled: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "credentials").write_text("[mine]\naws_access_key_id = fromprofile\naws_secret_access_key = secret\n")
    with meddling(filled) as (between, meddler):
        use(between, tmp_path / "other-cache", monkeypatch)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_PROFILE", "mine")
        assert len(documents()) == 5
    assert meddler.keys == {"fromprofile"}


def test_a_file_url_is_the_folder(corpus: Path) -> None:
    assert index(f"file://{corpus}").indexed == 5
    with rag.open_index(backend=COUNTING) as searcher:
        assert list(searcher.roots().values()) == [corpus.resolve()]


def test_the_command_line(filled: Bucket, rag: Callable[..., Ran]) -> None:
    done = rag("index", PREFIX, "--json", **filled.environment)
    assert (done.code, done.json["indexed"]) == (0, 5)
    [hit, *_] = rag("query", "harbour traffic", "--format", "json", **filled.environment).json
    assert hit["path"] == f"{PREFIX}/a/report.txt"
    assert f"{PREFIX}/a/report.txt" in rag("show", hit["id"]).out
    assert f"root        team: {PREFIX}\n" in rag("status").out
    assert rag("rm", PREFIX).code == 0


def test_the_cache_keeps_to_its_bound_and_what_is_in_use_stays(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAG_OBJECT_CACHE", "1M")
    copies.user_cache.cache_clear()
    for number in range(8):
        bucket.put(f"team/{number}.bin", bytes(300_000))
    first = local_file(ObjectPath(f"{PREFIX}/0.bin"))
    for number in range(1, 8):
        local_file(ObjectPath(f"{PREFIX}/{number}.bin")).close()
    copies.user_cache().clear()
    held = list((tmp_path / "cache").rglob("*.bin"))
    assert sum(file.stat().st_size for file in held) <= 1_000_000
    assert first.path.stat().st_size == 300_000
    assert (tmp_path / "cache/rag/objects").stat().st_mode & 0o77 == 0
    first.close()
