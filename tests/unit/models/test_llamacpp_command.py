"""Which files of a GGUF model are served, under which name, by which command, and in how much memory."""

import pytest

from rag.errors import WrongRequest
from rag.models import llamacpp_process
from rag.models.gguf_model import find_model
from rag.models.llamacpp_command import GIB, command, free_memory, need_of, refuse_unknown, require_memory
from rag.models.vllm_command import LaunchOptions, ServerSpec
from tests.unit.gguf_samples import write_mmproj, write_model

VL = "Qwen3-VL-Embedding-2B-Q8_0"


def embedder(named, family=""):
    return ServerSpec("embedder", str(named), 8000, family)


@pytest.fixture
def folder(tmp_path):
    write_model(tmp_path / f"{VL}.gguf")
    write_mmproj(tmp_path / "mmproj-Qwen3-VL-Embedding-2B-F16.gguf")
    return tmp_path


@pytest.mark.parametrize("named", ["", f"{VL}.gguf"])
def test_a_folder_or_a_file_is_a_model_with_its_mmproj(folder, named):
    model = find_model(embedder(folder / named))
    assert (model.weights, model.mmproj) == (folder / f"{VL}.gguf", folder / "mmproj-Qwen3-VL-Embedding-2B-F16.gguf")
    assert (model.name, model.family.name) == (f"{VL}+mmproj-F16", "qwen3-vl-embedding")
    assert model.size == sum(file.stat().st_size for file in folder.iterdir())


def test_a_name_that_does_not_tell_gets_the_family_of_the_architecture(tmp_path):
    write_model(tmp_path / "model.gguf", "qwen3")
    assert find_model(embedder(tmp_path)).name == "qwen3-embedding-model"
    assert find_model(ServerSpec("reranker", str(tmp_path), 8001)).name == "qwen3-reranker-model"


def test_of_several_mmproj_the_one_with_the_models_name_is_taken(folder):
    write_mmproj(folder / "mmproj-Qwen3-VL-Reranker-2B-F16.gguf")
    assert find_model(embedder(folder)).mmproj == folder / "mmproj-Qwen3-VL-Embedding-2B-F16.gguf"
    other = write_mmproj(folder / "mmproj-Qwen3-VL-Embedding-2B-F32.gguf", 0)
    with pytest.raises(WrongRequest, match=r"holds mmproj-.*F16\.gguf, mmproj-.*F32\.gguf") as raised:
        find_model(embedder(folder))
    assert raised.value.remedy == "name the one to use: --mmproj FILE.gguf"
    assert find_model(embedder(folder), str(other)).name == f"{VL}+mmproj-F32"


def test_a_model_in_several_files_needs_all_of_them(tmp_path):
    for number in (1, 3):
        write_model(tmp_path / f"Qwen3-Embedding-8B-F16-0000{number}-of-00003.gguf", "qwen3")
    with pytest.raises(WrongRequest, match=r"lacks Qwen3-Embedding-8B-F16-00002-of-00003\.gguf"):
        find_model(embedder(tmp_path))
    write_model(tmp_path / "Qwen3-Embedding-8B-F16-00002-of-00003.gguf", "qwen3")
    assert find_model(embedder(tmp_path)).name == "Qwen3-Embedding-8B-F16"


@pytest.mark.parametrize(
    ("name", "architecture", "family", "why"),
    [
        ("Qwen3-VL-Reranker-2B-Q8_0", "qwen3vl", "", "is not for the embedder"),
        (VL, "qwen3vl", "", "there is none beside it"),
        ("Qwen3-VL-Embedding-2B-Q8_0", "qwen3", "", "not that of the family qwen3-vl-embedding"),
        ("Llama-3-8B-Q8_0", "llama", "", "the architecture llama"),
        ("model", "qwen3vl", "qwen3", "not that of the family qwen3-embedding"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_reason(tmp_path, name, architecture, family, why):
    file = write_model(tmp_path / f"{name}.gguf", architecture)
    with pytest.raises(WrongRequest, match=why):
        find_model(embedder(file, family))


def test_no_model_several_models_and_a_chat_model_are_refused(tmp_path):
    with pytest.raises(WrongRequest, match="does not exist"):
        find_model(embedder(tmp_path / "gone"))
    with pytest.raises(WrongRequest, match=r"holds no \.gguf file"):
        find_model(embedder(tmp_path))
    for name in ("a", "b"):
        write_model(tmp_path / f"{name}.gguf", "qwen3")
    with pytest.raises(WrongRequest, match=r"holds a\.gguf, b\.gguf"):
        find_model(embedder(tmp_path))
    with pytest.raises(WrongRequest) as raised:
        find_model(ServerSpec("answerer", str(tmp_path / "a.gguf"), 8002))
    assert "--answer-url" in raised.value.remedy


def test_the_command_is_one_that_the_child_understands(folder):
    made = command(find_model(embedder(folder)), embedder(folder), LaunchOptions(entry=("llama-server",), extra=("-fa", "off")))
    given = llamacpp_process.parse(made.arguments[1:])
    assert (given.model, given.alias) == (str(folder / f"{VL}.gguf"), f"{VL}+mmproj-F16")
    assert (given.host, given.port, given.ctx_size, given.parallel) == ("127.0.0.1", 8000, 8193, 1)
    assert (given.image_min_tokens, given.image_max_tokens, given.flash_attn) == (4, 1280, "off")
    assert made.url == "http://127.0.0.1:8000"


def test_each_server_gets_a_key_of_its_own_which_is_not_shown(folder):
    one, other = (command(find_model(embedder(folder)), embedder(folder), LaunchOptions()) for _ in range(2))
    assert len(one.key) >= 24 and one.key != other.key
    assert one.environment == {"LLAMA_API_KEY": one.key}
    assert one.key not in str(one) and one.key not in repr(one.arguments)
    assert command(find_model(embedder(folder)), embedder(folder), LaunchOptions(api_key="mine")).key == "mine"


def test_memory_is_said_and_refused_with_the_arithmetic(folder):
    need = need_of(find_model(embedder(folder)), 8192)
    assert need.prompt == 2 * 28 * 1024 * 2 * 8192  # 28 layers, 8 heads of 128, two bytes
    said = []
    require_memory([need], 4 * GIB, said.append)
    assert said == [
        f"{VL}+mmproj-F16: 0.0 GiB weights + 0.9 GiB keys and values of one longest prompt + 1.0 GiB working memory = 1.9 GiB"
    ]
    with pytest.raises(WrongRequest, match=r"needed: 3\.8 GiB; 2\.0 GiB of main memory are free"):
        require_memory([need, need], 2 * GIB, said.append)
    require_memory([need], 0, said.append)  # not known


def test_free_memory_is_read_from_linux(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:       24689120 kB\nMemAvailable:   20971520 kB\n")
    assert free_memory(tmp_path / "meminfo") == 20 * GIB
    assert free_memory(tmp_path / "gone") == 0


def test_options_of_vllm_are_refused():
    refuse_unknown(LaunchOptions(max_model_len=4096, extra=("-t", "4")))
    with pytest.raises(WrongRequest, match="takes no --tensor-parallel, --dtype"):
        refuse_unknown(LaunchOptions(tensor_parallel=2, dtype="float16"))


def test_an_unknown_flag_ends_the_child_with_its_name(capsys):
    with pytest.raises(SystemExit):
        llamacpp_process.parse(["-m", "a.gguf", "--port", "1", "--no-such-flag"])
    assert "--no-such-flag" in capsys.readouterr().err
