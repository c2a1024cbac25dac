"""Prints what `rag eval` measured, as tables or as JSON. Knows the report; knows no index and no measure by its meaning."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.evaluation.by_space import SpaceComparison
    from rag.evaluation.report import EvalReport
    from rag.evaluation.significance import Comparison
    from rag.evaluation.worst import WorstQuery

_HEADS = {"Success@5": "success@5", "R@10": "recall@10", "R@100": "recall@100", "RR": "MRR"}
_COMPARED = ("stage", "measure", "this", "that", "difference", "p", "better in", "worse in", "equal in")
_MOST_PLACES = 10  # relevant places shown of one query


def report_json(found: EvalReport, *, failures: bool, per_query: bool) -> None:
    """The means by group; what was asked for besides stands under the name of its option."""
    import json

    value: dict[str, Any] = {group: dict(stages) for group, stages in found.means.items()}
    if per_query:
        value["--per-query"] = {stage: {measure: dict(one) for measure, one in by.items()} for stage, by in found.values.items()}
    if failures:
        value["--failures"] = [query.id for query in found.failures]
    if found.against:
        value["--against"] = {
            stage: {measure: asdict(one) | {"difference": one.difference} for measure, one in by.items()}
            for stage, by in found.against.items()
        }
    if found.worst:
        value["--worst"] = [asdict(one) for one in found.worst]
    print(json.dumps(value, indent=2, ensure_ascii=False))


def report_text(found: EvalReport, against: str, *, failures: bool, per_query: bool, worst: bool) -> None:
    """Tables, one below the other."""
    from rag.cli.terminal import harmless

    _print_means(found)
    if per_query:
        _print_queries(found)
    if found.against:
        _print_comparison(found, against)
    if failures:
        for query in found.failures:
            print(f"  {query.id}  {harmless(query.words)}  [{', '.join(sorted(query.tags))}]")
    for one in found.worst:
        _print_worst(one)
    if worst and not found.worst:
        print("\nno query lost against the other")


def spaces_json(found: SpaceComparison) -> None:
    """Means by model, and the comparison of all with each alone under `--by-space`."""
    import json

    against = {
        model: {measure: asdict(one) | {"difference": one.difference} for measure, one in by.items()}
        for model, by in found.against.items()
    }
    print(json.dumps({"models": found.means, "--by-space": against}, indent=2, ensure_ascii=False))


def spaces_text(found: SpaceComparison) -> None:
    """Two tables and a sentence."""
    from rag.cli.terminal import harmless

    measures = list(next(iter(found.against.values())))
    rows = [
        [harmless(name) if number == 0 else "", stage, *(f"{values[key]:.3f}" for key in measures)]
        for name, stages in found.means.items()
        for number, (stage, values) in enumerate(stages.items())
    ]
    _print_grid(["models asked", "stage", *(_HEADS.get(key, key) for key in measures)], rows)
    print("\nall of them against each alone, by hits; p of a paired randomisation test, for each measure by itself")
    rows = [_compared(harmless(model), measure, one) for model, by in found.against.items() for measure, one in by.items()]
    _print_grid(["alone", *_COMPARED[1:2], "all", "alone", *_COMPARED[4:]], rows)
    print("\n" + harmless(found.verdict("nDCG@10" if "nDCG@10" in measures else measures[0])))


def _print_means(found: EvalReport) -> None:
    measures = list(next(iter(found.values.values())))
    rows = []
    for group, stages in found.means.items():
        for number, (stage, values) in enumerate(stages.items()):
            name = f"{group} ({values['queries']:.0f})" if not number else ""
            rows.append([name, stage, *(f"{values[key]:.3f}" for key in measures)])
    _print_grid(["queries", "stage", *(_HEADS.get(key, key) for key in measures)], rows)


def _print_queries(found: EvalReport) -> None:
    print()
    for stage, by_measure in found.values.items():
        for measure, values in by_measure.items():
            for query, value in values.items():
                print(f"{stage}\t{measure}\t{query}\t{value:.4f}")


def _print_comparison(found: EvalReport, against: str) -> None:
    rows = [_compared(stage, measure, one) for stage, by_measure in found.against.items() for measure, one in by_measure.items()]
    print(f"\nagainst {against}; p of a paired randomisation test, for each measure by itself")
    _print_grid(list(_COMPARED), rows)


def _compared(first: str, measure: str, one: Comparison) -> list[str]:
    numbers = (f"{one.ours:.3f}", f"{one.theirs:.3f}", f"{one.difference:+.3f}", f"{one.p:.3f}")
    return [first, _HEADS.get(measure, measure), *numbers, f"{one.better}", f"{one.worse}", f"{one.equal}"]


def _print_worst(one: WorstQuery) -> None:
    from rag.cli.terminal import harmless

    before = "" if one.other is None else f", the other {one.other:.3f}"
    print(f"\n{one.id}: {harmless(one.words)}\n  nDCG@10 {one.value:.3f}{before}; first: {harmless(one.first) or 'nothing'}")
    rows = [
        ["", str(place.grade), *("–" if rank is None else str(rank) for rank in place.ranks.values()), harmless(place.name)]
        for place in one.places[:_MOST_PLACES]
    ]
    _print_grid(["", "grade", *one.places[0].ranks, "relevant"], rows)
    if len(one.places) > _MOST_PLACES:
        print(f"  and {len(one.places) - _MOST_PLACES} more")


def _print_grid(head: list[str], rows: list[list[str]]) -> None:
    """Columns two blanks apart; the last may be of any length and script."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
