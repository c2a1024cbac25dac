"""Hours of reading and embedding, and accelerators for queries.

Knows published and measured rates and how they scale with a model's size; runs no model.
"""

from __future__ import annotations

import math

from rag.benchmark.published import PUBLISHED
from rag.models.memory import GIB, SHAPES, ModelShape, need_of
from rag.planning.figures import BENCH, GUIDES, Figure, Standing
from rag.planning.workload import LITE, PICTURE_TOKENS, TEXT_TOKENS, Workload, sees, shape_named

TEXT_MS, PAGE_MS, FRAME_MS = 0.8, 7.8, 35.7  # to read one on two cores, without OCR; the last of photos of 12 megapixels
LITE_TEXT_MS = 1.1  # of the built-in model, beside
PUBLISHED_WEIGHTS = SHAPES[(True, "8B")].matrices
PART, RATE = "models and reading", "tokens a second, each"
PROMPT = 8_192  # tokens of the longest prompt that a server has room for


def work_figures(load: Workload) -> list[Figure]:
    """Reading, embedding, and what each query costs the models."""
    found = [_reading(load)]
    if load.model == LITE:
        hours = load.passages * LITE_TEXT_MS / 3.6e6 * 2 / load.machine.cores
        formula = f"{load.passages:,} × {LITE_TEXT_MS} ms × 2 ÷ {load.machine.cores} cores"
        return [*found, Figure(PART, "embedding, lite", hours, "hours", formula, BENCH, "estimate")]
    shape = shape_named(load.model)
    if shape is None:
        return [*found, *(_embedding(load, _given(load)) if load.tokens_per_second else [])]
    rate = _given(load) if load.tokens_per_second else _published(shape)
    return [*found, *_embedding(load, rate), *_queries(load, shape), _memory(load, shape)]


def _reading(load: Workload) -> Figure:
    ms = load.texts * TEXT_MS + load.pages * PAGE_MS + load.frames * FRAME_MS
    parts = [(load.texts, TEXT_MS, "texts"), (load.pages, PAGE_MS, "pages"), (load.frames, FRAME_MS, "frames")]
    said = " + ".join(f"{count:,} {what} × {each} ms" for count, each, what in parts if count)
    formula = f"({said}) × 2 ÷ {load.machine.cores} cores, without OCR"
    return Figure(PART, "reading, one machine", ms / 3.6e6 * 2 / load.machine.cores, "hours", formula, BENCH, "estimate")


def _embedding(load: Workload, rate: Figure) -> list[Figure]:
    each = [(load.texts, TEXT_TOKENS), (load.pages + load.frames, PICTURE_TOKENS)]
    said = " + ".join(f"{count:,} × {tokens:,}" for count, tokens in each if count)
    hours = load.tokens / rate.amount / load.accelerators / 3600
    formula = f"({said} tokens) ÷ {rate.amount:,.0f} ÷ {load.accelerators}"
    return [rate, Figure(PART, "embedding", hours, "hours", formula, rate.source, "estimate")]


def _given(load: Workload) -> Figure:
    return Figure(PART, RATE, load.tokens_per_second, "tokens/s", "as given", "--tokens-per-second", "measured")


def _published(shape: ModelShape) -> Figure:
    """The published rate, scaled by the weights that a token meets."""
    row, weights = PUBLISHED["embedding texts"], shape.matrices
    formula = f"{row.tokens_per_second:,.0f} × {PUBLISHED_WEIGHTS / 1e9:.2f}B ÷ {weights / 1e9:.2f}B weights that a token meets"
    standing: Standing = "published" if weights == PUBLISHED_WEIGHTS else "estimate"
    return Figure(PART, RATE, row.tokens_per_second * PUBLISHED_WEIGHTS / weights, "tokens/s", formula, GUIDES, standing)


def _queries(load: Workload, shape: ModelShape) -> list[Figure]:
    """Accelerators that rerank, where the reranker is of the size of the embedder, as its partner is."""
    if not load.candidates:
        return []
    pairs = PUBLISHED["reranking texts"].requests_per_second * PUBLISHED_WEIGHTS / shape.matrices
    need = load.qps * load.candidates / pairs
    formula = f"{load.qps:g} a second × {load.candidates} candidates ÷ {pairs:,.0f} pairs a second (texts)"
    return [Figure(PART, "to rerank queries", math.ceil(need), "accelerators", formula, GUIDES, "estimate")]


def _memory(load: Workload, shape: ModelShape) -> Figure:
    need = need_of(load.model, shape, sees=sees(load.model), max_model_len=PROMPT, bytes_a_number=2, tensor_parallel=1)
    formula = f"{shape.parameters / 1e9:g}B × 2 bytes + a prompt of {PROMPT:,} + working memory ({need.total / GIB:.1f} GiB)"
    return Figure(PART, "memory of each accelerator", need.total, "bytes", formula, "as `rag serve` plans", "computed")
