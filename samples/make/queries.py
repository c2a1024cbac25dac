"""Writes queries.jsonl: what people ask, which passages answer, how well (grade 1 touches it, 2 helps, 3 answers).

Knows the corpus only through its files: a place in a text is given by words of its first and last line.
Written before any search engine was tried on them.
"""

from __future__ import annotations

import json
from typing import Any

from samples.make.places import CORPUS, SAMPLES

Judgement = dict[str, Any]


def lines(document: str, first: str, last: str, grade: int = 3, encoding: str = "utf-8") -> Judgement:
    """From the line that holds `first` to the next one that holds `last`."""
    text = (CORPUS / document).read_text(encoding=encoding).splitlines()
    start = next(number for number, line in enumerate(text, 1) if first in line)
    end = next(number for number, line in enumerate(text, 1) if number >= start and last in line)
    return {"document": document, "locator": {"line_start": start, "line_end": end}, "grade": grade}


def page(document: str, number: int, grade: int = 3) -> Judgement:
    """A page, from 1."""
    return {"document": document, "locator": {"page": number}, "grade": grade}


def seconds(document: str, start: float, end: float, grade: int = 3) -> Judgement:
    """A stretch of a video."""
    return {"document": document, "locator": {"start": start, "end": end}, "grade": grade}


def whole(document: str, grade: int = 3) -> Judgement:
    """Any place of the document."""
    return {"document": document, "locator": {}, "grade": grade}


REPORT, SURVEY, SCAN = "reports/annual-report-2025.pdf", "reports/north-channel-survey.pdf", "scans/scan_0007.pdf"
CRANE, HANDBOOK, FERRY_ZH = "manuals/crane-b4-manual.pdf", "文档/港口安全手册.pdf", "文档/渡轮时刻说明.txt"
TALK, PUMP, EVENING, RECORDING = (
    f"videos/{name}" for name in ("induction-talk.mp4", "pump-walkthrough.mp4", "evening-ferry.mkv", "rec_0412.webm")
)


def all_queries() -> list[tuple[str, str, str, list[Judgement]]]:
    """(words, query picture or "", tags, judgements); the first tag is the kind of the main answer."""
    vpn, storm, log = "notes/it/vpn-setup.md", "notes/storm-2025-11.md", "notes/kittiwake-engine-log.txt"
    briefing, budget, screens = "reports/board-briefing.pptx", "reports/budget-2026.xlsx", "screenshots/"
    return [
        (
            "how do I connect to the vpn from home",
            "",
            "text",
            [lines(vpn, "## Connecting", "drive `H:`"), lines(vpn, "## What you need", "under `keys`", 2)],
        ),
        ("crane inspection moved to which date", "", "text", [whole("mail/2026-02-11-crane-inspection.eml")]),
        (
            "TG-4071",
            "",
            "text identifier",
            [
                lines("code/tide_gauge.py", "DATUM_OFFSET = {", "}"),
                {"document": budget, "locator": {"sheet": "Instruments"}, "grade": 3},
                lines("code/alarms.toml", "[level]", "stale_after", 2),
                lines("code/tide_gauge.py", "One radio line", "One radio line", 1),
                whole("charts/c03.jpg", 2),
                page(SURVEY, 1, 1),
            ],
        ),
        (
            "dredging budget 2026",
            "",
            "text",
            [{"document": budget, "locator": {"sheet": "Spending"}, "grade": 3}, page(REPORT, 21, 1)],
        ),
        (
            "may I take a workboat out with my family on a free Saturday",
            "",
            "text paraphrase",
            [whole("reports/vessel-use-policy.docx")],
        ),
        (
            "cheap warm dinner for a dozen sailors",
            "",
            "text paraphrase",
            [lines("notes/galley.txt", "haddock soup", "night of ebb")],
        ),
        ("hamonic anlysis of the tide", "", "text typo", [whole("code/harmonic-fit.ipynb")]),
        (
            "why did pontoon C come adrift",
            "",
            "text",
            [
                lines(storm, "## Why pontoon C", "bridge sheared"),
                lines(storm, "## Summary", "metres of roof", 1),
                page(REPORT, 12, 1),
            ],
        ),
        ("三月会议对旧吊机做了什么决定", "", "text chinese", [lines("文档/会议纪要-2026-03.md", "## 三、", "六月再议")]),
        ("冬天渡轮几点开船", "", "text chinese", [lines(FERRY_ZH, "一、开船时间", "七十分钟", encoding="gb18030")]),
        ("visitor centre opening hours", "", "text", [whole("web/visitors.html")]),
        (
            "motor gets too hot while the boat is standing still",
            "",
            "text paraphrase",
            [lines(log, "2026-03-05", "block the tubes")],
        ),
        (
            "options for replacing the ferry",
            "",
            "text",
            [
                {"document": briefing, "locator": {"slide": 4}, "grade": 3},
                {"document": briefing, "locator": {"slide": 3}, "grade": 1},
                page(REPORT, 7, 1),
            ],
        ),
        ("how many ferry passengers in July", "", "page", [page(REPORT, 8)]),
        ("how long could everyone be paid if no money came in", "", "page paraphrase", [page(REPORT, 23)]),
        ("porpoise sigthings from the breakwater", "", "page typo", [page(REPORT, 16)]),
        ("median grain size of the sediment", "", "page", [page(SURVEY, 1)]),
        (
            "letter from the insurance about the broken fender",
            "",
            "page neutral",
            [page(SCAN, 1), page(SCAN, 2, 2), page(REPORT, 12, 1)],
        ),
        ("HX-55-20917", "", "page neutral identifier", [page(SCAN, 1), page(SCAN, 2)]),
        ("how to lower the load when the crane has no power", "", "page", [page(CRANE, 4)]),
        ("台风来之前缆绳怎么加固", "", "page chinese", [page(HANDBOOK, 3)]),
        ("火灾集合点在哪里", "", "page chinese", [page(HANDBOOK, 2)]),
        ("red car", "", "image neutral", [whole("photos/DSC_0113.jpg")]),
        (
            "",
            "query_pictures/evening.jpg",
            "image neutral picture-query",
            [whole("photos/IMG_2041.jpg"), whole("photos/for-web/IMG_2041.jpg"), seconds(EVENING, 15, 22, 1)],
        ),
        (
            "",
            "query_pictures/boat.jpg",
            "image neutral picture-query",
            [whole(f"photos/burst/IMG_300{number}.jpg") for number in (1, 2, 3)],
        ),
        ("", "query_pictures/trees.webp", "image neutral picture-query", [whole("photos/IMG_2057.jpg")]),
        ("snow on the mountains", "query_pictures/peaks.png", "image neutral picture-query", [whole("photos/IMG_2085.heic")]),
        ("regatta poster, when is the start", "", "image neutral", [whole("photos/IMG_2110.jpg")]),
        (
            "where is the drain cock in the fire pump room",
            "",
            "image neutral",
            [whole("diagrams/img_2207.png"), seconds(PUMP, 0, 32, 2)],
        ),
        ("sea temperature month by month", "", "image neutral", [whole("charts/c02.png")]),
        ("skyscrapers after dark", "", "image paraphrase", [whole("photos/night-city.webp")]),
        (
            "lighthouse painted by the apprentices",
            "",
            "image",
            [whole("photos/gull-head.jpg"), whole("photos/for-web/gull-head.jpg", 2)],
        ),
        (
            "deep blue water with fishing boats and coloured houses",
            "",
            "image",
            [whole("photos/IMG_2063.jpg"), lines("notes/gull-head-visit.md", "We walked out", "IMG_2063.jpg", 2)],
        ),
        ("KeyError TG-4079", "", "screenshot neutral identifier", [whole(screens + "b21c.png")]),
        ("disk almost full error message", "", "screenshot neutral", [whole(screens + "image (4).png")]),
        ("berth occupancy dashboard", "", "screenshot", [whole(screens + "Screenshot 2026-03-14 at 09.12.44.png")]),
        ("keep my phone quiet while I sleep", "", "screenshot neutral paraphrase", [whole(screens + "a7f3.png")]),
        ("dentist appointment in April", "", "screenshot", [whole(screens + "Screenshot 2026-04-02 101530.png")]),
        ("chat about who has the key of the paint store", "", "screenshot neutral", [whole(screens + "IMG_0043.png")]),
        ("merge conflict in the surge alarm", "", "screenshot neutral", [whole(screens + "d90e.png")]),
        (
            "大雾停航 退票",
            "",
            "screenshot chinese",
            [whole(screens + "屏幕截图 2026-05-19.png"), lines(FERRY_ZH, "四、大风与停航", "三十天内有效", 2, "gb18030")],
        ),
        ("three ways to raise the alarm", "", "frame", [seconds(TALK, 6, 12)]),
        ("the machine must not run without water", "", "frame paraphrase", [seconds(PUMP, 24, 28)]),
        ("ferry passing the lighthouse at sunset", "", "frame", [seconds(EVENING, 12, 24), seconds(EVENING, 0, 12, 1)]),
        (
            "terminal recording restore berths snapshot",
            "",
            "frame neutral",
            [seconds(RECORDING, 0, 13), lines("notes/it/backup-restore.md", "## Getting back a whole share", "videos folder", 2)],
        ),
        ("forgot password, send me a link", "", "frame neutral", [seconds(RECORDING, 13, 28)]),
        ("somebody falls into the water, what to do", "", "frame", [seconds(TALK, 24, 30), page(HANDBOOK, 4, 2)]),
        ("kubernetes autoscaling policy", "", "unanswerable", []),
        ("recipe for chocolate cake", "", "unanswerable", []),
        ("penguins filmed from a drone", "", "unanswerable", []),
    ]


def write_queries() -> None:
    """queries.jsonl, one JSON object a line."""
    rows = []
    for number, (words, image, tags, relevant) in enumerate(all_queries(), 1):
        row: dict[str, Any] = {"id": f"q{number:02d}", "query": words}
        row |= {"image": image} if image else {}
        rows.append(json.dumps(row | {"relevant": relevant, "tags": tags.split()}, ensure_ascii=False))
    (SAMPLES / "queries.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
