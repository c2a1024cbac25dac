"""What `rag doctor` finds wrong with a llama.cpp server, and that it finds nothing wrong with a right one."""

import pytest

from rag.models.doctor import prove
from tests.models import checkpoints as tiny
from tests.models import gguf_files
from tests.models.llama_servers import llama

UNTRAINED = {"known answer", "scores"}  # warned of, because random weights rank nothing


def found(file, tmp_path, *flags, **more):
    """The findings about a server, by check, and the name and detail of those that are not ok."""
    with llama(file, tmp_path / "log", *flags, **more) as server:
        role = "reranker" if "Reranker" in server.name else "embedder"
        findings = prove(server.choice(), role)
    wrong = {one.check: (one.verdict, one.detail) for one in findings if one.verdict != "ok" and one.check not in UNTRAINED}
    return [one.check for one in findings], wrong


@pytest.fixture
def gguf(checkpoints, tmp_path):
    return lambda which, **more: gguf_files.convert(tiny.make(which, checkpoints), tmp_path / which, **more)


PICTURES = ("small picture", "picture counts", "large picture")
VECTORS = ("vector length", "alone and in a batch", "known answer")


@pytest.mark.parametrize(
    ("which", "proofs"),
    [
        ("vl-embedder", ["marker", *PICTURES, *VECTORS]),
        ("text-embedder", VECTORS),
        ("vl-reranker", ["marker", *PICTURES, "hidden states", "scores"]),
        ("text-reranker", ["hidden states", "scores"]),
    ],
)
def test_a_right_server_passes_every_proof(gguf, tmp_path, which, proofs):
    checks, wrong = found(gguf(which), tmp_path)
    assert checks == ["answers", "family", "slot context", "end token", *proofs]
    assert wrong == {}


def test_a_missing_end_token_is_found(gguf, tmp_path):
    _, wrong = found(gguf("vl-embedder", appends=False), tmp_path)
    assert wrong == {
        "end token": (
            "warning",
            "the GGUF appends no <|endoftext|>: this program writes it, any other gets vectors that rank badly",
        )
    }


def test_an_end_token_of_a_reranker_is_found(gguf, tmp_path):
    checks, wrong = found(gguf("text-reranker", appends=True), tmp_path)
    assert wrong == {"end token": ("failed", "1 tokens are appended, so a score is read at the wrong one")}
    assert checks[-1] == "end token"  # what follows would be read at the wrong token


def test_a_literal_marker_is_found(gguf, tmp_path):
    _, wrong = found(gguf("vl-embedder"), tmp_path, environment={"LLAMA_MEDIA_MARKER": "<__media__>"})
    assert list(wrong) == ["marker"]
    assert wrong["marker"][0] == "warning"


@pytest.mark.parametrize(
    ("flags", "which", "tokens"),
    [
        (("--image-min-tokens", "16"), "small picture", "64 × 64 pixels are 16 tokens, not 4"),
        (("--image-max-tokens", "256"), "large picture", "2048 × 2048 pixels are 256 tokens, not 1225"),
    ],
)
def test_wrong_limits_of_pixels_are_found(gguf, tmp_path, flags, which, tokens):
    _, wrong = found(gguf("vl-embedder"), tmp_path, *flags)
    assert wrong.keys() == {which}
    assert wrong[which][0] == "failed"
    assert wrong[which][1].startswith(tokens)


def test_a_missing_mmproj_and_a_short_context_are_found(gguf, tmp_path):
    _, wrong = found(gguf("vl-embedder"), tmp_path, "--mmproj", "", length=1023)
    assert wrong == {
        "slot context": ("warning", "1023 tokens, and the model reads 8192: longer texts are cut, larger pictures refused"),
        "marker": ("failed", "no mmproj is loaded, so no picture can be read"),
    }
