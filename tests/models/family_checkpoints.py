"""Tiny random checkpoints of the other families' architectures, as their published folders are laid out.

Knows nothing of the project. The language models share the vocabulary of `checkpoints`; random weights rank nothing, but any
difference in a prompt or a picture moves the vector far away.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.models.checkpoints import HIDDEN, VL_TEMPLATE, _dump, _write_preprocessors, _write_tokenizer, vocabulary

FOLDERS = {  # names of which each tells its family
    "bge-reranker": "bge-reranker-v2-m3-tiny",
    "mxbai-reranker": "mxbai-rerank-base-v1-tiny",
    "mxbai-v2-reranker": "mxbai-rerank-base-v2-tiny",
    "jina-m0-reranker": "jina-reranker-m0-tiny",
    "gme-embedder": "gme-Qwen2-VL-tiny",
    "wemm-embedder": "WeMM-Embedding-tiny",
    "nemotron-embedder": "llama-nemotron-embed-tiny",
    "siglip-embedder": "siglip-base-patch16-tiny",
    "clip-embedder": "clip-vit-base-patch16-tiny",
    "colqwen3-reranker": "tomoro-colqwen3-embed-tiny",
    "jina-v4-embedder": "jina-embeddings-v4-vllm-retrieval-tiny",
}
_SEEDS = {name: 31 + number for number, name in enumerate(FOLDERS)}
_PAIR = {  # how the tokenizers of the encoders join two texts
    "bge-reranker": ("<s> $A </s>", "<s> $A </s> </s> $B </s>"),
    "mxbai-reranker": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
    "siglip-embedder": ("$A </s>", "$A $B </s>"),
    "clip-embedder": ("<|startoftext|> $A <|endoftext|>", "<|startoftext|> $A $B <|endoftext|>"),
}
_SPECIALS = {
    "bge-reranker": {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"},
    "mxbai-reranker": {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"},
    "siglip-embedder": {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"},
    "clip-embedder": {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>", "unk_token": "<unk>"},
}


def make(which: str, folder: Path) -> Path:
    """Writes one checkpoint, unless it is there, and returns its folder."""
    place = folder / FOLDERS[which]
    if not (place / "made").exists():
        import torch

        place.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(_SEEDS[which])
        _MAKERS[which](place, which)
        (place / "made").touch()
    return place


def _language(vocab: int) -> dict[str, Any]:
    ids = vocabulary()
    return {
        "vocab_size": vocab, "hidden_size": HIDDEN, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "hidden_act": "silu",
        "tie_word_embeddings": True, "initializer_range": 0.15, "pad_token_id": None,
        "bos_token_id": ids["<|endoftext|>"], "eos_token_id": ids["<|im_end|>"],
    }  # fmt: skip


def _save(place: Path, model: Any, **changes: Any) -> None:
    """The model with norms and biases that differ from ones and zeros, its config.json with `changes`."""
    import torch

    with torch.no_grad():
        for name, values in model.named_parameters():
            if name.endswith("bias") or "norm" in name:
                values.add_(0.1 * torch.randn_like(values))
    model.to(torch.float32).eval().save_pretrained(place)
    if changes:
        config = json.loads((place / "config.json").read_text("utf-8"))
        _dump(place / "config.json", config | changes)


def _judge(place: Path, which: str) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    _write_tokenizer(place, appended=False, seeing=False)
    _save(place, Qwen2ForCausalLM(Qwen2Config(**_language(len(vocabulary())))))


def _nemotron(place: Path, which: str) -> None:
    from transformers import LlamaConfig, LlamaModel

    _write_tokenizer(place, appended=False, seeing=False)
    config = LlamaConfig(**_language(len(vocabulary())) | {"attention_bias": False})
    _save(place, LlamaModel(config), architectures=["LlamaBidirectionalModel"], pooling="avg")


def _qwen2_vl(place: Path, which: str) -> None:
    import torch
    from transformers import AutoConfig, Qwen2VLForConditionalGeneration

    ids = vocabulary()
    _write_tokenizer(place, appended=False, seeing=True)
    common = {
        "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2, "processor_class": "Qwen2VLProcessor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
        "image_processor_type": "Qwen2VLImageProcessor", "size": {"shortest_edge": 3136, "longest_edge": 12845056},
    }  # fmt: skip
    _dump(place / "preprocessor_config.json", common)
    (place / "video_preprocessor_config.json").unlink()
    vision = {
        "depth": 2, "embed_dim": 64, "hidden_size": HIDDEN, "num_heads": 2, "mlp_ratio": 2, "patch_size": 14,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "in_channels": 3, "initializer_range": 0.15,
    }  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 1000000, "mrope_section": [6, 5, 5], "type": "mrope"}
    config = AutoConfig.for_model(
        "qwen2_vl", text_config=_language(len(ids)) | {"rope_parameters": rope}, vision_config=vision, tie_word_embeddings=True,
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    model = Qwen2VLForConditionalGeneration(config)
    if which == "gme-embedder":
        return _save(place, model)
    from safetensors.torch import load_file, save_file

    _save(place, model, architectures=["JinaVLForRanking"])
    head = {f"score.{at}.weight": 0.3 * torch.randn(width, HIDDEN) for at, width in ((0, HIDDEN), (2, 1))}
    head |= {f"score.{at}.bias": 0.3 * torch.randn(width) for at, width in ((0, HIDDEN), (2, 1))}
    save_file({**load_file(place / "model.safetensors"), **head}, place / "model.safetensors", {"format": "pt"})
    return None


def _qwen2_5_vl(place: Path, which: str) -> None:
    from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

    ids = vocabulary()
    _write_tokenizer(place, appended=False, seeing=True)
    sizes = {"size": {"shortest_edge": 3136, "longest_edge": 602112}, "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2}
    colours = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
    kind = {"image_processor_type": "Qwen2VLImageProcessor", "processor_class": "Qwen2_5_VLProcessor"}
    _dump(place / "preprocessor_config.json", sizes | colours | kind)
    (place / "video_preprocessor_config.json").unlink()
    vision = {
        "depth": 2, "hidden_size": 64, "out_hidden_size": HIDDEN, "num_heads": 2, "intermediate_size": 128, "patch_size": 14,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "in_channels": 3, "window_size": 112, "fullatt_block_indexes": [1],
        "hidden_act": "silu", "initializer_range": 0.15,
    }  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 1000000, "mrope_section": [6, 5, 5], "type": "mrope"}
    config = AutoConfig.for_model(
        "qwen2_5_vl", text_config=_language(len(ids)) | {"rope_parameters": rope}, vision_config=vision,
        tie_word_embeddings=True, image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    _save(place, Qwen2_5_VLForConditionalGeneration(config))


def _wemm(place: Path, which: str) -> None:
    from tokenizers import AddedToken, Tokenizer
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    ids = vocabulary()
    _write_tokenizer(place, appended=False, seeing=True)
    _write_preprocessors(place)
    tokenizer = Tokenizer.from_file(str(place / "tokenizer.json"))
    tokenizer.add_special_tokens([AddedToken("<embedding>", normalized=False, special=True)])
    tokenizer.save(str(place / "tokenizer.json"))
    (place / "chat_template.jinja").write_text(VL_TEMPLATE, encoding="utf-8")
    rope = {
        "rope_type": "default", "rope_theta": 10000000, "mrope_interleaved": True, "mrope_section": [3, 3, 2],
        "partial_rotary_factor": 0.5,
    }  # fmt: skip
    text = _language(len(ids) + 1) | {
        "head_dim": 32, "rope_parameters": rope, "layer_types": ["linear_attention", "full_attention"],
        "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_num_key_heads": 1, "linear_num_value_heads": 2,
        "linear_conv_kernel_dim": 4, "partial_rotary_factor": 0.5,
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": HIDDEN, "patch_size": 16,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "in_channels": 3, "num_position_embeddings": 2304,
        "hidden_act": "gelu_pytorch_tanh", "initializer_range": 0.15,
    }  # fmt: skip
    config = Qwen3_5Config(
        text_config=text, vision_config=vision, tie_word_embeddings=True, image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"], vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    _save(place, Qwen3_5ForConditionalGeneration(config))


def _colqwen3(place: Path, which: str) -> None:
    """The Qwen3-VL of `checkpoints`, under the names of TomoroAI's weights, with a projection to 64 numbers."""
    import torch
    from safetensors.torch import load_file, save_file

    from tests.models.checkpoints import _write_weights

    _write_tokenizer(place, appended=False, seeing=True)
    _write_weights(place, "vl-embedder")
    weights = {f"vlm.{name}": values for name, values in load_file(place / "model.safetensors").items()}
    weights["embedding_proj_layer.weight"] = torch.randn(64, HIDDEN) / HIDDEN**0.5
    save_file(weights, place / "model.safetensors", {"format": "pt"})
    config = json.loads((place / "config.json").read_text("utf-8"))
    _dump(place / "config.json", config | {"model_type": "colqwen3", "architectures": ["ColQwen3"], "embed_dim": 64})


def _encoder_tokenizer(place: Path, which: str, **more: Any) -> dict[str, int]:
    """A tokenizer of letters with the special tokens of the family, and the numbers of these."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = _SPECIALS[which]
    letters = [chr(code) for code in range(33, 127)]
    parts = [*letters, *(f"##{one}" for one in letters)]
    listed = [*parts, *special.values()] if which == "clip-embedder" else [*special.values(), *parts]  # CLIP's token 0 is "!"
    words = {token: number for number, token in enumerate(listed)}
    tokenizer = Tokenizer(models.WordPiece(vocab=words, unk_token=special["unk_token"], max_input_chars_per_word=200))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece()
    single, pair = _PAIR[which]
    used = [(token, words[token]) for token in special.values() if token in single]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=used)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **special, **more).save_pretrained(place)
    return {name: words[token] for name, token in special.items()}


def _bge(place: Path, which: str) -> None:
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    ids = _encoder_tokenizer(place, which)
    config = XLMRobertaConfig(
        vocab_size=200, hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256,
        initializer_range=0.15, num_labels=1, max_position_embeddings=514, type_vocab_size=1,
        pad_token_id=ids["pad_token"], bos_token_id=ids["bos_token"], eos_token_id=ids["eos_token"],
    )  # fmt: skip
    _save(place, XLMRobertaForSequenceClassification(config))


def _deberta(place: Path, which: str) -> None:
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    ids = _encoder_tokenizer(place, which)
    config = DebertaV2Config(
        vocab_size=200, hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256,
        initializer_range=0.15, num_labels=1, max_position_embeddings=512, relative_attention=True, position_buckets=64,
        norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False,
        type_vocab_size=0, pad_token_id=ids["pad_token"],
    )  # fmt: skip
    _save(place, DebertaV2ForSequenceClassification(config))


def _towers(place: Path, which: str) -> None:
    from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

    kind = "SiglipImageProcessor" if which == "siglip-embedder" else "CLIPImageProcessor"
    ids = _encoder_tokenizer(place, which, **({"padding_side": "right"}))
    layers = {"num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256, "initializer_range": 0.15}
    text = {"vocab_size": 200, "hidden_size": HIDDEN, **layers, **ids}
    text = {key.replace("_token", "_token_id") if key.endswith("_token") else key: value for key, value in text.items()}
    vision = {"hidden_size": HIDDEN, **layers, "image_size": 64, "patch_size": 16}
    shared = {"do_resize": True, "do_rescale": True, "do_normalize": True, "rescale_factor": 1 / 255, "resample": 3}
    if which == "siglip-embedder":
        model: Any = SiglipModel(SiglipConfig(text_config=text | {"max_position_embeddings": 64}, vision_config=vision))
        sizes = {"size": {"height": 64, "width": 64}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    else:
        wide = {"projection_dim": 160}  # vLLM reads it of the towers, and takes none below the hidden size
        config = CLIPConfig(text_config=text | wide | {"max_position_embeddings": 77}, vision_config=vision | wide, **wide)
        model = CLIPModel(config)
        sizes = {"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}, "do_center_crop": True}
        sizes |= {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
    _dump(
        place / "preprocessor_config.json",
        shared | sizes | {"image_processor_type": kind, "processor_class": kind[:-14] + "Processor"},
    )
    _save(place, model)


_MAKERS = {
    "bge-reranker": _bge,
    "mxbai-reranker": _deberta,
    "mxbai-v2-reranker": _judge,
    "jina-m0-reranker": _qwen2_vl,
    "gme-embedder": _qwen2_vl,
    "wemm-embedder": _wemm,
    "nemotron-embedder": _nemotron,
    "siglip-embedder": _towers,
    "clip-embedder": _towers,
    "colqwen3-reranker": _colqwen3,
    "jina-v4-embedder": _qwen2_5_vl,
}
