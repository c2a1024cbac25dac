"""Servers planned on cards of any size, and what a command of them says. Knows no test."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from rag.backends.devices import Card
from rag.cli.app import app
from rag.models.vllm_command import LaunchOptions, ServerSpec, commands

GIB = 1 << 30
DEPLOY = Path(__file__).parents[2] / "deploy"
VL, VL8 = ServerSpec("embedder", "Qwen/Qwen3-VL-Embedding-2B", 8000), ServerSpec("embedder", "Qwen/Qwen3-VL-Embedding-8B", 8000)
JUDGE, JUDGE8 = (
    ServerSpec("reranker", "Qwen/Qwen3-VL-Reranker-2B", 8001),
    ServerSpec("reranker", "Qwen/Qwen3-VL-Reranker-8B", 8001),
)


def planned(servers: list[ServerSpec], cards: int = 1, memory: float = 24, environment: dict[str, str] | None = None, **terms):
    given = LaunchOptions(**{"platform": "cuda", "version": "0.33.0", "templates": "/templates", **terms})
    found = tuple(Card(number, "card", int(memory * GIB), int(memory * GIB)) for number in range(cards))
    return commands(
        servers,
        LaunchOptions(**{**{name: getattr(given, name) for name in LaunchOptions.__slots__}, "cards": found}),
        environment or {},
    )


def value(arguments: tuple[str, ...], flag: str) -> str:
    return arguments[arguments.index(flag) + 1]


def shares_of(made) -> list[float]:
    return [float(value(one.arguments, "--gpu-memory-utilization")) for one in made]


def dry(*words: str) -> list[str]:
    done = CliRunner().invoke(app, ["serve", words[0], "--dry-run", *words[1:]], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout.splitlines()
