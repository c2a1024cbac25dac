"""`rag doctor`: checks the accelerator, vLLM and the model endpoints. Knows printing only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.options import Index, Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.config import Settings
    from rag.models.probe import Finding

HEADINGS = ("model", "family", "reads", "where", "proof", "prompts from")
MARKS = {"ok": "ok", "warning": "WARN", "failed": "FAILED", "skipped": "-"}


def doctor(
    url: Annotated[list[str] | None, typer.Option(help="Endpoint of the embedder; repeatable.")] = None,
    reranker_url: Annotated[list[str] | None, typer.Option(help="Endpoint of the reranker; repeatable.")] = None,
    model: Annotated[str | None, typer.Option(help="The embedding model. Default: what the endpoint serves.")] = None,
    reranker_model: Annotated[str | None, typer.Option(help="The reranking model. Default: what the endpoint serves.")] = None,
    answer_url: Annotated[str | None, typer.Option(help="Address of the chat model.")] = None,
    answer_model: Annotated[str | None, typer.Option(help="Which chat model, where the server has several.")] = None,
    family: Annotated[str | None, typer.Option(help="Model family (prompts and limits), where the name does not tell.")] = None,
    reranker_family: Annotated[str | None, typer.Option(help="The same for the reranker.")] = None,
    prove: Annotated[
        bool, typer.Option("--prove", help="Print how far the models at hand are proved, without asking any server.")
    ] = False,
    index: Index = "",
    json: Json = False,
) -> None:
    """Check the accelerator, the installed vLLM and the endpoints, and prove that each endpoint reads the right prompts.

    Without --url it checks the endpoint that the index was made with, else the servers that `rag serve` runs here.
    """
    from rag.answers.proof import examine_answerer
    from rag.config import load_settings
    from rag.errors import BackendError
    from rag.index.locations import existing_room
    from rag.models.doctor import examine_endpoints, examine_machine

    settings = load_settings(
        {
            "url": tuple(url) if url else None,
            "reranker_url": tuple(reranker_url) if reranker_url else None,
            "answer_url": answer_url,
            "answer_model": answer_model,
            "model": model,
            "reranker_model": reranker_model,
            "family": family,
            "reranker_family": reranker_family,
            "index": index or None,
        }
    )
    stored = existing_room(index).settings() if index else _stored_settings(settings.index)
    if prove:
        return _print_proofs(settings, stored, json=json)
    findings = [*examine_machine(), *examine_endpoints(settings, stored), *examine_answerer(settings)]
    _print_json(findings) if json else _print(findings)
    failed = [finding for finding in findings if finding.verdict == "failed"]
    if failed:
        what = f"{len(failed)} of {len(findings)} checks failed: " + ", ".join(f"{one.subject}: {one.check}" for one in failed)
        raise BackendError(what, remedy="follow the lines marked → above; until then vectors look fine but rank badly")


def _print_proofs(settings: Settings, stored: Mapping[str, str], *, json: bool) -> None:
    import json as as_text
    from dataclasses import asdict

    from rag.cli.terminal import harmless, say
    from rag.models.proofs import proofs_at_hand, proofs_of_families

    proofs = proofs_at_hand(settings, stored)
    if not proofs:
        say("no model is named, served here or in a hub's cache: the table shows the families that are known")
        proofs = proofs_of_families()
    if json:
        print(as_text.dumps({"proofs": [asdict(one) for one in proofs]}, ensure_ascii=False, indent=2))
        return
    rows = [(one.model or one.family, one.family, one.reads, one.where, one.proof, one.source) for one in proofs]
    columns = [column for column in range(len(HEADINGS)) if any(row[column] for row in rows)]
    widths = {column: max(len(row[column]) for row in [HEADINGS, *rows]) for column in columns}
    for row in [HEADINGS, *rows]:
        print("  ".join(f"{harmless(row[column]):<{widths[column]}}" for column in columns).rstrip())


def _stored_settings(named: str) -> Mapping[str, str]:
    """The settings stored in the index; none where there is no index or it cannot be read: other commands report that."""
    from rag.errors import IndexFailure, MissingExtra
    from rag.index.locations import index_room

    try:
        room = index_room(named)
        return room.settings() if room.exists() else {}
    except (IndexFailure, MissingExtra):
        return {}


def _print_json(findings: Sequence[Finding]) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps({"findings": [asdict(finding) for finding in findings]}, ensure_ascii=False, indent=2))


def _print(findings: Sequence[Finding]) -> None:
    from rag.cli.terminal import harmless

    subject = ""
    for finding in findings:
        if finding.subject != subject:
            subject = finding.subject
            print(harmless(subject))
        print(f"  {MARKS[finding.verdict]:<6} {finding.check:<21} {harmless(finding.detail)}")
        if finding.remedy and finding.verdict != "ok":
            print(f"         → {harmless(finding.remedy)}")
