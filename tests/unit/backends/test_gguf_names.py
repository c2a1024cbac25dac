"""What is read from the name of a GGUF model."""

import pytest

from rag.backends.gguf_names import is_gguf, is_same, mmproj_in, quantisation_in, revision_of, served_name, stem_of

VL = "Qwen3-VL-Embedding-2B"


@pytest.mark.parametrize(
    ("name", "stem", "quantisation"),
    [
        (f"/models/{VL}-Q8_0.gguf", f"{VL}-Q8_0", "Q8_0"),
        (f"C:\\models\\{VL}-Q4_K_M.gguf", f"{VL}-Q4_K_M", "Q4_K_M"),
        (f"{VL}.IQ4_XS.gguf", f"{VL}.IQ4_XS", "IQ4_XS"),
        (f"{VL}-f16+mmproj-BF16", f"{VL}-f16", "F16"),
        (f"{VL}-BF16-00001-of-00003.gguf", f"{VL}-BF16", "BF16"),
        ("model.gguf", "model", ""),
    ],
)
def test_a_gguf_by_its_name(name, stem, quantisation):
    assert is_gguf(name)
    assert (stem_of(name), quantisation_in(name)) == (stem, quantisation)


@pytest.mark.parametrize(
    "name", ["", f"Qwen/{VL}", "BAAI/bge-m3", "all-MiniLM-L6-v2", "embedder", "/models/Qwen3-Embedding-0.6B"]
)
def test_other_names_are_no_gguf(name):
    assert not is_gguf(name)


def test_the_served_name_tells_the_mmproj_and_is_the_same_model():
    served = served_name(f"{VL}-Q8_0", "F16")
    assert served == f"{VL}-Q8_0+mmproj-F16"
    assert mmproj_in(served) == "F16"
    assert is_same(served, f"/models/{VL}-Q8_0.gguf") and is_same(f"/models/{VL}-Q8_0.gguf", served)
    assert not is_same(served, f"Qwen/{VL}") and not is_same(served, f"{VL}-Q4_K_M.gguf")
    assert is_same(f"Qwen/{VL}", f"/models/{VL}")


def test_the_revision_says_what_is_known():
    assert revision_of("Q8_0", "F16", sees=True) == "GGUF Q8_0, mmproj F16"
    assert revision_of("Q8_0", "", sees=True) == "GGUF Q8_0, mmproj unknown"
    assert revision_of("", "", sees=False) == "GGUF unknown"
