"""The engine of OCR: the same numbers as without our changes, in less memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rag.loaders.picture.ocr_engine import engine

_HELD = """
import numpy as np
from pathlib import Path
from rag.loaders.picture.ocr import recognise
from tests.unit.loaders.picture.test_ocr import written

def held():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("Private_Dirty"))

page = written([(60, 40 + 40 * row, 16, f"vessel number {row} in berth {row + 3}") for row in range(30)], size=(1000, 1310))
recognise(page[:200, :300])
before = held()
assert "vessel number 29 in berth 32" in recognise(page).text
print(held() - before)
"""


def test_pictures_reach_the_model_as_the_engine_itself_prepares_them() -> None:
    from rapidocr.ch_ppocr_det.utils import DetPreProcess

    finder = engine(1).text_det
    picture = np.random.default_rng(3).integers(0, 256, (300, 401, 3), dtype=np.uint8)
    finder.look_at(320)
    expected = DetPreProcess(320, "max", finder._detector.mean, finder._detector.std)(picture)
    np.testing.assert_array_equal(finder._preprocess()(picture), expected)


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
def test_after_a_page_its_memory_is_given_back() -> None:
    """A page of 1.3 million pixels takes 120 MB of the finder of lines; before, 200 MB were kept for the next page."""
    said = subprocess.run([sys.executable, "-c", _HELD], capture_output=True, text=True, check=True).stdout
    assert int(said) < 80


def test_a_reader_with_too_little_memory_says_so() -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_DATA, (350_000_000, 350_000_000))\n"
    failing = _HELD.replace("recognise(page[:200, :300])", limited)
    said = subprocess.run([sys.executable, "-c", failing], capture_output=True, text=True, check=False).stderr
    assert said.strip().splitlines()[-1].startswith("MemoryError")
