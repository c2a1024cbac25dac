"""Writes folders of the small tier: both encoders with tiny random weights, exported to ONNX as the published ones are.

Knows transformers, torch and the layout of the folder; knows nothing of how the project reads it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.models import family_checkpoints

WORDS = ["a", "red", "boat", "the", "harbour", "query", "passage", "港", "口", "sea", "dog", "at", "dusk"]


def make(folder: Path) -> tuple[Path, Path, Path]:
    """Writes the tier to `folder`; returns it, and the checkpoints of the text and the image-text encoder."""
    text = _text_checkpoint(folder / "checkpoints" / "multilingual-e5-tiny")
    pictures = family_checkpoints.make("siglip-embedder", folder / "checkpoints")
    tier = folder / "small"
    _export_text(text, tier / "text")
    _export_pictures(pictures, tier / "pictures")
    return tier, text, pictures


def _text_checkpoint(place: Path) -> Path:
    """A BERT with the tokenizer of XLM-RoBERTa's kind, as multilingual-e5-small is."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(5)
    place.mkdir(parents=True)
    letters = [chr(code) for code in range(33, 127)]
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("▁", -4.0)]
    pieces += [(f"▁{word}", -5.0 - at / 9) for at, word in enumerate(WORDS)] + [(each, -8.0) for each in (*letters, *"港口的")]
    pieces = list(dict(reversed(pieces)).items())[::-1]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=ends
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
    fast.save_pretrained(place)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=512,
        initializer_range=0.2,
    )
    BertModel(config).eval().save_pretrained(place)
    return place


def _export_text(checkpoint: Path, place: Path) -> None:
    import torch
    from transformers import BertModel

    place.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(checkpoint / name, place)
    model = BertModel.from_pretrained(checkpoint, attn_implementation="eager").eval()

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state

    ids = torch.ones((2, 7), dtype=torch.int64)
    names = ("input_ids", "attention_mask", "token_type_ids")
    export(States(), (ids, ids, ids * 0), place / "model.onnx", names, "last_hidden_state", {0: "batch", 1: "length"})


def _export_pictures(checkpoint: Path, place: Path) -> None:
    import torch
    from transformers import SiglipModel

    place.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"):
        shutil.copy(checkpoint / name, place)
    model = SiglipModel.from_pretrained(checkpoint, attn_implementation="eager").eval()

    class Tower(torch.nn.Module):
        def __init__(self, tower: Any) -> None:
            super().__init__()
            self.tower = tower

        def forward(self, given: Any) -> Any:
            return self.tower(given).pooler_output

    size = model.config.vision_config.image_size
    ids, pixels = torch.ones((2, 64), dtype=torch.int64), torch.zeros((2, 3, size, size))
    export(Tower(model.text_model), (ids,), place / "text_model.onnx", ("input_ids",), "pooler_output", {0: "batch"})
    export(Tower(model.vision_model), (pixels,), place / "vision_model.onnx", ("pixel_values",), "pooler_output", {0: "batch"})


def export(module: Any, given: tuple[Any, ...], file: Path, names: tuple[str, ...], output: str, free: dict[int, str]) -> None:
    """Writes a module as ONNX, with the axes in `free` of any length."""
    import torch

    with torch.inference_mode():
        torch.onnx.export(
            module.eval(),
            given,
            str(file),
            input_names=list(names),
            output_names=[output],
            dynamic_axes=dict.fromkeys((*names, output), free),
            opset_version=17,
            dynamo=False,
        )
