"""The share of an accelerator's arithmetic that a measured throughput amounts to.

Knows a formula and sizes of models; knows no accelerator. The formula: 2 operations (a multiplication and an addition) for each
weight of the layers and each token, the forward pass of Kaplan et al. 2020 (arXiv:2001.08361, table 1); a share of the peak so
computed is the "model FLOPs utilization" of Chowdhery et al. 2022 (arXiv:2204.02311, appendix B). Attention over earlier tokens
(under 1 % at 200 tokens) and the vision tower are left out, so that the true share is a little larger.
"""

from __future__ import annotations

from rag.models.memory import shape_of

OPERATIONS = 2  # for each weight and token


def weights_met(model: str, *, sees: bool) -> int:
    """The weights that each token is multiplied with, by the model's name or folder; 0 if neither tells."""
    shape = shape_of(model, sees=sees)
    return shape.matrices if shape else 0


def share_of_peak(weights: float, tokens_per_second: float, peak_tflops: float) -> float:
    """2 · weights · tokens a second, over the peak, which is in 10¹² operations a second. Above 1, something was not computed."""
    return OPERATIONS * weights * tokens_per_second / (peak_tflops * 1e12)
