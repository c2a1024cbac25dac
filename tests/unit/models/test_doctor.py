"""`rag doctor` reports what is wrong with a server, and nothing about a correct one."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.backends.base import Choice
from rag.backends.devices import Card, Machine
from rag.cli.app import app
from rag.errors import BackendError, IndexNotFound, WrongRequest
from rag.models.check_reranker import name_difference
from rag.models.doctor import pairing, prove
from rag.models.probe import Finding
from rag.models.run_files import RunningServer, Task, announce
from tests.unit.model_server import Faults, serving

RERANKERS = {"qwen3-vl-reranker": "Qwen/Qwen3-VL-Reranker-2B", "qwen3-reranker": "Qwen/Qwen3-Reranker-0.6B"}


@pytest.fixture(autouse=True)
def no_servers_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def embedder(faults: Faults, **choice: object) -> dict[str, Finding]:
    with serving(faults) as url:
        return {one.check: one for one in prove(Choice(model=faults.model, urls=(url,), **choice), "embedder")}


def reranker(family: str, **faults: object) -> dict[str, Finding]:
    with serving(Faults(family=family, model=RERANKERS[family], appends=False, **faults)) as url:
        return {one.check: one for one in prove(Choice(urls=(url,)), "reranker")}


def failures(found: dict[str, Finding]) -> dict[str, str]:
    return {name: one.detail for name, one in found.items() if one.verdict == "failed"}


def test_a_correct_embedder_passes_every_proof() -> None:
    found = embedder(Faults())
    assert {name: one.verdict for name, one in found.items()} == dict.fromkeys(
        [
            "answers",
            "family",
            "vector length",
            "prompt tokens",
            "conversation",
            "picture",
            "video",
            "alone and in a batch",
            "repeated requests",
            "known answer",
        ],
        "ok",
    )
    assert found["answers"].detail == "Qwen/Qwen3-VL-Embedding-2B, vLLM 0.33.0, prompts up to 8192 tokens"


def test_a_text_embedder_gets_no_conversation() -> None:
    found = embedder(Faults("qwen3-embedding", "Qwen/Qwen3-Embedding-0.6B", dim=1024))
    assert failures(found) == {} and "conversation" not in found


def test_a_plain_embedder_gets_only_the_checks_that_apply() -> None:
    found = embedder(Faults("plain-embedding", "BAAI/bge-m3", dim=64, tokenize=False, usage=False))
    assert list(found) == [
        *("answers", "family", "vector length", "alone and in a batch", "repeated requests", "known answer"),
    ]
    assert failures(found) == {}


def test_special_tokens_that_do_not_reach_the_engine_are_reported() -> None:
    assert "conversation" in failures(embedder(Faults(hears_special=False)))
    assert "add_special_tokens does not reach the engine" in failures(embedder(Faults(hears_special=False)))["conversation"]
    lost = failures(embedder(Faults(hears_generation=False)))
    assert "add_generation_prompt" in lost["conversation"]


def test_a_dropped_or_differently_scaled_picture_is_reported() -> None:
    assert "does not reach the model" in failures(embedder(Faults(picture=0)))["picture"]
    other = embedder(Faults(picture=16))["picture"]
    assert (other.verdict, other.detail[:17]) == ("warning", "16 tokens, not 64")
    assert "does not reach the model" in failures(reranker("qwen3-vl-reranker", picture=0))["picture"]


@pytest.mark.parametrize(
    ("faults", "verdict", "says"),
    [
        ({}, "ok", "295 tokens for 24 frames, one per second"),
        ({"newer": True}, "ok", "297 tokens for 24 frames, one per second"),
        ({"newer": True, "rate": 2.0}, "warning", "292 tokens for 24 frames, not 295"),
        ({"frames": 16}, "warning", "frames are dropped, scaled or timed differently"),
        ({"pair": 4}, "warning", "151 tokens for 24 frames, not 295"),
        ({"rate": 2.0}, "warning", "290 tokens for 24 frames, not 295"),
        ({"pair": 0}, "failed", "does not reach the model"),
        ({"frames": 0}, "warning", "the server refuses a video: "),
        ({"tokenize": False}, "ok", "its tokens cannot be counted"),
        ({"usage": False}, "ok", "its tokens cannot be counted"),
    ],
)
def test_a_cut_mistimed_dropped_or_refused_video_is_reported(faults: dict[str, int], verdict: str, says: str) -> None:
    for found in (embedder(Faults(**faults))["video"], reranker("qwen3-vl-reranker", **faults)["video"]):
        assert (found.verdict, says in found.detail) == (verdict, True), found.detail


def test_a_tokenizer_that_appends_nothing_is_reported() -> None:
    assert "appends no <|endoftext|>" in failures(embedder(Faults(appends=False)))["prompt tokens"]


def test_an_embedder_with_varying_vectors_fails() -> None:
    assert "repeated requests" in failures(embedder(Faults(seasick=9)))


def test_a_vector_that_depends_on_its_batch_is_reported() -> None:
    assert list(failures(embedder(Faults(crowd=0.2)))) == ["alone and in a batch"]
    assert failures(embedder(Faults(crowd=0.01))) == {}  # what 16-bit arithmetic does


def test_a_wrong_dimension_is_reported() -> None:
    assert failures(embedder(Faults(dim=1024)))["vector length"] == "1024 numbers, not 2048"


def test_without_tokenize_only_the_token_count_is_skipped() -> None:
    found = embedder(Faults(tokenize=False))
    assert found["prompt tokens"].verdict == "skipped"
    assert found["conversation"].verdict == "ok"


def test_another_model_is_reported() -> None:
    with serving(Faults(model="Qwen/Qwen3-VL-Embedding-8B")) as url:
        (found,) = prove(Choice(model="Qwen/Qwen3-VL-Embedding-2B", urls=(url,)), "embedder")
    assert (found.check, found.verdict) == ("model", "failed")
    assert "serves Qwen/Qwen3-VL-Embedding-8B" in found.detail


def test_an_alias_gets_the_prompts_of_the_model_behind_it() -> None:
    with serving(Faults(model="search", root="/models/Qwen3-VL-Embedding-2B")) as url:
        found = {one.check: one for one in prove(Choice(model="Qwen/Qwen3-VL-Embedding-2B", urls=(f"{url}/v1/",)), "embedder")}
        unnamed = {one.check: one for one in prove(Choice(urls=(url,)), "embedder")}
    assert failures(found) == failures(unnamed) == {}
    assert found["family"].detail == unnamed["family"].detail == "qwen3-vl-embedding"


def test_endpoints_that_differ_are_reported() -> None:
    with serving(Faults()) as one, serving(Faults(crowd=0.0, appends=False)) as other:
        found = prove(Choice(model="Qwen/Qwen3-VL-Embedding-2B", urls=(one, other)), "embedder")
    assert [(f.check, f.verdict) for f in found if f.check == "endpoints agree"] == [("endpoints agree", "failed")]


@pytest.mark.parametrize(
    ("faults", "said"), [(Faults(status=500), "the engine is dead"), (Faults(key="secret"), "refuses the API key (401)")]
)
def test_a_server_that_refuses_is_a_finding(faults: Faults, said: str) -> None:
    with serving(faults) as url:
        found = prove(Choice(model=faults.model, urls=(url,)), "embedder")
    assert [one.verdict for one in found] == ["failed"]
    assert said in found[0].detail


def test_the_key_is_sent() -> None:
    assert failures(embedder(Faults(key="secret"), api_key="secret")) == {}


def test_an_unreachable_server_is_a_finding() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    (found,) = prove(Choice(urls=(url,)), "embedder")
    assert (found.check, found.verdict) == ("answers", "failed")
    assert found.detail == f"{url}/v1/models cannot be reached: Connection refused"


@pytest.mark.parametrize("url", ["nonsense", "ftp://host", "127.0.0.1:8000"])
def test_an_invalid_address_is_a_finding(url: str) -> None:
    (found,) = prove(Choice(urls=(url,)), "embedder")
    assert (found.verdict, found.remedy) == ("failed", "write it as http://HOST:PORT")


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_a_private_certificate_must_be_named(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    with serving(Faults(), tls=(cert, key)) as url:
        (found,) = prove(Choice(urls=(url,)), "embedder")
        assert "certificate is not trusted" in found.detail
        assert found.remedy == "name the certificates to trust: RAG_CA_BUNDLE"
        assert {one.verdict for one in prove(Choice(urls=(url,), ca_bundle=str(cert)), "embedder")} == {"ok"}


@pytest.mark.parametrize(
    ("served", "role", "option"),
    [
        (Faults("qwen3-vl-reranker", RERANKERS["qwen3-vl-reranker"], appends=False), "embedder", "--reranker-url"),
        (Faults(), "reranker", "--url"),
    ],
)
def test_a_server_of_the_other_role_is_reported_with_its_option(served: Faults, role: Task, option: str) -> None:
    with serving(served) as url:
        found = prove(Choice(urls=(url,), family="qwen3-vl"), role)[-1]
    assert (found.verdict, option in found.remedy) == ("failed", True)


def test_a_reranker_cannot_be_the_embedder() -> None:
    with pytest.raises(WrongRequest, match="cannot be used as the embedder"):
        prove(Choice(model="Qwen/Qwen3-VL-Reranker-2B", urls=("http://127.0.0.1:1",)), "embedder")


@pytest.mark.parametrize("family", RERANKERS)
def test_a_correct_reranker_passes_every_proof(family: str) -> None:
    found = reranker(family)
    seen = ["picture", "video"] if "vl" in family else []
    checks = ["answers", "family", "prompt tokens", "own instruction", *seen, "alone and in a batch", "repeated requests"]
    assert {name: one.verdict for name, one in found.items()} == dict.fromkeys([*checks, "known answer"], "ok")


@pytest.mark.parametrize("family", RERANKERS)
@pytest.mark.parametrize(
    ("template", "check", "said"),
    [
        ("none", "prompt tokens", "no chat template"),
        ("twice", "prompt tokens", "wrapped twice"),
        ("stripped", "prompt tokens", "lost its last newline"),
        ("deaf", "own instruction", "does not reach the prompt"),
    ],
)
def test_a_wrong_template_is_reported(family: str, template: str, check: str, said: str) -> None:
    assert said in failures(reranker(family, template=template))[check]


def test_the_unversioned_rerank_path_is_accepted_for_plain_models() -> None:
    with serving(Faults("plain-reranker", "BAAI/bge-reranker-v2-m3", older=True)) as url:
        found = {one.check: one for one in prove(Choice(urls=(url,)), "reranker")}
    assert failures(found) == {}
    assert found["answers"].detail == "BAAI/bge-reranker-v2-m3, prompts up to 512 tokens"
    assert found["reranks"].detail == "only at /rerank, like TEI; that path is used"
    assert found["repeated requests"].verdict == "ok"


def test_the_unversioned_rerank_path_fails_for_models_with_a_template() -> None:
    found = reranker("qwen3-reranker", older=True)
    said = "only at /rerank, like TEI: without the chat template and the instruction of qwen3-reranker"
    assert failures(found) == {"reranks": said}
    assert "rag serve reranker" in found["reranks"].remedy


def test_without_token_counts_a_missing_template_shows_in_the_scores() -> None:
    found = reranker("qwen3-vl-reranker", template="none", tokenize=False)
    assert found["prompt tokens"].verdict == "skipped"
    assert "everything scores ≈ 0.5" in failures(found)["scores"]


def test_a_reranker_with_varying_scores_fails() -> None:
    assert "repeated requests" in failures(reranker("qwen3-reranker", seasick=6))


@pytest.mark.parametrize(
    ("expected", "used", "raw", "said"),
    [
        (90, 90, 15, ""),
        (90, 89, 15, "last newline"),
        (90, 157, 15, "wrapped twice"),
        (90, 15, 15, "no chat template"),
        (90, 17, 15, "no chat template"),
        (90, 70, 15, "not the template"),
        (90, 100, 15, "not the template"),
    ],
)
def test_a_wrong_token_count_names_the_mistake(expected: int, used: int, raw: int, said: str) -> None:
    assert said in name_difference(expected, used, raw) and bool(said) == bool(name_difference(expected, used, raw))


NPU = Machine("ascend", (Card(0, "910B3", 64 << 30, 60 << 30),), "24.1")


@pytest.mark.parametrize(
    ("versions", "verdict"),
    [
        ({"vllm": "0.23.0", "vllm-ascend": "0.23.0.post1"}, ["ok"]),
        ({"vllm": "0.32.0", "vllm-ascend": "0.23.0.post1"}, ["warning"]),
        ({"vllm-ascend": "0.23.0"}, ["warning"]),
        ({"vllm": "0.33.0"}, ["warning"]),
        ({}, []),
    ],
)
def test_vllm_and_vllm_ascend_must_match(versions: dict[str, str], verdict: list[str]) -> None:
    assert [one.verdict for one in pairing(NPU, versions)] == verdict


def test_vllm_alone_is_correct_on_nvidia() -> None:
    assert pairing(Machine("cuda"), {"vllm": "0.33.0"}) == []


def test_the_command_prints_json_and_exits_3_on_a_failed_proof() -> None:
    with (
        serving(Faults()) as right,
        serving(Faults("qwen3-vl-reranker", RERANKERS["qwen3-vl-reranker"], template="none")) as wrong,
    ):
        good = CliRunner().invoke(app, ["doctor", "--url", right, "--json"])
        bad = CliRunner().invoke(app, ["doctor", "--url", right, "--reranker-url", wrong])
    findings = json.loads(good.stdout)["findings"]
    assert good.exit_code == 0 and {one["subject"] for one in findings} == {
        "machine",
        "vllm",
        f"embedder {right}",
        "reranker",
        "answerer",
    }
    assert isinstance(bad.exception, BackendError) and bad.exception.exit_code == 3
    assert "FAILED prompt tokens" in bad.stdout


def test_without_urls_the_endpoint_of_the_index_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.indexing.build import build_index

    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").mkdir()
    with serving(Faults()) as url:
        build_index(tmp_path / "corpus", url=url)
    assert f"FAILED answers               {url}/v1/models cannot be reached" in CliRunner().invoke(app, ["doctor"]).stdout
    other = CliRunner().invoke(app, ["doctor", "--index", "other"])
    assert isinstance(other.exception, IndexNotFound)


def test_without_urls_the_running_servers_are_checked() -> None:
    import os

    with serving(Faults()) as url:
        announce(RunningServer("embedder", url, "Qwen/Qwen3-VL-Embedding-2B", os.getpid(), 1.0))
        done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 0
    assert f"embedder {url}" in done.stdout and "FAILED" not in done.stdout
