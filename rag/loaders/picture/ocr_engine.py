"""Loads RapidOCR in a way that needs little memory: its two models share one arena, and the finder of lines gives it back.

Knows the engine, onnxruntime and glibc; knows no file, and not what the words are for.

Measured on pages of 1.3 million pixels: finding lines took 516 MB of the heap, of which two thirds were holes between blocks of
10 to 50 MB; in one arena that grows by large regions it takes 210 MB, as fast, and none of it is kept.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rag.types import Pixels

_MIN_CONFIDENCE = 0.5  # below this, lines are noise more often than words
_REGION = 256 << 20  # bytes the arena grows by: the finder of lines needs 160 per pixel, and pages of 1.3 million are usual
_SMALL_REGION = 1 << 20  # its first one, which it never gives back


@lru_cache(maxsize=2)
def engine(threads: int) -> Any:
    """RapidOCR, loaded once: 0.9 s of imports and 0.5 s of models. `threads` is how many one recognition uses.

    Its classifier of upside-down lines is off: on a dense page it rotated good lines and lost 900 of 8,000 characters. Lines
    are recognised one by one: batches are padded to their longest line, which made dense pages a fifth slower.
    """
    quiet = logging.getLogger("RapidOCR")
    quiet.setLevel(logging.CRITICAL)
    from rapidocr import RapidOCR

    loaded = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": _MIN_CONFIDENCE,
            "Global.use_cls": False,
            "Global.use_preprocess_img": False,
            "Global.use_vertical_padding": False,
            "Det.limit_type": "max",
            "Rec.rec_batch_num": 1,
        }
    )
    _share_arena()
    with _memory_errors():
        _load_models(loaded, threads)
    give_back()  # what parsing the models left
    return loaded


def _load_models(loaded: Any, threads: int) -> None:
    _use_own_session(loaded.cfg.Det, loaded.cfg.Global.model_root_dir, threads)
    _use_own_session(loaded.cfg.Rec, loaded.cfg.Global.model_root_dir, threads)
    loaded.text_det = _LineFinder(loaded._load_det_model())
    loaded._load_rec_model()


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Turns the ways in which onnxruntime says that it gets no memory into MemoryError."""
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError

    try:
        yield
    except (ONNXRuntimeError, Fail, RuntimeException) as error:
        if "alloc" in str(error):  # "bad_alloc", "Failed to allocate memory"
            raise MemoryError from error
        raise


class _LineFinder:
    """The engine's finder of lines, with little memory: what is free is given back before and after."""

    def __init__(self, detector: Any) -> None:
        self._detector = detector
        detector.get_preprocess = self._preprocess
        detector.session.session = _Shrinking(detector.session.session)
        detector(np.zeros((32, 32, 3), np.uint8))  # before the first time it gives back, the arena grows by small regions

    def look_at(self, side: int) -> None:
        """From now on, pictures are scaled down to this longer side, in pixels."""
        self._detector.limit_side_len = side

    def __call__(self, pixels: Pixels) -> Any:
        give_back()
        try:
            with _memory_errors():
                return self._detector(pixels)
        finally:
            give_back()

    def _preprocess(self) -> Any:
        from rapidocr.ch_ppocr_det.utils import DetPreProcess

        whole = DetPreProcess(self._detector.limit_side_len, self._detector.limit_type, self._detector.mean, self._detector.std)
        # The engine's own way, for each of the 256 values: a whole page it copies five times, twice in double precision.
        values = whole.normalize(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)).astype(np.float32)

        def prepared(picture: Pixels) -> np.ndarray | None:
            resized = whole.resize(picture)
            if resized is None:
                return None
            planes = np.empty((1, 3, *resized.shape[:2]), np.float32)
            for channel in range(3):
                np.take(values[:, channel], resized[:, :, channel], out=planes[0, channel], mode="clip")
            return planes

        return prepared


class _Shrinking:
    """The session that finds lines: pixels (1, 3, height, width) to a map (1, 1, height, width) of where text is.

    After each run the arena gives its memory back. It can only where nothing is left in it, so the map is made outside.
    """

    def __init__(self, session: Any) -> None:
        from onnxruntime import RunOptions

        self._session = session
        self._options = RunOptions()
        self._options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        [(name, planes)], [output] = inputs.items(), outputs
        found = np.empty((1, 1, *planes.shape[2:]), np.float32)
        binding = self._session.io_binding()
        binding.bind_cpu_input(name, planes)
        binding.bind_output(output, "cpu", 0, np.float32, found.shape, found.ctypes.data)
        self._session.run_with_iobinding(binding, self._options)
        return [found]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


@lru_cache(maxsize=1)
def _share_arena() -> None:
    """Makes the arena, once in a process: sessions that ask for "env allocators" use it."""
    import onnxruntime as ort

    described = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    growth = {"initial_chunk_size_bytes": _SMALL_REGION, "initial_growth_chunk_size_bytes": _REGION, "arena_extend_strategy": 0}
    ort.create_and_register_allocator(described, ort.OrtArenaCfg(growth))


def _use_own_session(part: Any, models: str, threads: int) -> None:
    """Sets the session of a part of the engine, "det" or "rec"."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # one block for each size of picture, kept for ever
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")  # weights stay: not in the arena
    file = Path(models, f"{part.ocr_version.value}_{part.task_type.value}_{part.model_type.value}.onnx")
    part._set_flag("allow_objects", True)
    part.session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def give_back() -> None:
    """Gives free memory of the heap back to the system, where it can be done."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
