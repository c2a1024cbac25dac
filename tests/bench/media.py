"""Pictures, pages, films and screenshots through the whole write path, beside bare loops of their decoders on all cores.

Knows files, the write path and floors. `--full` takes the counts of the promise; without it some minutes are enough. Names of
rows (photos, pages, film, screens, isolation) measure these alone.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from rag.index.files.parallel import cores
from rag.indexing.build import build_index
from rag.loaders.picture.pixels import fit
from tests.bench import inputs
from tests.bench.measure import Row, alternate, seconds, show

FULL = "--full" in sys.argv
PHOTOS, REPORTS, MINUTES, SCREENS = (2_000, 50, 10, 200) if FULL else (60, 25, 2, 8)
RUNS = 1 if FULL else 3
PIXELS = 1_310_720  # what a model sees of a picture, at most
STEP = 4.0  # seconds between the frames of a film


def rows() -> list[Row]:
    """All of them."""
    return [made() for made in ROWS.values()]


def photos() -> Row:
    """Photos of 12 megapixels, without OCR."""
    folder = inputs.folder_of("photo", PHOTOS, inputs.photo, ".jpg")
    return _beside(f"{PHOTOS} photos of 12 megapixels", folder, _photo, sorted(folder.iterdir()), 0.85)


def pages() -> Row:
    """PDFs of ten pages."""
    folder = inputs.folder_of("paper", REPORTS, inputs.report, ".pdf")
    return _beside(f"{REPORTS * 10} PDF pages, text and picture", folder, _pages, sorted(folder.iterdir()), 0.8)


def film() -> Row:
    """One film by its keyframes: the floor decodes as many stretches of it at once as there are cores."""
    made = inputs.folder_of(f"film{MINUTES}", 1, lambda file, number: inputs.film(file, number, MINUTES), ".mp4")
    file, readers = next(made.glob("*.mp4")), cores()
    bounds = [60 * MINUTES * each / readers for each in range(readers + 1)]
    stretches = [(file, *between) for between in pairwise(bounds)]
    return _beside(f"keyframes of {MINUTES} min of 1080p H.264", file, _stretch, stretches, 0.8, frame_seconds=STEP)


def screens() -> Row:
    """Screenshots whose words are recognised."""
    folder = inputs.folder_of("screen", SCREENS, inputs.screen, ".png")
    return _beside(f"{SCREENS} screenshots with OCR", folder, _words, sorted(folder.iterdir()), 0.85, ocr="always")


def isolation() -> Row:
    """One reader beside this process, and the same files read in it."""
    folder = inputs.folder_of("photo", 60, inputs.photo, ".jpg")
    apart, here = alternate(lambda: _index(folder, jobs=1), lambda: _index(folder, jobs=0), runs=3)
    return _row("one reader in a process of its own, 60 photos", apart, f"in this one {here:.1f} s", here / apart, 0.9)


ROWS = {"photos": photos, "pages": pages, "film": film, "screens": screens, "isolation": isolation}


def _beside(what: str, place: Path, floor: Callable[[Any], int], work: list[Any], bound: float, **flags: object) -> Row:
    """The whole of `rag index` beside a pool of processes that only decodes; with `--full` one pass of each is long enough."""

    def bare() -> None:
        with ProcessPoolExecutor(cores(), mp_context=get_context("forkserver")) as pool:
            list(pool.map(floor, work))

    if FULL:
        ours, least = seconds(lambda: _index(place, **flags)), seconds(bare)
    else:
        ours, least = alternate(lambda: _index(place, **flags), bare, runs=RUNS)
    return _row(what, ours, f"bare {least:.1f} s", least / ours, bound)


def _row(what: str, ours: float, floor: str, ratio: float, bound: float) -> Row:
    return Row(what, f"{ours:.1f} s", floor, ratio, f"≥ {bound}", ratio >= bound)


def _index(place: Path, ocr: str = "never", **flags: object) -> None:
    with tempfile.TemporaryDirectory() as home:
        build_index(place, index=str(Path(home, "index")), backend="lite", ocr=ocr, **flags)


# ---- the floors: the same pixels, and nothing else ------------------------------------------------


def _photo(file: Path) -> int:
    from PIL import Image

    image = Image.open(file)
    size = fit(image.size, PIXELS)
    image.draft("RGB", size)
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)).nbytes


def _pages(file: Path) -> int:
    import pypdfium2

    count = 0
    for page in (pdf := pypdfium2.PdfDocument(file)):
        width, height = page.get_size()
        page.get_textpage().get_text_bounded()
        count += page.render(scale=math.sqrt(PIXELS / (width * height)), rev_byteorder=True).to_numpy().nbytes
    pdf.close()
    return count


def _stretch(stretch: tuple[Path, float, float]) -> int:
    import av

    file, start, end = stretch
    count = 0
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        container.seek(int(start * av.time_base))
        for frame in container.decode(stream):
            if frame.time >= end:
                break
            width, height = fit((frame.width, frame.height), PIXELS)
            count += frame.reformat(width, height, "rgb24").to_ndarray().nbytes if frame.time >= start else 0
    return count


def _words(file: Path) -> int:
    return len(_engine()(str(file)).txts or ())


@cache
def _engine() -> Any:
    """One for each process, set as `rag.loaders.picture.ocr` sets it: RapidOCR's own defaults take longer."""
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": 960,
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


if __name__ == "__main__":
    chosen = [name for name in sys.argv[1:] if name in ROWS] or list(ROWS)
    show([ROWS[name]() for name in chosen])
