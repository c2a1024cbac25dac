"""`make bench-photos DIR=…`: how often an everyday word finds a photo that shows it, on labelled photos of yours.

Knows two layouts of photo sets and the public API; knows no ranking.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import rag

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
TOP = 5  # hits in which one must show what was asked for
VOC_WORDS = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "pottedplant": "potted plant",
    "tvmonitor": "tv",
    "motorbike": "motorcycle",
}
Labels = Mapping[str, frozenset[str]]  # by picture, relative to the folder: the words of its labels


def yolo_labels(folder: Path) -> Labels:
    """Of a set with `images/SPLIT/NAME.jpg`, `labels/SPLIT/NAME.txt` and class names in a YAML file, as Ultralytics has it."""
    found = next((file for file in sorted(folder.glob("*.yaml")) if "names:" in file.read_text()), None)
    if found is None:
        return {}
    names = dict(re.findall(r"^\s+(\d+):\s*(.+?)\s*$", found.read_text().partition("names:")[2], re.MULTILINE))
    labels = {}
    for picture in sorted((folder / "images").rglob("*")):
        boxes = folder / "labels" / picture.relative_to(folder / "images").with_suffix(".txt")
        if picture.suffix.lower() in PICTURES and boxes.is_file():
            numbers = {line.split()[0] for line in boxes.read_text().splitlines() if line.strip()}
            labels[picture.relative_to(folder).as_posix()] = frozenset(names[number] for number in numbers)
    return labels


def voc_labels(folder: Path) -> Labels:
    """Of a set with `JPEGImages/NAME.jpg` and `Annotations/NAME.xml`, as Pascal VOC has it. Its names are parted into words."""
    labels = {}
    for picture in sorted((folder / "JPEGImages").glob("*.jpg")):
        boxes = folder / "Annotations" / f"{picture.stem}.xml"
        if boxes.is_file():
            objects = re.findall(r"<object>.*?<name>\s*(\w+)", boxes.read_text(), re.DOTALL)
            labels[picture.relative_to(folder).as_posix()] = frozenset(VOC_WORDS.get(name, name) for name in objects)
    return labels


def folder_labels(folder: Path) -> Labels:
    """Of a set with a folder for each class."""
    return {
        picture.relative_to(folder).as_posix(): frozenset({picture.parent.name.replace("_", " ").replace("-", " ")})
        for picture in sorted(folder.glob("*/*"))
        if picture.suffix.lower() in PICTURES
    }


def splits(labels: Labels) -> dict[str, Labels]:
    """The set by its halves, `train` and `val` or whatever they are called; one for class folders."""
    parts: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for picture, words in labels.items():
        parts[picture.split("/")[1] if picture.startswith("images/") else "all"][picture] = words
    return dict(parts)


def measure(folder: Path, labels: Labels, ocr: str) -> tuple[dict[str, bool], float, int]:
    """By word, whether one of the best five hits shows it; seconds of indexing; pictures. Names of files tell nothing."""
    with tempfile.TemporaryDirectory() as work:
        corpus = Path(work) / "corpus"
        corpus.mkdir()
        shown = {}
        for number, (picture, words) in enumerate(sorted(labels.items())):
            name = f"{number:06d}{Path(picture).suffix.lower()}"
            (corpus / name).write_bytes((folder / picture).read_bytes())
            shown[name] = words
        started = time.perf_counter()
        rag.build_index(corpus, index=Path(work) / "index", backend="lite", ocr=ocr)
        took = time.perf_counter() - started
        asked = sorted(frozenset().union(*labels.values()))
        with rag.open_index(Path(work) / "index", backend="lite") as searcher:
            found = {word: any(word in shown[hit.document] for hit in searcher.query(word, top_k=TOP)) for word in asked}
    return found, took, len(labels)


def main(folder: Path) -> None:
    """Prints a Markdown table, and the words that found nothing."""
    labels = yolo_labels(folder) or voc_labels(folder) or folder_labels(folder)
    if not labels:
        raise SystemExit(
            f"{folder} has no images/ with labels/ and a YAML file, no JPEGImages/ with Annotations/, no folder for each class"
        )
    print("| photos | words | success@5 | without seeing | seconds |\n|---|---|---|---|---|")
    missed = {}
    for name, part in sorted(splits(labels).items()):
        found, took, count = measure(folder, part, "auto")
        blind, _, _ = measure(folder, part, "never")
        rate, before = (sum(each.values()) / len(each) for each in (found, blind))
        print(f"| {folder.name}/{name}: {count} | {len(found)} | {rate:.2f} | {before:.2f} | {took:.0f} |", flush=True)
        missed[name] = ", ".join(word for word, ok in found.items() if not ok)
    print("\n".join(f"\nmissed in {name}: {words}" for name, words in missed.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
