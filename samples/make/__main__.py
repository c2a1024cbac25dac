"""Builds every generated file of samples/, in order: `python -m samples.make` from the root of the repository.

Knows only who builds what.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that `python samples/make` works as well

from samples.make import broken, distractors, ferry, office, photos, pump, queries, recording, reports, scan, screens, slides
from samples.make.browser import print_pdf
from samples.make.places import PAGES, place


def print_pages() -> None:
    """The two PDFs that come from a browser."""
    print_pdf(PAGES / "crane-manual.html", place("manuals", "crane-b4-manual.pdf"))
    print_pdf(PAGES / "safety-handbook-zh.html", place("文档", "港口安全手册.pdf"))


STEPS = (
    photos.save_photos,
    photos.save_charts_and_diagrams,
    photos.save_query_pictures,
    screens.save_screenshots,
    reports.register_fonts,
    reports.set_annual_report,
    reports.set_survey,
    print_pages,
    scan.save_scan,
    office.write_policy,
    office.write_briefing,
    office.write_budget,
    office.write_notebook,
    slides.save_talk,
    ferry.save_ferry,
    pump.save_pump,
    recording.save_recording,
    distractors.write_distractors,
    broken.write_broken,
    queries.write_queries,
)

if __name__ == "__main__":
    for step in STEPS:
        print(f"{step.__module__.rpartition('.')[2]}: {step.__name__}", file=sys.stderr)
        step()
