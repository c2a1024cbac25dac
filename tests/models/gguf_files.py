"""Turns the tiny checkpoints into GGUF, as llama.cpp's own converter writes the published models: weights, vocabulary and mmproj.

Knows nothing of the project. Keys and tensor names: `convert_hf_to_gguf.py` of llama.cpp (Qwen3, Qwen3VL) and `gguf.constants`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.models.checkpoints import ADDED, MERGES, SPECIAL, vocabulary

TYPES = {
    "F32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "F16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "Q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}


def convert(folder: Path, place: Path, kind: str = "F32", *, appends: bool | None = None) -> Path:
    """Writes `NAME-KIND.gguf` and, for a model that sees, `mmproj-NAME-F32.gguf` into `place`; returns the model's file.

    `appends`: whether the vocabulary appends <|endoftext|>; None: as the published embedders do, and the rerankers do not.
    """
    from safetensors.numpy import load_file

    place.mkdir(parents=True, exist_ok=True)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    tensors = load_file(folder / "model.safetensors")
    file = place / f"{folder.name}-{kind}.gguf"
    sees = "vision_config" in config
    _write_text(
        file, config.get("text_config", config), config, tensors, kind, "Embedding" in folder.name if appends is None else appends
    )
    if sees:
        _write_vision(place / f"mmproj-{folder.name}-F32.gguf", config, tensors)
    return file


def _write_text(
    file: Path, text: dict[str, Any], config: dict[str, Any], tensors: dict[str, np.ndarray], kind: str, appends: bool
) -> None:
    sees = "vision_config" in config
    arch = gguf.MODEL_ARCH.QWEN3VL if sees else gguf.MODEL_ARCH.QWEN3
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[arch])
    writer.add_name(file.stem)
    writer.add_file_type(TYPES[kind][1])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(text["num_hidden_layers"])
    writer.add_context_length(text["max_position_embeddings"])
    writer.add_embedding_length(text["hidden_size"])
    writer.add_feed_forward_length(text["intermediate_size"])
    writer.add_head_count(text["num_attention_heads"])
    writer.add_head_count_kv(text["num_key_value_heads"])
    writer.add_key_length(text["head_dim"])
    writer.add_value_length(text["head_dim"])
    writer.add_layer_norm_rms_eps(text["rms_norm_eps"])
    writer.add_rope_freq_base(float(text["rope_parameters"]["rope_theta"]))
    if sees:
        writer.add_rope_dimension_sections([*text["rope_parameters"]["mrope_section"], 0])
        writer.add_num_deepstack_layers(len(config["vision_config"]["deepstack_visual_indexes"]))
    _add_vocabulary(writer, appends)
    names = gguf.get_tensor_name_map(arch, text["num_hidden_layers"])
    for name, values in tensors.items():
        if ".visual." in name or name == "lm_head.weight":
            continue
        plain = name.replace("model.language_model.", "model.")
        stem, _, suffix = plain.rpartition(".")
        _add(writer, f"{names.get_name(stem)}.{suffix}", values, kind)
    _close(writer)


def _add_vocabulary(writer: gguf.GGUFWriter, appends: bool) -> None:
    ids = vocabulary()
    kinds = [
        gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.USER_DEFINED if token in ADDED else gguf.TokenType.NORMAL
        for token in ids
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(list(ids))
    writer.add_token_types(kinds)
    writer.add_token_merges(list(MERGES))
    writer.add_eos_token_id(ids["<|endoftext|>" if appends else "<|im_end|>"])
    writer.add_pad_token_id(ids["<|endoftext|>"])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(appends)


def _write_vision(file: Path, config: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
    vision = config["vision_config"]
    writer = gguf.GGUFWriter(file, "clip")
    writer.add_type(gguf.GGUFType.MMPROJ)
    writer.add_file_type(TYPES["F32"][1])
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.QWEN3VL)
    writer.add_vision_projection_dim(vision["out_hidden_size"])
    writer.add_vision_image_size(int(vision["num_position_embeddings"] ** 0.5) * vision["patch_size"])
    writer.add_vision_patch_size(vision["patch_size"])
    writer.add_vision_embedding_length(vision["hidden_size"])
    writer.add_vision_feed_forward_length(vision["intermediate_size"])
    writer.add_vision_block_count(vision["depth"])
    writer.add_vision_head_count(vision["num_heads"])
    writer.add_vision_image_mean([0.5, 0.5, 0.5])
    writer.add_vision_image_std([0.5, 0.5, 0.5])
    writer.add_vision_use_gelu(True)
    writer.add_vision_spatial_merge_size(vision["spatial_merge_size"])
    writer.add_vision_attention_layernorm_eps(1e-6)
    deep = vision["deepstack_visual_indexes"]
    writer.add_vision_is_deepstack_layers([layer in deep for layer in range(vision["depth"])])
    for name, values in tensors.items():
        if ".visual." in name:
            for new, part in _of_vision(name.split(".visual.", 1)[1], values, vision["depth"], deep):
                _add(writer, new, part, "F32")
    _close(writer)


def _of_vision(name: str, values: np.ndarray, depth: int, deep: list[int]) -> Iterator[tuple[str, np.ndarray]]:
    stem, _, suffix = name.rpartition(".")
    if name == "patch_embed.proj.weight":  # a convolution over two frames becomes one for each
        yield "v.patch_embd.weight", values[:, :, 0]
        yield "v.patch_embd.weight.1", values[:, :, 1]
    elif stem.startswith("deepstack_merger_list."):
        _, at, part = stem.split(".")
        yield f"v.deepstack.{deep[int(at)]}.{part.replace('linear_', '')}.{suffix}", values
    elif stem.startswith("merger."):
        new = {"merger.norm": "v.post_ln", "merger.linear_fc1": "mm.0", "merger.linear_fc2": "mm.2"}[stem]
        yield f"{new}.{suffix}", values
    else:
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.MMPROJ, depth)
        yield f"{names.get_name(f'visual.{stem}')}.{suffix}", values


def _add(writer: gguf.GGUFWriter, name: str, values: np.ndarray, kind: str) -> None:
    quantised = values.ndim == 2 and kind != "F32" and "norm" not in name and "pos_embd" not in name
    form = TYPES[kind][0] if quantised else gguf.GGMLQuantizationType.F32
    values = np.ascontiguousarray(values, np.float32)
    writer.add_tensor(name, gguf.quants.quantize(values, form), raw_dtype=form)


def _close(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
