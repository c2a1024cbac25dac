"""A failing model server behind `rag index` and `rag query`: nothing wrong is ever stored."""

import pytest

import rag
from rag.backends.base import Choice
from rag.backends.server.embedder import ServerEmbedder
from rag.errors import AnotherModel, BackendError
from tests.faults.server_asking import LONG, MODEL, RERANKER, SHORT, WRONG_VECTORS, refusing


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(12):
        (folder / f"note {number}.txt").write_text(f"Note number {number} about the harbour.")
    return folder


@pytest.fixture
def indexed(corpus, monkeypatch):
    """Indexes the corpus through a server, with the short retry policy, into an index of that name."""
    monkeypatch.setattr(ServerEmbedder.__init__, "__defaults__", (Choice(), SHORT))

    def index(server, name="index"):
        where = str(corpus.parent / name)
        (corpus.parent / "empty").mkdir(exist_ok=True)
        if not (corpus.parent / name).exists():  # proofs and canaries, before anything goes wrong
            kept, server.faults = server.faults, type(server.faults)()
            always, server.always = server.always, None
            rag.build_index(corpus.parent / "empty", index=where, backend="server", model=MODEL, url=(server.url,), timeout=1.0)
            server.faults, server.always = kept, always
        report = rag.build_index(corpus, index=where, backend="server", model=MODEL, url=(server.url,), timeout=1.0)
        with rag.open_index(where, reranker="none") as opened:
            return report, {hit.document: hit.similarity for hit in opened.query("harbour", top_k=50, fold=False)}

    return index


NEVER_STORED = ["NaN", "zero", "too few", "too many", "duplicated index", "empty", "error in a 200", "html"]


@pytest.mark.parametrize("fault", [WRONG_VECTORS[name][0] for name in NEVER_STORED], ids=NEVER_STORED)
def test_wrong_vectors_are_never_stored(server, indexed, fault):
    _, truth = indexed(server, "healthy")
    server.fail(None)  # for the canaries of the new index
    server.always = fault
    with pytest.raises(BackendError):
        indexed(server)
    server.always = None
    report, found = indexed(server)
    assert report.embedded == 12
    assert found == pytest.approx(truth, abs=1e-4) and len(found) == 12


def test_refused_passages_are_skipped_with_the_reason_and_tried_again(server, indexed, corpus):
    (corpus / "part.txt").write_text("A good passage of the part.\n\n" * 100 + "SECRET at its end")
    (corpus / "whole.txt").write_text("SECRET of one passage")
    (corpus / "copy.txt").write_text("SECRET of one passage")
    indexed(server, "canaries")
    server.always = refusing("SECRET")
    for _ in range(2):  # the second run reads them again, and only them
        report, found = indexed(server)
        skipped = {one.document.path: one.reason for one in report.skipped}
        assert skipped.keys() == {"part.txt", "whole.txt", "copy.txt"}
        assert skipped["whole.txt"] == f"the model server refuses it ({LONG})"
        assert skipped["part.txt"].startswith("lines ") and LONG in skipped["part.txt"]
        assert {name for name in found if "note" not in name} == {"part.txt"} and len(found) == 13
    assert (report.unchanged, report.indexed, report.reused, report.embedded) == (12, 1, 0, 0)
    server.always = None
    report, found = indexed(server)
    assert (report.skipped, report.indexed + report.reused, len(found)) == ((), 3, 15)
    assert indexed(server)[0].unchanged == 15


def test_a_candidate_that_the_reranker_refuses_keeps_its_first_stage_score(server, ranker, indexed, corpus):
    indexed(server)
    ranker.always = refusing("number 3", path="/v1/rerank")
    told = {"reranker": "server", "reranker_url": (ranker.url,), "reranker_model": RERANKER, "url": (server.url,)}
    with rag.open_index(str(corpus.parent / "index"), **told) as opened:
        found = opened.search("harbour", top_k=50)
    unjudged = [hit for hit in found.hits if hit.rerank_score is None]
    assert [hit.document for hit in unjudged] == ["note 3.txt"]
    assert (unjudged[0].score, len(found.hits)) == (unjudged[0].fused, 12)
    assert any(note.startswith("1 of 12 candidates kept the score of the first stage") and LONG in note for note in found.notes)


def test_a_restart_during_an_index_run_loses_nothing(server, indexed):
    _, truth = indexed(server, "healthy")
    restarted = []

    def killed(handler, body):
        restarted.append(server.restart_after(0.5))

    server.fail(None, killed)
    report, found = indexed(server)
    restarted[0].join()
    assert (report.embedded, report.skipped) == (12, ())
    assert found == pytest.approx(truth, abs=1e-4) and len(found) == 12


def test_other_weights_under_the_same_name_are_noticed(server, indexed, corpus):
    indexed(server)
    (corpus / "new.txt").write_text("A new note.")
    server.weights = "others"
    with pytest.raises(AnotherModel):
        indexed(server)
