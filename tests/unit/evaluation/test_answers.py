"""Judged questions and their measures, on a real index and a scripted chat server; the questions of the samples are right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rag
from rag.cli.app import app
from rag.errors import WrongRequest
from rag.evaluation.answers import groups_of, load_questions, measure_answers, measure_evidence
from rag.serialization import locator_json
from rag.types import Lines
from tests.unit.answers.chat_server import Script, chatting

SAMPLES = Path(__file__).parents[3] / "samples"
TEXTS = {
    "ferry.md": "# The ferry\n\nIn winter the ferry sails at 08:15 and at 17:40.",
    "dues.txt": "Harbour dues were raised by nine percent.",
}
QUESTIONS = (
    {"id": "1", "question": "when does the ferry sail in winter, harbour dues?", "facts": ["08:15", "17:40"], "tags": ["text"]},
    {"id": "2", "question": "were the harbour dues raised", "facts": ["nine percent"], "tags": ["text", "money"]},
    {"id": "3", "question": "what does a harbour cake cost", "tags": ["unanswerable"]},
)
FULL = {"2000": 1.0, "4000": 1.0, "8000": 1.0, "questions": 1}
PLACES = {"1": "ferry.md", "2": "dues.txt"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / name).write_text(text)
    rag.build_index(folder / "corpus", index=str(folder / "indexes/judged"), ocr="never")
    return folder / "indexes/judged"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    rows = [row | ({"places": [{"document": PLACES[row["id"]]}]} if row["id"] in PLACES else {}) for row in QUESTIONS]  # type: ignore[index,operator]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    return file


def test_the_evidence_is_measured_without_a_model(questions: Path, index: Path) -> None:
    with rag.open_index(str(index), ocr="never") as searcher:
        found = measure_evidence(searcher, load_questions(questions), (60, 2_000))
    assert found == {
        "all": {"60": 0.0, "2000": 1.0, "questions": 2},
        "text": {"60": 0.0, "2000": 1.0, "questions": 2},
        "money": {"60": 0.0, "2000": 1.0, "questions": 1},
    }


def test_answers_are_measured_by_what_they_cite(questions: Path, index: Path) -> None:
    def reply(messages: list[dict[str, str]]) -> str:
        asked = messages[-1]["content"].rpartition("Question: ")[2]
        if "cake" in asked:
            return "NOT IN THE FILES. No cake."
        dues = messages[-1]["content"].split(": dues.txt")[0][-1]
        return f'They were raised [{dues} "raised by nine percent"].'  # the wrong source for the ferry

    with (
        chatting(Script(reply=reply)) as url,
        rag.open_index(str(index), ocr="never", answer_url=url, answer_pictures=0) as searcher,
    ):
        found = measure_answers(searcher, load_questions(questions))
    assert found["all"] == {"precision": 0.5, "recall": pytest.approx(1 / 3), "verified": 1.0, "refused": 0.0, "questions": 2}
    assert found["money"]["precision"] == found["money"]["recall"] == 1.0
    assert (found["unanswerable"]["refused"], found["unanswerable"]["questions"]) == (1.0, 1)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"question": "x"}',
        '{"id": "1"}',
        '{"id": "1", "question": "x", "facts": ["a"]}',
        '{"id": "1", "question": "x", "facts": ["a"], "places": [{"document": "a", "locator": {"huh": 1}}]}',
        '{"id": "1", "question": " "}',
        '{"id": "9", "question": "x"}\n{"id": "9", "question": "y"}',
        "[1]",
    ],
)
def test_a_wrong_line_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(line)
    with pytest.raises(WrongRequest, match=r"q\.jsonl, line \d: "):
        load_questions(file)


def test_the_questions_of_the_samples_are_what_their_readme_says() -> None:
    questions = load_questions(SAMPLES / "questions.jsonl")
    groups = groups_of(questions)
    assert len(questions) == 40 and len(groups["unanswerable"]) == 8 and not any(one.facts for one in groups["unanswerable"])
    assert {"text", "page", "image", "screenshot", "frame", "chinese", "neutral"} <= set(groups)
    for one in questions:
        for document, _ in one.places:
            assert (SAMPLES / "corpus" / document).is_file(), one.id


def test_the_facts_in_plain_texts_stand_on_the_lines_named() -> None:
    checked = 0
    for one in load_questions(SAMPLES / "questions.jsonl"):
        for document, place in one.places:
            if Path(document).suffix in (".md", ".txt") and isinstance(place, Lines):
                lines = (SAMPLES / "corpus" / document).read_text("utf-8").splitlines()[place.start - 1 : place.end]
                text = " ".join(" ".join(lines).replace("*", "").split())
                assert all(fact in text for fact in one.facts), (one.id, locator_json(place))
                checked += 1
    assert checked >= 6


def test_the_command_prints_tables_and_refuses_what_is_about_rankings(
    questions: Path, index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    words = ["eval", "--ask", str(questions), "-i", str(index)]
    plain = CliRunner().invoke(app, words, catch_exceptions=False)
    told = CliRunner().invoke(app, [*words, "--json", "--only", "money"], catch_exceptions=False)
    assert "all (2)" in plain.stdout and "only the evidence is measured" in plain.stderr
    assert json.loads(told.stdout) == {"evidence": dict.fromkeys(("all", "text", "money"), FULL)}
    with pytest.raises(WrongRequest, match="--per-query is about rankings"):
        CliRunner().invoke(app, [*words, "--per-query"], catch_exceptions=False)
