"""Tiny random checkpoints of the real architectures: VL embedder, VL reranker, VL chat model, text embedder, text reranker.

Knows nothing of the project. Random weights rank nothing, but any difference in a prompt moves the vector far away.

Written as the published checkpoints are: safetensors in float32, a byte-level BPE with Qwen's pre-tokeniser and special tokens,
preprocessor configs with the published limits. Embedders append <|endoftext|> when special tokens are added, rerankers append
nothing. The chat templates are poor on purpose: whoever uses one instead of ours gets other numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>",
    "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
ADDED = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")  # tokens, yet not special
MERGES = (
    "Ċ Ċ", "y e", "ye s", "n o", "Ġ t", "Ġt h", "Ġth e", "i n", "e r", "a n", "o n", "r e", "Ġ a", "Ġ o", "Ġo f", "in g",
    "e n", "an d", "Ġ s", "Ġ w", "o r", "a t", "e s", "Ġ c", "Ġ b", "Ġ f", "i s", "i t", "a r", "a l", "l e", "Ġ p", "Ġ m",
    "e d", "o u", "s t", "Ġ in", "Ġ d", "Ġ h", "i c", "r o", "l l", "Ġ and", "i on", "Ġ n", "v e", "c h", "Ġ is", "Ġ y",
)  # fmt: skip
HIDDEN = 128  # the dimension of the embedders
_SEEDS = {"vl-embedder": 11, "vl-reranker": 12, "text-embedder": 13, "text-reranker": 14, "vl-answerer": 15}
FOLDERS = {  # names of which each tells its family
    "vl-embedder": "Qwen3-VL-Embedding-tiny",
    "vl-reranker": "Qwen3-VL-Reranker-tiny",
    "text-embedder": "Qwen3-Embedding-tiny",
    "text-reranker": "Qwen3-Reranker-tiny",
    "vl-answerer": "Qwen3-VL-Instruct-tiny",
    "plain-embedder": "mean-tiny",
    "plain-reranker": "cross-tiny",
}
# Drops every role but the system's: what MODELS.md §3 warns of, and wrong for every model here.
POOR_TEMPLATE = "{% for message in messages %}{% if message.role == 'system' %}{{ message.content }}{% endif %}{% endfor %}"
# As the published VL checkpoints render a conversation.
VL_TEMPLATE = """{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.content is string %}{{- message.content }}{%- else %}{%- for part in message.content %}
{%- if part.type == 'image' or 'image' in part or 'image_url' in part %}{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- elif part.type == 'video' or 'video' in part %}{{- '<|vision_start|><|video_pad|><|vision_end|>' }}
{%- elif 'text' in part %}{{- part.text }}{%- endif %}{%- endfor %}{%- endif %}{{- '<|im_end|>\\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""


def make(which: str, folder: Path) -> Path:
    """Writes one checkpoint, unless it is there, and returns its folder: about 3 s and 4 MB."""
    place = folder / FOLDERS[which]
    if not (place / "made").exists():
        place.mkdir(parents=True, exist_ok=True)
        _write_tokenizer(place, appended=which.endswith("embedder"), seeing=which.startswith("vl"))
        _write_weights(place, which)
        (place / "made").touch()
    return place


def make_plain(which: str, folder: Path) -> Path:
    """A tiny random BERT as sentence-transformers keep one: an embedder by the mean of its tokens, or a cross-encoder."""
    place = folder / FOLDERS[which]
    if not (place / "made").exists():
        import torch
        from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

        place.mkdir(parents=True, exist_ok=True)
        letters = [chr(code) for code in range(33, 127)]
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
        (place / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
        BertTokenizer(str(place / "vocab.txt"), model_max_length=512).save_pretrained(place)
        torch.manual_seed(21)
        config = BertConfig(
            vocab_size=len(words), hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256,
            initializer_range=0.15, num_labels=1,
        )  # fmt: skip
        (BertModel if which == "plain-embedder" else BertForSequenceClassification)(config).eval().save_pretrained(place)
        if which == "plain-embedder":
            parts = {"": "sentence_transformers.models.Transformer", "1_Pooling": "sentence_transformers.models.Pooling"}
            listed = [
                {"idx": number, "name": str(number), "path": path, "type": kind}
                for number, (path, kind) in enumerate(parts.items())
            ]
            (place / "1_Pooling").mkdir(exist_ok=True)
            _dump(place / "1_Pooling/config.json", {"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": True})
            (place / "modules.json").write_text(json.dumps(listed), encoding="utf-8")
        (place / "made").touch()
    return place


def _bytes_as_characters() -> Iterator[str]:
    """GPT-2's printable stand-ins for the 256 bytes."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    for byte in range(256):
        yield chr(byte) if byte in printable else chr(next(spare))


def vocabulary() -> dict[str, int]:
    """Token to number; `yes` and `no` are single tokens, as in the real one."""
    tokens = [*_bytes_as_characters(), *(merge.replace(" ", "") for merge in MERGES), *SPECIAL, *ADDED]
    return {token: number for number, token in enumerate(tokens)}


def _write_tokenizer(place: Path, *, appended: bool, seeing: bool) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

    ids = vocabulary()
    plain = {token: number for token, number in ids.items() if token not in {*SPECIAL, *ADDED}}
    tokenizer = Tokenizer(models.BPE(vocab=plain, merges=[tuple(merge.split(" ")) for merge in MERGES]))
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in ADDED])
    if appended:
        end = ("<|endoftext|>", ids["<|endoftext|>"])
        tokenizer.post_processor = processors.Sequence(
            [
                processors.ByteLevel(trim_offsets=False, add_prefix_space=False, use_regex=False),
                processors.TemplateProcessing(
                    single="$A <|endoftext|>", pair="$A <|endoftext|> $B <|endoftext|>", special_tokens=[end]
                ),
            ]
        )
    assert tokenizer.get_vocab() == ids
    tokenizer.save(str(place / "tokenizer.json"))
    settings: dict[str, Any] = {
        "tokenizer_class": "Qwen2Tokenizer", "add_prefix_space": False, "clean_up_tokenization_spaces": False,
        "model_max_length": 131072, "pad_token": "<|endoftext|>", "eos_token": "<|im_end|>", "bos_token": None, "unk_token": None,
        "additional_special_tokens": list(SPECIAL[1:]), "split_special_tokens": False, "errors": "replace",
        "added_tokens_decoder": {
            str(ids[token]): {
                "content": token, "special": token in SPECIAL, "normalized": False, "lstrip": False, "rstrip": False,
                "single_word": False,
            }
            for token in (*SPECIAL, *ADDED)
        },
    }  # fmt: skip
    _dump(place / "tokenizer_config.json", settings)
    _dump(place / "vocab.json", plain)
    (place / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n", encoding="utf-8")
    template = VL_TEMPLATE if seeing else POOR_TEMPLATE
    (place / "chat_template.jinja").write_text(template, encoding="utf-8")
    if seeing:
        _write_preprocessors(place)


def _write_preprocessors(place: Path) -> None:
    common = {
        "patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
        "processor_class": "Qwen3VLProcessor",
    }  # fmt: skip
    images = {"size": {"shortest_edge": 4096, "longest_edge": 1310720}, "image_processor_type": "Qwen2VLImageProcessorFast"}
    videos = {"size": {"shortest_edge": 4096, "longest_edge": 7864320}, "video_processor_type": "Qwen3VLVideoProcessor"}
    _dump(place / "preprocessor_config.json", common | images)
    _dump(place / "video_preprocessor_config.json", common | videos | {"fps": 1, "min_frames": 4, "max_frames": 64})


def _write_weights(place: Path, which: str) -> None:
    import torch
    from transformers import AutoConfig, Qwen3ForCausalLM, Qwen3VLForConditionalGeneration

    ids = vocabulary()
    text = {
        "vocab_size": len(ids), "hidden_size": HIDDEN, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "hidden_act": "silu",
        "attention_bias": False, "tie_word_embeddings": True, "initializer_range": 0.15, "pad_token_id": None,
        "bos_token_id": ids["<|endoftext|>"], "eos_token_id": ids["<|im_end|>"],
    }  # fmt: skip
    if which.startswith("vl"):
        vision = {
            "depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": HIDDEN, "patch_size": 16,
            "spatial_merge_size": 2, "temporal_patch_size": 2, "in_channels": 3, "num_position_embeddings": 2304,
            "deepstack_visual_indexes": [0, 1], "hidden_act": "gelu_pytorch_tanh", "initializer_range": 0.15,
        }  # fmt: skip
        rope = {"rope_type": "default", "rope_theta": 5000000, "mrope_interleaved": True, "mrope_section": [6, 5, 5]}
        tokens = {name: ids[f"<|{name.removesuffix('_id')}|>"] for name in ("vision_start_id", "vision_end_id")}
        config = AutoConfig.for_model(
            "qwen3_vl", text_config=text | {"rope_parameters": rope}, vision_config=vision, tie_word_embeddings=True,
            image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
            vision_start_token_id=tokens["vision_start_id"], vision_end_token_id=tokens["vision_end_id"],
        )  # fmt: skip
        architecture = Qwen3VLForConditionalGeneration
    else:
        config = AutoConfig.for_model("qwen3", **text, rope_parameters={"rope_type": "default", "rope_theta": 1000000})
        architecture = Qwen3ForCausalLM
    torch.manual_seed(_SEEDS[which])
    model = architecture(config).to(torch.float32).eval()
    with torch.no_grad():  # biases and norms are otherwise zeros and ones: a model that ignored them would pass
        for name, values in model.named_parameters():
            if name.endswith("bias") or "norm" in name:
                values.add_(0.1 * torch.randn_like(values))
    model.save_pretrained(place)


def _dump(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
