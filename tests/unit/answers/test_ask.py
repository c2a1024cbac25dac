"""A question answered from a real index by a server that answers by script. Knows the public interface."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.answers.answer import answer_json
from rag.answers.prompt import SYSTEM
from rag.answers.tokens import bound
from rag.errors import NoChatModel, TooLarge
from tests.unit.answers.chat_server import Script, chatting, pictures_in, prompt_tokens

QUESTION = "when does the ferry sail in winter"


@contextmanager
def asked(index: Path, script: Script, **flags: Any) -> Iterator[rag.Searcher]:
    with chatting(script) as url, rag.open_index(str(index), ocr="never", answer_url=url, **flags) as searcher:
        yield searcher


def last(messages: list[dict[str, Any]]) -> str:
    content = messages[-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def number_of(messages: list[dict[str, Any]], name: str) -> int:
    """The number of the source of that document."""
    found = re.search(rf"<source (\d+): {re.escape(name)}", last(messages))
    return int(found[1]) if found else 0


def test_an_answer_with_its_claims_its_sources_and_what_it_took(index: Path) -> None:
    def reply(messages: list[dict[str, Any]]) -> str:
        ferry = number_of(messages, "ferry.md")
        return f'It sails at 08:15 and 17:40 [{ferry} "sails at 08:15 and at 17:40"]. It is green [{ferry} "the boat is green"].'

    script = Script(reply=reply)
    with asked(index, script, answer_pictures=0) as searcher:
        answering = searcher.ask(QUESTION)
        pieces = list(answering)
        answer = answering.whole()
    number = next(one.number for one in answer.sources if one.hit.document == "ferry.md")
    assert "".join(pieces).strip() == answer.text == f"It sails at 08:15 and 17:40 [{number}]. It is green [{number}]."
    assert [(one.text, one.sources, one.verified) for one in answer.claims] == [
        ("It sails at 08:15 and 17:40.", (number,), True),
        ("It is green.", (number,), False),
    ]
    assert answer.quote(number) == "sails at 08:15 and at 17:40" and answer.enough and answer.model == "tiny-chat"
    [body] = script.bodies
    assert answer.tokens == {"prompt": prompt_tokens(body["messages"]), "answer": answer.tokens["answer"], "exact": True}
    assert set(answer.seconds) == {"retrieval", "evidence", "first", "total"}
    told = answer_json(answer)
    assert list(told) == ["answer", "claims", "sources", "enough", "model", "seconds", "tokens", "notes"]
    ferry = told["sources"][number - 1]
    assert (ferry["number"], ferry["cited"], ferry["quote"]) == (number, True, "sails at 08:15 and at 17:40")
    assert ferry["locator"] and ferry["passages"] and not ferry["seen"]


def test_strict_leaves_out_what_no_source_bears_out(index: Path) -> None:
    def reply(messages: list[dict[str, Any]]) -> str:
        return f'It is green [1 "green"].\nIt sails at 08:15 [{number_of(messages, "ferry.md")} "08:15"]. Ghosts [99].'

    with asked(index, Script(reply=reply)) as searcher:
        answering = searcher.ask(QUESTION, strict=True)
        pieces = "".join(answering)
        answer = answering.whole()
    assert pieces == answer.text and re.fullmatch(r"It sails at 08:15\. \[\d\]", answer.text)
    assert [claim.verified for claim in answer.claims] == [True]


def test_strict_with_nothing_verified_does_not_tell(index: Path) -> None:
    with asked(index, Script(reply=lambda _: "It is green.")) as searcher:
        answer = searcher.ask(QUESTION, strict=True).whole()
    assert answer.text == "The files do not tell. No sentence of the answer could be verified." and not answer.enough


def test_a_refusal_says_that_the_files_do_not_tell(index: Path) -> None:
    with asked(index, Script(reply=lambda _: "NOT IN THE FILES. There is no cake.")) as searcher:
        answering = searcher.ask("harbour cake")
        assert "".join(answering) == "The files do not tell. There is no cake."
        answer = answering.whole()
    assert (answer.enough, answer.claims) == (False, ())


def test_where_nothing_is_found_no_model_is_asked(index: Path) -> None:
    script = Script()
    with asked(index, script, answer_pictures=0) as searcher:
        answer = searcher.ask("xylophone quixotry").whole()
    assert (answer.text, answer.enough, script.bodies) == ("The files do not tell. Nothing was found.", False, [])


def test_without_a_model_there_is_the_evidence(searcher: rag.Searcher) -> None:
    with pytest.raises(NoChatModel) as told:
        searcher.ask(QUESTION)
    evidence = told.value.evidence
    assert evidence.sources[0].hit.document == "ferry.md" and "08:15" in evidence.sources[0].words
    assert told.value.exit_code == 3 and "rag serve answerer" in told.value.remedy


@pytest.mark.parametrize("sees", [True, False])
def test_pictures_go_as_pixels_to_a_model_that_sees_and_as_words_to_others(index: Path, sees: bool) -> None:
    script = Script(sees=sees, context=32_768)
    with asked(index, script) as searcher:
        answer = searcher.ask("lost seal", kinds=["image", "screenshot"]).whole()
    sent = script.bodies[-1]["messages"]
    assert pictures_in(sent) == int(sees) and answer.sources[0].hit.document == "sign.png"
    assert "A sign about a lost seal" in last(sent) and bool(answer.sources[0].pictures) is sees


def test_a_picture_that_is_asked_about_is_shown(index: Path, corpus: Path) -> None:
    script = Script(context=32_768)
    with asked(index, script) as searcher:
        searcher.ask("what is this", image=str(corpus / "sign.png"), kinds=["text"]).whole()
    sent = script.bodies[-1]["messages"]
    assert pictures_in(sent) == 1 and "The picture that the user asks about:" in last(sent)


@pytest.mark.parametrize("tokenize", [True, False])
def test_what_is_sent_never_exceeds_the_context(index: Path, tokenize: bool) -> None:
    """Counted by the server, or by the upper bound, and said so."""
    script = Script(context=1_700 if not tokenize else 900, tokenize=tokenize, usage=tokenize)
    with asked(index, script, answer_tokens=100, answer_pictures=0) as searcher:
        answer = searcher.ask(QUESTION).whole()
    [body] = script.bodies
    assert prompt_tokens(body["messages"]) + 100 <= script.context
    assert answer.tokens["exact"] is tokenize
    if not tokenize:
        texts = [turn["content"] for turn in body["messages"]]
        assert answer.tokens["prompt"] == sum(bound(texts)) + 16 * len(texts)
        assert any("upper bound" in note for note in answer.notes)


def test_a_question_that_cannot_fit_is_refused_before_anything_is_sent(index: Path) -> None:
    script = Script(context=600)
    with (
        asked(index, script, answer_tokens=400, answer_pictures=0) as searcher,
        pytest.raises(TooLarge, match="reads 600 tokens"),
    ):
        searcher.ask("harbour dues " * 100)
    assert script.bodies == []


def test_a_small_budget_still_keeps_whole_passages(index: Path) -> None:
    script = Script()
    with asked(index, script, answer_pictures=0, evidence_tokens=200) as searcher:
        answer = searcher.ask("harbour dues").whole()
    assert "raised by nine percent in the winter of 2025." in last(script.bodies[-1]["messages"])
    assert [one.hit.document for one in answer.sources] == ["dues.txt"]


def test_a_stopped_answer_is_what_has_arrived(index: Path) -> None:
    script = Script(reply=lambda _: "word " * 2_000, pause=0.005)
    with asked(index, script, answer_pictures=0) as searcher:
        answering = searcher.ask(QUESTION)
        pieces = iter(answering)
        first = next(pieces)
        answering.abort()
        rest = list(pieces)
        assert first.startswith("w") and len(rest) < 100 and script.ended.wait(5)
        assert answering.whole().text == first + "".join(rest)


def test_thinking_is_not_part_of_an_answer(index: Path) -> None:
    with asked(index, Script(reply=lambda _: "<think>\nHmm [1]\n</think>\n\nAt eight.")) as searcher:
        answering = searcher.ask(QUESTION)
        assert "".join(answering) == "At eight." == answering.whole().text


def test_earlier_turns_are_sent_and_the_query_may_be_another(index: Path) -> None:
    script = Script()
    with asked(index, script, answer_pictures=0) as searcher:
        searcher.ask("and the dues?", history=[("When does it sail?", "At eight.")], query="harbour dues").whole()
    roles = [(turn["role"], turn["content"]) for turn in script.bodies[-1]["messages"]]
    assert roles[0] == ("system", SYSTEM)
    assert roles[1:3] == [("user", "Question: When does it sail?"), ("assistant", "At eight.")]
    assert roles[3][0] == "user" and "nine percent" in roles[3][1] and roles[3][1].endswith("Question: and the dues?")


def test_several_indexes_are_asked_as_one(index: Path, tmp_path: Path) -> None:
    other = tmp_path / "more"
    other.mkdir()
    (other / "ferry.txt").write_text("The ferry sails every hour in summer, from half past six.")
    rag.build_index(other, index=str(tmp_path / "indexes/other"), ocr="never")
    script = Script()
    with (
        chatting(script) as url,
        rag.open_index(str(index), str(tmp_path / "indexes/other"), ocr="never", answer_url=url, answer_pictures=0) as both,
    ):
        answer = both.ask("when does the ferry sail").whole()
    assert {one.hit.index for one in answer.sources} == {"asked", "other"}
    assert "half past six" in last(script.bodies[-1]["messages"]) and "08:15" in last(script.bodies[-1]["messages"])
