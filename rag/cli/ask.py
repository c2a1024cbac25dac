"""`rag ask`: answers a question from the index, with sources. Knows options and exit codes; `ask_formats` prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from rag.cli.options import Indexes, Json, Space
from rag.cli.terminal import say

if TYPE_CHECKING:
    from rag.types import Kind

FORMATS = ("text", "json", "md", "context")


def ask(
    words: Annotated[list[str] | None, typer.Argument(help="The question; `-` reads one per line from stdin.")] = None,
    index: Indexes = None,
    image: Annotated[
        list[str] | None, typer.Option(help="A picture that the question is about (repeatable).", metavar="FILE")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only text, page, image, screenshot or frame (repeatable).")] = None,
    path: Annotated[
        list[str] | None, typer.Option(help="Only matching paths below the root (repeatable).", metavar="GLOB")
    ] = None,
    root: Annotated[list[str] | None, typer.Option(help="Only this root (repeatable).")] = None,
    space: Space = None,
    after: Annotated[
        str | None, typer.Option(help="Only from this date on (when the content was made, else modified).", metavar="DATE")
    ] = None,
    before: Annotated[str | None, typer.Option(help="Only before this date.", metavar="DATE")] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", "-k", help="How many hits may become sources.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Only sentences that a source bears out.")] = False,
    answer_url: Annotated[str | None, typer.Option(help="Address of the chat model.")] = None,
    answer_model: Annotated[str | None, typer.Option(help="Which chat model, where the server has several.")] = None,
    evidence_tokens: Annotated[int | None, typer.Option(help="Most tokens of evidence in one prompt.")] = None,
    chat: Annotated[bool, typer.Option("--chat", help="Go on asking: each line of stdin is a further question.")] = False,
    session: Annotated[str, typer.Option(help="Name under which the conversation is kept and taken up again.")] = "",
    format: Annotated[str, typer.Option(help="text, json, md, or context: the evidence alone, without a model.")] = "text",
    json: Json = False,
) -> None:
    """Answer a question from the index, with numbered sources, or say that the files do not tell.

    It needs a chat model: `rag serve answerer`, or any server with OpenAI's API, named in RAG_ANSWER_URL.
    """
    from rag.answers.ask import evidence_for
    from rag.cli.ask_formats import print_evidence, show_answers, show_evidence
    from rag.errors import NOTHING_FOUND, NoChatModel, WrongRequest
    from rag.search.federated import open_index
    from rag.search.options import SearchOptions

    wanted = "json" if json else format
    if wanted not in FORMATS:
        raise WrongRequest(f"no format is called {wanted!r}", remedy=f"the formats are: {', '.join(FORMATS)}")
    chat = chat or bool(session)
    if chat and wanted != "text":
        raise WrongRequest(f"--chat prints text, not {wanted}", remedy="leave --format and --json out, or ask without --chat")
    many = words == ["-"]
    questions = [line.strip() for line in sys.stdin if line.strip()] if many else [" ".join(words or [])]
    if not any(questions) and not chat:
        raise WrongRequest("no question is given", remedy='ask one: rag ask "when does the ferry sail in winter?"')
    flags: dict[str, Any] = {"answer_url": answer_url, "answer_model": answer_model, "evidence_tokens": evidence_tokens}
    options = SearchOptions(
        images=image or (),
        kinds=cast("list[Kind]", kind or []),
        paths=path or (),
        roots=root or (),
        spaces=space or (),
        after=after,
        before=before,
        top_k=top_k,
    )
    with open_index(*(index or [""]), say=say, **flags) as searcher:
        if wanted == "context":
            found = [evidence_for(searcher, question, options) for question in questions]
            for one in found:
                print_evidence(one, many=many)
            if not any(one.sources for one in found):
                say("nothing found")
                raise typer.Exit(NOTHING_FOUND)
            return
        if chat:
            from rag.cli.ask_chat import chat as converse

            first = "" if many else questions[0]
            if not converse(searcher, first, options, session=session, strict=strict):
                raise typer.Exit(NOTHING_FOUND)
            return
        try:
            asked = (searcher.ask(question, options, strict=strict) for question in questions)
            enough = show_answers(zip(questions, asked, strict=True), wanted, many=many)
        except NoChatModel as error:
            show_evidence(error.evidence, wanted, many=many)
            raise
    if not enough:
        raise typer.Exit(NOTHING_FOUND)
