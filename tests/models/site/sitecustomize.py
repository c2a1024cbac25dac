"""Lets torchvision be imported where it has no CPU build: it registers meta kernels for two operators that do not exist there.

Only the tests of tests/models put this folder on PYTHONPATH. Neither operator is ever called. Knows nothing of the project.
"""

import importlib.util

if importlib.util.find_spec("torch") is not None and importlib.util.find_spec("torchvision") is not None:
    import torch

    try:
        _LIBRARY = torch.library.Library("torchvision", "DEF")
        _LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass  # torchvision's own build has defined them already
