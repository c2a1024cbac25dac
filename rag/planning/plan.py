"""A plan: all figures for a workload, whether one machine is enough, and what is not known.

Knows what makes one machine too small; prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.errors import WrongRequest
from rag.index.vectors.structures import COARSE_UP_TO
from rag.planning.amounts import amount_shown, count_shown
from rag.planning.figures import Figure
from rag.planning.folder_index import MEASURED_UP_TO, folder_figures
from rag.planning.milvus_index import KINDS, milvus_figures
from rag.planning.model_work import work_figures
from rag.planning.workload import LITE, Workload, shape_named

USABLE = 0.8  # of a machine's memory, disk and cores, for the index
UNKNOWN = (
    "a cluster of several Milvus nodes was not run here, nor Milvus 2.6 and later: memory is computed, latency is not known",
    "latency and recall of the approximate indexes at this size: measure on your data with `rag eval` before you decide",
    "pages and pictures also pass a vision tower, which the published rates of texts do not show: measure with `rag bench`",
    "OCR of scans and pictures is not in the hours of reading: index a sample and look at its report",
)
_OTHER_CARDS = (
    "how fast your models and cards are: the published rate, printed for 8B on one NPU and later for 2B too, is scaled by size; "
    "measure with `rag bench`, and give --tokens-per-second"
)
_OTHER_MODEL = (
    "hours of embedding, reranking and memory of this model: its size is not known here; give --tokens-per-second for the hours"
)

Enough = Literal["yes", "perhaps", "no"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The figures, part by part; `enough`: whether an index folder on one machine does; `why`, in sentences."""

    load: Workload
    figures: Sequence[Figure]
    enough: Enough
    why: Sequence[str]
    unknown: Sequence[str]


def plan_for(load: Workload, kinds: Sequence[str] = ()) -> Plan:
    """The plan for a workload, with these of Milvus' index kinds, or all. WrongRequest for no such kind, or no passages."""
    if not load.passages:
        raise WrongRequest("nothing is to be indexed", remedy="say how much: --passages 50M, --pages 2M, --frames 300k")
    for kind in kinds:
        if kind.upper() not in KINDS:
            raise WrongRequest(f"no index kind is called {kind!r}", remedy=f"the kinds are: {', '.join(KINDS)}")
    folder = folder_figures(load)
    chosen = [kind.upper() for kind in kinds] or list(KINDS)
    milvus = [figure for kind in chosen for figure in milvus_figures(load, kind)]
    enough, why = _one_machine(load, folder)
    return Plan(load, [*folder, *milvus, *work_figures(load)], enough, why, [*UNKNOWN, *_unknown_models(load)])


def _unknown_models(load: Workload) -> list[str]:
    if load.model == LITE:
        return []
    if shape_named(load.model) is None:
        return [_OTHER_MODEL]
    return [] if load.tokens_per_second else [_OTHER_CARDS]


def _one_machine(load: Workload, folder: Sequence[Figure]) -> tuple[Enough, list[str]]:
    named = {figure.name: figure for figure in folder}
    needs = [
        ("memory", named["memory to search"], load.machine.memory),
        ("disk", named["disk in all"], load.machine.disk),
        ("cores", named["cores for queries"], load.machine.cores),
    ]
    over = [
        f"{what}: {amount_shown(figure.amount, figure.unit)} of {amount_shown(has, figure.unit)}, {USABLE:.0%} usable"
        for what, figure, has in needs
        if figure.amount > USABLE * has
    ]
    if over:
        return "no", over
    n = count_shown(load.passages)
    if load.passages > COARSE_UP_TO:
        far = f"{n} passages were not tried: {count_shown(MEASURED_UP_TO)} were measured"
        return "perhaps", [f"memory, disk and cores suffice, but {far}"]
    return "yes", [f"an index folder holds {n} passages, and answers {load.qps:g} queries a second, within this machine"]
