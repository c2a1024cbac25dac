"""The commands of `rag serve`, for every platform, family and version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.backends.local.platforms import engine_keywords, release
from rag.backends.media import MAX_FRAMES
from rag.errors import WrongRequest
from rag.models.vllm_command import MOST_FRAMES, LaunchOptions, ServerSpec, elsewhere, partner
from tests.unit.serving_plans import JUDGE, VL, VL8, planned, value

GOLDEN = Path(__file__).with_name("golden_commands.txt")
MODELS = (
    *("Qwen/Qwen3-VL-Embedding-2B", "Qwen/Qwen3-Embedding-8B", "BAAI/bge-m3"),
    *("Qwen/Qwen3-VL-Reranker-8B", "Qwen/Qwen3-Reranker-0.6B", "BAAI/bge-reranker-v2-m3"),
)
FAMILY_FLAGS = ("--max-model-len", "--hf-overrides", "--chat-template", "--limit-mm-per-prompt", "--mm-processor-kwargs")
PLACES = (
    ("cuda", "0.33.0"),
    ("cuda", "0.23.0"),
    ("ascend", "0.23.0"),
    ("ascend", "0.18.0"),
    ("ascend-310p", "0.23.0"),
    ("cpu", "0.32.0"),
)


def test_the_commands_of_every_platform_family_and_version() -> None:
    """Compared with a readable file; after an intended change, delete the file and run this test once."""
    lines = []
    for platform, version in PLACES:
        for model in MODELS:
            role = "reranker" if "eranker" in model else "embedder"
            (command,) = planned([ServerSpec(role, model, 8000)], memory=64, platform=platform, version=version)
            lines += [f"# {platform}, vLLM {version}", str(command), ""]
    text = "\n".join(lines)
    if not GOLDEN.exists():
        GOLDEN.write_text(text, "utf-8")
        pytest.fail(f"{GOLDEN} was written: read it, then commit it")
    assert text == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize(
    ("model", "flags"),
    [
        (
            "Alibaba-NLP/gme-Qwen2-VL-2B-Instruct",
            {
                "--max-model-len": 1800,
                "--limit-mm-per-prompt": {"image": 1, "video": 0},
                "--mm-processor-kwargs": {"size": {"shortest_edge": 200704, "longest_edge": 1003520}},
            },
        ),
        (
            "jinaai/jina-reranker-m0",
            {
                "--max-model-len": 10240,
                "--limit-mm-per-prompt": {"image": 2, "video": 0},
                "--mm-processor-kwargs": {"size": {"shortest_edge": 3136, "longest_edge": 602112}},
            },
        ),
        (
            "mixedbread-ai/mxbai-rerank-large-v2",
            {
                "--max-model-len": 8192,
                "--hf-overrides": {
                    "architectures": ["Qwen2ForSequenceClassification"],
                    "classifier_from_token": ["0", "1"],
                    "method": "from_2_way_softmax",
                },
                "--chat-template": "templates/mxbai_rerank_v2.jinja",
            },
        ),
        (
            "tencent/WeMM-Embedding-2B",
            {
                "--max-model-len": 8192,
                "--hf-overrides": {"is_matryoshka": True},
                "--chat-template": "templates/wemm_embedding.jinja",
                "--limit-mm-per-prompt": {"image": 8, "video": 0},
            },
        ),
        ("google/siglip2-base-patch16-224", {"--max-model-len": 64, "--limit-mm-per-prompt": {"image": 1, "video": 0}}),
    ],
)
def test_the_flags_of_the_other_families(model: str, flags: dict[str, object]) -> None:
    role = "reranker" if "rerank" in model else "embedder"
    (command,) = planned([ServerSpec(role, model, 8000)], memory=64, templates="templates")
    known = {flag: value(command.arguments, flag) for flag in command.arguments if flag in FAMILY_FLAGS}
    assert {flag: text if flag == "--chat-template" else json.loads(text) for flag, text in known.items()} == flags


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


def test_a_context_length_and_several_cards() -> None:
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
    (one,) = planned([ServerSpec("embedder", str(folder), 8000)], platform="ascend", version="0.23.0")
    assert one.arguments[:5] == ("vllm", "serve", str(folder), "--served-model-name", "Qwen3-VL-Embedding-2B")
    assert "VLLM_USE_MODELSCOPE" not in one.environment


def test_variables_already_set_stay_and_the_key_is_not_shown() -> None:
    set_here = {"VLLM_USE_MODELSCOPE": "False", "VLLM_NO_USAGE_STATS": "0"}
    (one,) = planned([VL], platform="ascend", version="0.23.0", api_key="s3cret", environment=set_here)
    assert one.environment == {"PYTORCH_NPU_ALLOC_CONF": "expandable_segments:True", "VLLM_API_KEY": "s3cret"}
    assert "s3cret" not in str(one) and 'VLLM_API_KEY="$VLLM_API_KEY" vllm serve' in str(one)


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000"), ("10.0.0.7", "http://10.0.0.7:8000")]
)
def test_the_url_for_clients(host: str, url: str) -> None:
    assert planned([VL], host=host)[0].url == url


@pytest.mark.parametrize(
    "server",
    [
        ServerSpec("embedder", JUDGE.model, 1),
        ServerSpec("reranker", VL.model, 1),
        ServerSpec("embedder", "BAAI/bge-reranker-v2-m3", 1),
    ],
)
def test_a_model_of_the_other_role_is_refused(server: ServerSpec) -> None:
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
    assert elsewhere(LaunchOptions("ascend"), 64).version == "0.23.0"
    assert elsewhere(LaunchOptions(), 64).platform == "cuda"


def test_an_engine_in_this_process_gets_the_settings_of_a_server() -> None:
    """On an NPU, the keywords of vllm.LLM say the same as the flags of a server."""
    told = engine_keywords("ascend-310p", "0.18.0", 8192)
    made = planned([VL], memory=64, platform="ascend-310p", version="0.18.0")[0].arguments
    assert (told["dtype"], str(told["max_model_len"])) == (value(made, "--dtype"), value(made, "--max-model-len"))
    for name in ("compilation_config", "additional_config"):
        assert json.dumps(told[name]) == value(made, f"--{name.replace('_', '-')}")
    assert told["enable_prefix_caching"] is False and "--no-enable-prefix-caching" in made
    assert engine_keywords("ascend", "0.23.0.post1", 8192) == {}
