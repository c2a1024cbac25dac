"""What a ranking is compared with: other settings, another index, or runs kept from before.

Knows how these three are named; knows no measure and no terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.errors import WrongRequest
from rag.evaluation.judged import Run
from rag.evaluation.ranking import STAGES
from rag.evaluation.trec import load_run


@dataclass(frozen=True, slots=True)
class OtherSearch:
    """Another index, or the same one ("") with other settings."""

    index: str
    flags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """Runs by stage, read from files."""

    runs: Mapping[str, Run]


def parse_against(named: str) -> OtherSearch | KeptRuns:
    """Settings as `reranker=none` or `blend=never,candidates=50`; a run file or a folder of `--run`; else an index.

    WrongRequest for a run that cannot be read or a folder without one.
    """
    path = Path(named)
    if path.is_file():
        return KeptRuns({"hits": load_run(path)})
    if path.is_dir() and (files := {stage: path / f"{stage}.run" for stage in STAGES if (path / f"{stage}.run").is_file()}):
        return KeptRuns({stage: load_run(file) for stage, file in files.items()})
    if "=" not in named:
        return OtherSearch(named, {})
    flags = {}
    for part in named.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise WrongRequest(f"{part!r} is not a setting and its value", remedy="write --against reranker=none,candidates=50")
        flags[key.strip().replace("-", "_")] = value.strip()
    return OtherSearch(flags.pop("index", ""), flags)
