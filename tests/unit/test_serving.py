"""The commands of `rag serve`, for every platform, family and version, and the arithmetic of memory."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from rag.accelerators import Card
from rag.backends.media import MAX_FRAMES
from rag.backends.platforms import engine_keywords, release
from rag.cli.app import app
from rag.errors import WrongRequest
from rag.serving import MOST_FRAMES, Server, Terms, commands, elsewhere, partner

GOLDEN = Path(__file__).parent / "golden_commands.txt"
DEPLOY = Path(__file__).parents[2] / "deploy"
GIB = 1 << 30
VL, VL8 = Server("embedder", "Qwen/Qwen3-VL-Embedding-2B", 8000), Server("embedder", "Qwen/Qwen3-VL-Embedding-8B", 8000)
JUDGE, JUDGE8 = Server("reranker", "Qwen/Qwen3-VL-Reranker-2B", 8001), Server("reranker", "Qwen/Qwen3-VL-Reranker-8B", 8001)
MODELS = (
    *("Qwen/Qwen3-VL-Embedding-2B", "Qwen/Qwen3-Embedding-8B", "BAAI/bge-m3"),
    *("Qwen/Qwen3-VL-Reranker-8B", "Qwen/Qwen3-Reranker-0.6B", "BAAI/bge-reranker-v2-m3"),
)
PLACES = (
    ("cuda", "0.33.0"),
    ("cuda", "0.23.0"),
    ("ascend", "0.23.0"),
    ("ascend", "0.18.0"),
    ("ascend-310p", "0.23.0"),
    ("cpu", "0.32.0"),
)


def planned(servers: list[Server], cards: int = 1, memory: float = 24, environment: dict[str, str] | None = None, **terms):
    given = Terms(**{"platform": "cuda", "version": "0.33.0", "templates": "/templates", **terms})
    found = tuple(Card(number, "card", int(memory * GIB), int(memory * GIB)) for number in range(cards))
    return commands(
        servers, Terms(**{**{name: getattr(given, name) for name in Terms.__slots__}, "cards": found}), environment or {}
    )


def value(arguments: tuple[str, ...], flag: str) -> str:
    return arguments[arguments.index(flag) + 1]


def shares_of(made) -> list[float]:
    return [float(value(one.arguments, "--gpu-memory-utilization")) for one in made]


def test_the_commands_of_every_platform_family_and_version() -> None:
    """The file holds them as a person reads them; after a wanted change, delete it and run this test once."""
    lines = []
    for platform, version in PLACES:
        for model in MODELS:
            role = "reranker" if "eranker" in model else "embedder"
            (command,) = planned([Server(role, model, 8000)], memory=64, platform=platform, version=version)
            lines += [f"# {platform}, vLLM {version}", str(command), ""]
    text = "\n".join(lines)
    if not GOLDEN.exists():
        GOLDEN.write_text(text, "utf-8")
        pytest.fail(f"{GOLDEN} was written: read it, then commit it")
    assert text == GOLDEN.read_text("utf-8")


def test_flags_that_differ_by_version() -> None:
    def video(version: str) -> dict[str, object]:
        (one,) = planned([VL], version=version)
        return json.loads(value(one.arguments, "--media-io-kwargs"))["video"]

    assert video("0.33.0") == video("0.32.0") == {"fps": 1, "num_frames": 64, "max_frames": 64}
    assert video("0.23.0") == video("0.23.0.post1") == {"fps": 1, "num_frames": 64}
    assert MOST_FRAMES >= MAX_FRAMES  # no frame of ours is dropped


@pytest.mark.parametrize(("version", "off"), [("0.18.0", True), ("0.19.0", True), ("0.19.1", False), ("0.23.0.post1", False)])
def test_prefix_caching_is_off_where_it_gave_wrong_vectors(version: str, off: bool) -> None:
    assert ("--no-enable-prefix-caching" in planned([VL], platform="ascend", version=version)[0].arguments) == off
    assert "--no-enable-prefix-caching" not in planned([VL], platform="cuda", version=version)[0].arguments


def test_a_context_of_ones_own_and_more_cards() -> None:
    (one,) = planned(
        [VL8], cards=4, tensor_parallel=2, data_parallel=2, max_model_len=4096, dtype="float16", extra=("--enforce-eager",)
    )
    assert value(one.arguments, "--max-model-len") == "4096"
    assert value(one.arguments, "--tensor-parallel-size") == value(one.arguments, "--data-parallel-size") == "2"
    assert value(one.arguments, "--dtype") == "float16"
    assert one.arguments[-1] == "--enforce-eager"


def test_a_local_folder_is_served_under_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "Qwen3-VL-Embedding-2B"
    folder.mkdir()
    (one,) = planned([Server("embedder", str(folder), 8000)], platform="ascend", version="0.23.0")
    assert one.arguments[:5] == ("vllm", "serve", str(folder), "--served-model-name", "Qwen3-VL-Embedding-2B")
    assert "VLLM_USE_MODELSCOPE" not in one.environment


def test_variables_that_are_set_stay_and_the_key_is_not_shown() -> None:
    set_here = {"VLLM_USE_MODELSCOPE": "False", "VLLM_NO_USAGE_STATS": "0"}
    (one,) = planned([VL], platform="ascend", version="0.23.0", api_key="s3cret", environment=set_here)
    assert one.environment == {"PYTORCH_NPU_ALLOC_CONF": "expandable_segments:True", "VLLM_API_KEY": "s3cret"}
    assert "s3cret" not in str(one) and 'VLLM_API_KEY="$VLLM_API_KEY" vllm serve' in str(one)


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000"), ("10.0.0.7", "http://10.0.0.7:8000")]
)
def test_where_clients_find_it(host: str, url: str) -> None:
    assert planned([VL], host=host)[0].url == url


def test_two_models_share_a_card() -> None:
    shares = shares_of(planned([VL, JUDGE], memory=24))
    assert shares == [0.45, 0.46]
    small, large = shares_of(planned([VL, JUDGE8], memory=48))
    assert 0.2 < small < large and small + large <= 0.92


def test_what_does_not_fit_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(WrongRequest) as refusal:
        planned([VL8, JUDGE8], memory=32)
    what = refusal.value.what
    assert "Qwen3-VL-Embedding-8B: 16.3 GiB weights + 1.1 GiB keys and values" in what
    assert "the card has 32.0 GiB × 0.92 = 29.4 GiB" in what
    needs = [float(part.split(" GiB")[0]) for part in what.split(" = ")[1:3]]
    total = float(what.split("needed ")[1].split(" GiB")[0])
    assert total == pytest.approx(sum(needs), abs=0.11)


def test_the_numbers_of_the_arithmetic() -> None:
    """Weights: parameters × 2 bytes. Keys and values: 2 × 36 layers × 1,024 × 2 bytes × 8,192 tokens = 1.125 GiB."""
    with pytest.raises(WrongRequest) as refusal:
        planned([VL8], memory=16)
    assert "16.3 GiB weights + 1.1 GiB keys" in refusal.value.what
    with pytest.raises(WrongRequest, match=r"32\.7 GiB weights \+ 2\.2 GiB keys"):
        planned([VL8], memory=16, dtype="float32")
    assert shares_of(planned([VL8], cards=2, memory=16, tensor_parallel=2)) == [0.92]


def test_a_card_that_is_half_taken_gives_what_is_free() -> None:
    cards = (Card(0, "card", 24 * GIB, 12 * GIB),)
    (one,) = commands([VL], Terms("cuda", "0.33.0", cards=cards), {})
    assert shares_of([one]) == [0.47]  # (12 − 0.5) / 24
    with pytest.raises(WrongRequest, match=r"only 4\.0 GiB are free"):
        commands([VL], Terms("cuda", "0.33.0", cards=(Card(0, "card", 24 * GIB, 4 * GIB),)), {})


def test_with_cards_enough_each_has_its_own() -> None:
    first, second = planned([VL8, JUDGE8], cards=2, memory=24)
    assert first.environment == {"VLLM_NO_USAGE_STATS": "1"}
    assert second.environment == {"VLLM_NO_USAGE_STATS": "1", "CUDA_VISIBLE_DEVICES": "1"}
    assert shares_of([first, second]) == [0.92, 0.92]


def test_a_full_card_is_passed_over() -> None:
    cards = (Card(4, "card", 24 * GIB, GIB), Card(6, "card", 24 * GIB, 24 * GIB))
    (one,) = commands([VL], Terms("ascend", "0.23.0", cards=cards), {})
    assert one.environment["ASCEND_RT_VISIBLE_DEVICES"] == "6"


def test_more_cards_than_there_are() -> None:
    with pytest.raises(WrongRequest, match="tensor parallel 4 × data parallel 1 take 4 cards; there are 2"):
        planned([VL], cards=2, tensor_parallel=4)


def test_unknown_cards_are_shared_by_need_and_unknown_models_evenly() -> None:
    assert shares_of(commands([VL, JUDGE8], Terms("cuda", "0.33.0"), {})) == [0.23, 0.68]
    unknown = Server("reranker", "BAAI/bge-reranker-v2-m3", 8001)
    assert shares_of(commands([VL, unknown], Terms("cuda", "0.33.0"), {})) == [0.46, 0.46]
    assert shares_of(commands([VL, unknown], Terms("cuda", "0.33.0", memory_share=0.5), {})) == [0.25, 0.25]


def test_a_processor_gets_room_for_keys_and_values() -> None:
    cards = (Card(0, "main memory", 24 * GIB, 0),)
    (one,) = commands([VL], Terms("cpu", "0.32.0", cards=cards), {})
    assert one.environment["VLLM_CPU_KVCACHE_SPACE"] == "4"  # 4 × 0.875 GiB, rounded up
    assert "--gpu-memory-utilization" not in one.arguments
    with pytest.raises(WrongRequest, match="do not fit"):
        commands([VL8, JUDGE8], Terms("cpu", "0.32.0", cards=cards), {})


def test_a_smaller_memory_keeps_fewer_prompts() -> None:
    def kept(memory: float) -> list[str]:
        made = planned([VL, JUDGE], memory=memory, platform="cpu")
        return [one.environment["VLLM_CPU_KVCACHE_SPACE"] for one in made]

    assert [kept(memory) for memory in (32, 20, 16.5)] == [["4", "5"], ["2", "3"], ["1", "2"]]


def test_a_local_folder_is_weighed(tmp_path: Path) -> None:
    folder = tmp_path / "Qwen3-Embedding-own"
    folder.mkdir()
    shape = {"num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288, "num_key_value_heads": 8, "head_dim": 128}
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen3", **shape, "num_attention_heads": 32}))
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(3 * GIB)  # sparse
    with pytest.raises(WrongRequest, match=r"3\.0 GiB weights \+ 1\.1 GiB keys"):
        planned([Server("embedder", str(folder), 8000)], memory=4)


@pytest.mark.parametrize(
    "server",
    [Server("embedder", JUDGE.model, 1), Server("reranker", VL.model, 1), Server("embedder", "BAAI/bge-reranker-v2-m3", 1)],
)
def test_a_model_of_the_other_role_is_refused(server: Server) -> None:
    with pytest.raises(WrongRequest):
        planned([server])


def test_the_partner_of_an_embedder() -> None:
    assert partner("Qwen/Qwen3-VL-Embedding-8B") == "Qwen/Qwen3-VL-Reranker-8B"
    assert partner("Qwen/Qwen3-Embedding-0.6B") == "Qwen/Qwen3-Reranker-0.6B"
    assert partner("qwen/qwen3-vl-embedding-2b") == "qwen/Qwen3-VL-Reranker-2B"
    assert partner("modelscope:Qwen/Qwen3-VL-Embedding-2B") == "modelscope:Qwen/Qwen3-VL-Reranker-2B"
    assert partner("BAAI/bge-m3") == ""


def test_the_partner_of_a_folder_is_the_folder_beside_it(tmp_path: Path) -> None:
    own, other = tmp_path / "Qwen3-Embedding-4B", tmp_path / "Qwen3-Reranker-4B"
    own.mkdir()
    assert partner(str(own)) == ""
    other.mkdir()
    assert partner(str(own)) == str(other)


def test_versions() -> None:
    assert release("0.23.0.post1") == release("v0.23.0") == (0, 23, 0)
    assert release("0.32.1rc1+cpu") == (0, 32, 1)
    with pytest.raises(WrongRequest):
        release("newest")
    assert elsewhere(Terms("ascend"), 64).version == "0.23.0"
    assert elsewhere(Terms(), 64).platform == "cuda"


def test_an_engine_in_this_process_is_told_what_a_server_is() -> None:
    """On an NPU: the same facts as keywords of vllm.LLM and as flags."""
    told = engine_keywords("ascend-310p", "0.18.0", 8192)
    made = planned([VL], memory=64, platform="ascend-310p", version="0.18.0")[0].arguments
    assert (told["dtype"], str(told["max_model_len"])) == (value(made, "--dtype"), value(made, "--max-model-len"))
    for name in ("compilation_config", "additional_config"):
        assert json.dumps(told[name]) == value(made, f"--{name.replace('_', '-')}")
    assert told["enable_prefix_caching"] is False and "--no-enable-prefix-caching" in made
    assert engine_keywords("ascend", "0.23.0.post1", 8192) == {}


def dry(*words: str) -> list[str]:
    done = CliRunner().invoke(app, ["serve", words[0], "--dry-run", *words[1:]], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout.splitlines()


def test_the_command_line_prints_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    lines = dry("both", "--model", VL.model, "--card-memory", "24", "--platform", "cuda", "--", "--enforce-eager", "--seed", "3")
    assert [shlex.split(line)[3] for line in lines] == [VL.model, JUDGE.model]
    assert all(line.endswith("--enforce-eager --seed 3") for line in lines)
    (alone,) = dry("reranker", "--model", JUDGE.model, "--platform", "cuda", "--port", "8012")
    assert "--port 8012" in alone


@pytest.mark.parametrize(
    ("words", "named", "example"),
    [
        (["embedder"], "--model", "Qwen/Qwen3-VL-Embedding-2B"),
        (["both"], "--model", "Qwen/Qwen3-VL-Embedding-2B"),
        (["both", "--model", "BAAI/bge-m3"], "--reranker-model", "Qwen/Qwen3-VL-Reranker-2B"),
        (["reranker"], "--model", "Qwen/Qwen3-VL-Reranker-2B"),
    ],
)
def test_a_model_must_be_named(words: list[str], named: str, example: str) -> None:
    with pytest.raises(WrongRequest, match=f"which model is the .* {named} names it") as refused:
        dry(*words)
    assert refused.value.remedy == f"such as {named} {example}"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["both", "--model", VL.model, "--port", "8001"], "both servers are to listen on port 8001"),
        (["embedder", "--model", VL.model, "--dtype", "float64"], "no dtype 'float64'"),
        (["embedder", "--model", "./nowhere"], "the folder ./nowhere is not there"),
        (["embedder", "--model", "/nowhere/at/all"], "the folder /nowhere/at/all is not there"),
        (["embedder", "--model", str(DEPLOY)], "has no config.json"),
        (["embedder", "--model", VL.model, "--reranker-model", JUDGE.model], "starts no reranker"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: list[str], says: str) -> None:
    with pytest.raises(WrongRequest, match=says):
        dry(*words)


@pytest.mark.parametrize("words", [["--card-memory", "24"], ["--templates", "/templates"]])
def test_a_plan_for_another_machine_starts_nothing_here(words: list[str]) -> None:
    with pytest.raises(WrongRequest, match="for another machine") as refused:
        CliRunner().invoke(app, ["serve", "embedder", "--model", VL.model, *words], catch_exceptions=False)
    assert refused.value.remedy == "add --dry-run"
    (line,) = dry("embedder", "--model", "/models/Qwen3-VL-Embedding-2B", *words)
    assert "--served-model-name Qwen3-VL-Embedding-2B" in line


def test_a_model_of_no_known_family_is_said_to_be_fed_plainly() -> None:
    def told(*words: str) -> str:
        return CliRunner().invoke(app, ["serve", "embedder", "--dry-run", *words], catch_exceptions=False).stderr

    assert "not known as a Qwen3 model" in told("--model", "somebody/own-finetune")
    assert told("--model", "somebody/own-finetune", "--family", "qwen3-vl") == told("--model", VL.model) == ""


# ---- deploy/ ------------------------------------------------------------------------------------

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
