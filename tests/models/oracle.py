"""Right by definition: the models' published formats written out plainly, run with transformers one input at a time.

Knows nothing of the project and shares no code with it: the strings below are typed from the model cards, not imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"
VIDEO = "<|vision_start|><|video_pad|><|vision_end|>"
JUDGE = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".<|im_end|>\n'
)
Frames = Sequence[np.ndarray]  # RGB, uint8, (height, width, 3), one a second


def embed_vl(folder: Path, instruction: str, text: str = "", images: Frames = (), video: Frames = (), dim: int = 0) -> np.ndarray:
    """Qwen3-VL-Embedding: videos, images, text in the user turn; the trailing <|endoftext|> pooled; float32, unit length."""
    seen = (VIDEO if len(video) else "") + IMAGE * len(images)
    user = seen + text or "NULL"
    prompt = (
        f"<|im_start|>system\n{instruction}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n<|endoftext|>"
    )
    model = _seeing(folder)
    return _pooled(model.model(**_inputs(folder, prompt, images, video)).last_hidden_state, dim)


def embed_text(folder: Path, prompt: str, dim: int = 0) -> np.ndarray:
    """Qwen3-Embedding: `Instruct: {task}\\nQuery:{query}` or a bare document, and <|endoftext|>; float32, unit length."""
    model = _reading(folder)
    return _pooled(model.model(**_inputs(folder, prompt + "<|endoftext|>")).last_hidden_state, dim)


def score_vl(folder: Path, instruction: str, query: str, document: str, images: Frames = (), video: Frames = ()) -> float:
    """Qwen3-VL-Reranker: sigmoid(yes − no). Query and document hold the picture markers where their pictures stand."""
    pair = f"<Instruct>: {instruction}<Query>:{query}\n<Document>:{document}"
    prompt = f"{JUDGE}<|im_start|>user\n{pair}<|im_end|>\n<|im_start|>assistant\n"
    return _judged(folder, _seeing(folder)(**_inputs(folder, prompt, images, video)).logits)


def score_text(folder: Path, instruction: str, query: str, document: str) -> float:
    """Qwen3-Reranker: sigmoid(yes − no), with its empty think block."""
    prompt = (
        f"{JUDGE}<|im_start|>user\n<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    return _judged(folder, _reading(folder)(**_inputs(folder, prompt)).logits)


def _pooled(hidden: Any, dim: int) -> np.ndarray:
    vector = hidden[0, -1].numpy()[: dim or None]
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def _judged(folder: Path, logits: Any) -> float:
    tokenizer = _processor(folder)[0]
    yes, no = tokenizer.convert_tokens_to_ids("yes"), tokenizer.convert_tokens_to_ids("no")
    return float((logits[0, -1, yes] - logits[0, -1, no]).sigmoid())


def _inputs(folder: Path, prompt: str, images: Frames = (), video: Frames = ()) -> Any:
    tokenizer, processor = _processor(folder)
    if processor is None:
        return tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
    more: dict[str, Any] = {}
    if len(images):
        from PIL import Image

        more["images"] = [Image.fromarray(image) for image in images]
    if len(video):
        count = len(video)
        times = {"fps": 1.0, "total_num_frames": count, "duration": float(count), "frames_indices": list(range(count))}
        more |= {"videos": [np.stack(video)], "video_metadata": [times], "do_sample_frames": False}
    return processor(text=[prompt], add_special_tokens=False, return_tensors="pt", **more)


@cache
def _processor(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoProcessor, AutoTokenizer

    seeing = (folder / "preprocessor_config.json").exists()
    return AutoTokenizer.from_pretrained(folder), AutoProcessor.from_pretrained(folder) if seeing else None


@cache
def _seeing(folder: Path) -> Any:
    import torch
    from transformers import Qwen3VLForConditionalGeneration

    torch.set_grad_enabled(False)
    return Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@cache
def _reading(folder: Path) -> Any:
    import torch
    from transformers import Qwen3ForCausalLM

    torch.set_grad_enabled(False)
    return Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
