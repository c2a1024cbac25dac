"""The files of deploy/ run what `rag serve` prints, and are reached from this machine only."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from tests.unit.serving_plans import DEPLOY, dry

COMPOSE = sorted(DEPLOY.glob("*.compose.yml"))


def test_the_four_files() -> None:
    assert [file.name.split(".")[0] for file in COMPOSE] == ["ascend", "cpu", "nvidia", "reranker-8012"]


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
def test_a_compose_file_runs_what_rag_serve_prints(file: Path) -> None:
    """The line `# rag serve …` of the file, with --dry-run, gives the command and the environment of its servers, in order."""
    text = file.read_text("utf-8")
    (line,) = [line[2:] for line in text.splitlines() if line.startswith("# rag serve ")]
    printed = dry(*shlex.split(line)[2:])
    services = [one for one in yaml.safe_load(text)["services"].values() if one["command"][:2] == ["vllm", "serve"]]
    assert len(services) == len(printed) > 0
    for service, command in zip(services, printed, strict=True):
        words = shlex.split(command)
        at = words.index("vllm")
        assert service["command"] == words[at:]
        wanted = dict(word.split("=", 1) for word in words[:at])
        assert {name: service["environment"][name] for name in wanted} == wanted


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
def test_a_compose_file_starts_one_server_after_the_other_and_opens_loopback_only(file: Path) -> None:
    services = yaml.safe_load(file.read_text("utf-8"))["services"]
    servers = [name for name, one in services.items() if one["command"][:2] == ["vllm", "serve"]]
    for name, after in zip(servers[1:], servers, strict=False):
        assert services[name]["depends_on"] == {after: {"condition": "service_healthy"}}
    for one in services.values():
        assert all(port.startswith("${BIND:-127.0.0.1}:") for port in one.get("ports", []))
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("../") or (file.parent / source).exists(), f"{source} is not there"


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
def test_one_key_reaches_the_servers_and_the_application(file: Path) -> None:
    services = yaml.safe_load(file.read_text("utf-8"))["services"]
    for name, one in services.items():
        variable = "RAG_API_KEY" if name == "rag" else "VLLM_API_KEY"
        assert one["environment"][variable].startswith("${VLLM_API_KEY:")


def test_the_commands_of_the_page_are_understood() -> None:
    """Every `rag serve` of deploy/README.md, with --dry-run."""
    lines = [line.partition("#")[0] for line in (DEPLOY / "README.md").read_text("utf-8").splitlines() if line.startswith("    ")]
    shown = [line[line.index("rag serve ") :] for line in lines if "rag serve " in line]
    assert len(shown) == 4
    for line in shown:
        assert dry(*shlex.split(line)[2:], "--platform", "ascend", "--card-memory", "64")


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
def test_the_application_is_told_settings_that_exist(file: Path) -> None:
    from rag.config import Settings

    for one in yaml.safe_load(file.read_text("utf-8"))["services"].values():
        for name in one.get("environment", {}):
            assert not name.startswith("RAG_") or name[4:].lower() in Settings.model_fields
