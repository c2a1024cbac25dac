"""Opens a judged set, whichever form it has.

Knows which form a path has; the forms know the rest.
"""

from __future__ import annotations

from pathlib import Path

from rag.errors import WrongRequest
from rag.evaluation.beir import is_beir, load_beir
from rag.evaluation.jsonl_sets import load_jsonl
from rag.evaluation.judged import JudgedSet
from rag.evaluation.trec import load_trec


def open_set(path: Path, topics: Path | None = None, split: str | None = None) -> JudgedSet:
    """The set of a JSON Lines file, of a folder in the form of BEIR (one `split` of it), or of TREC qrels with `topics`.

    WrongRequest for anything else, and for options that do not fit the form.
    """
    if topics is not None:
        return load_trec(path, topics)
    if path.is_dir():
        if not is_beir(path):
            what = f"{path} is not a judged set: it needs queries.jsonl and qrels/*.tsv"
            raise WrongRequest(what, remedy="name a folder in the form of BEIR, a JSON Lines file, or TREC qrels with --topics")
        return load_beir(path, split)
    if split is not None:
        raise WrongRequest(f"--split has no meaning for {path}", remedy="splits are those of a folder in the form of BEIR")
    if path.is_file() and not path.name.endswith((".jsonl", ".jsonl.gz", ".json", ".ndjson")):
        raise WrongRequest(f"{path} is not a JSON Lines file", remedy="if it holds TREC qrels, name its topics with --topics")
    return load_jsonl(path)
