"""Right by definition for the other families: the published formats written out plainly, run with transformers one at a time.

Knows nothing of the project and shares no code with it: the strings below are typed from the sources that the families' files
name, not imported. Pictures are RGB, uint8, (height, width, 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

PICTURE = "<|vision_start|><|image_pad|><|vision_end|>"
Pictures = Sequence[np.ndarray]


def embed_gme(folder: Path, text: str, pictures: Pictures = (), instruction: str = "You are a helpful assistant.") -> np.ndarray:
    """gme_inference.py: the last token, which the prompt itself holds; 256 … 1,280 tokens of 28 × 28 pixels."""
    user = PICTURE * len(pictures) + text
    prompt = (
        f"<|im_start|>system\n{instruction}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n<|endoftext|>"
    )
    return _last(folder, prompt, pictures, (256 * 28 * 28, 1280 * 28 * 28))


def embed_wemm(folder: Path, text: str, pictures: Pictures = (), instruction: str = "") -> np.ndarray:
    """embedding_chat_template.jinja: one user turn and <embedding>, the last token."""
    user = PICTURE + instruction + text if pictures else "\n" + instruction + text
    return _last(folder, f"<|im_start|>user{user}<|im_end|><embedding>", pictures, None)


def embed_jina_v4(folder: Path, text: str, pictures: Pictures = ()) -> np.ndarray:
    """The model cards: the mean of all tokens of a text, or of a picture's from its start to its end, none normalised before."""
    import torch
    from transformers import AutoModel, AutoProcessor

    processor, model = AutoProcessor.from_pretrained(folder), _loaded(AutoModel, folder)
    prompt = f"<|im_start|>user\n{PICTURE}Describe the image.<|im_end|>\n" if pictures else text
    inputs = processor(text=[prompt], return_tensors="pt", **({"images": _shown(pictures)} if pictures else {}))
    with torch.inference_mode():
        states = model(**inputs).last_hidden_state[0]
    tokens = inputs["input_ids"][0].tolist()
    if pictures:
        start, end = processor.tokenizer.convert_tokens_to_ids(["<|vision_start|>", "<|vision_end|>"])
        states = states[tokens.index(start) : tokens.index(end) + 1]
    return _unit(states.mean(0).numpy())


def embed_nemotron(folder: Path, text: str) -> np.ndarray:
    """LlamaBidirectionalModel: every token attends to every other; the mean of the last states."""
    import torch
    from transformers import AutoTokenizer, LlamaModel

    tokens = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")["input_ids"]
    model = _loaded(LlamaModel, folder)
    everywhere = torch.zeros(1, 1, tokens.shape[1], tokens.shape[1])
    with torch.inference_mode():
        return _unit(model(input_ids=tokens, attention_mask=everywhere).last_hidden_state[0].mean(0).numpy())


def embed_towers(folder: Path, text: str, pictures: Pictures = ()) -> np.ndarray:
    """SigLIP, its texts padded to 64 tokens, or CLIP: the projected, pooled output of one tower."""
    import torch
    from transformers import AutoModel, AutoProcessor

    processor, model = AutoProcessor.from_pretrained(folder), _loaded(AutoModel, folder)
    padding = {"padding": "max_length", "max_length": 64} if "siglip" in folder.name else {}
    with torch.inference_mode():
        if pictures:
            found = model.get_image_features(**processor(images=_shown(pictures), return_tensors="pt"))
        else:
            tokens = processor.tokenizer([text], return_tensors="pt", **padding)
            mask = {} if padding else {"attention_mask": tokens["attention_mask"]}  # SigLIP was trained without one
            found = model.get_text_features(input_ids=tokens["input_ids"], **mask)
    return _unit(getattr(found, "pooler_output", found)[0].numpy())


def score_pair(folder: Path, query: str, document: str) -> float:
    """A cross-encoder: the tokenizer joins the pair; the sigmoid of its one logit."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    pair = AutoTokenizer.from_pretrained(folder)(query, document, return_tensors="pt")
    with torch.inference_mode():
        return float(_loaded(AutoModelForSequenceClassification, folder)(**pair).logits.sigmoid())


def score_mxbai(folder: Path, query: str, document: str, instruction: str = "") -> float:
    """mxbai_rerank_v2.py: sigmoid(logit(1) − logit(0)) at the last newline."""
    import torch
    from transformers import AutoTokenizer, Qwen2ForCausalLM

    told = f"instruction: {instruction}\n" if instruction else ""
    prompt = (
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        f"{told}query: {query}\ndocument: {document}\nYou are a search relevance expert who evaluates how well documents match "
        "search queries. For each query-document pair, carefully analyze the semantic relationship between them, then provide "
        "your binary relevance judgment (0 for not relevant, 1 for relevant).\nRelevance:<|im_end|>\n<|im_start|>assistant\n"
    )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
    with torch.inference_mode():
        logits = _loaded(Qwen2ForCausalLM, folder)(**tokens).logits[0, -1]
    return float((logits[tokenizer.convert_tokens_to_ids("1")] - logits[tokenizer.convert_tokens_to_ids("0")]).sigmoid())


def score_jina(folder: Path, query: str | np.ndarray, document: str | np.ndarray) -> float:
    """modeling.py: sigmoid(head(h) − 2.65) at the token 100; document first; 3,136 … 602,112 pixels."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoProcessor, Qwen2VLForConditionalGeneration

    said = [one if isinstance(one, str) else PICTURE for one in (document, query)]
    pictures = [one for one in (document, query) if not isinstance(one, str)]
    processor = AutoProcessor.from_pretrained(folder, size={"shortest_edge": 3136, "longest_edge": 602112})
    prompt = f"**Document**:\n{said[0]}\n**Query**:\n{said[1]}"
    inputs = processor(text=[prompt], **({"images": _shown(pictures)} if pictures else {}), return_tensors="pt")
    for name, last in (("input_ids", 100), ("attention_mask", 1), ("mm_token_type_ids", 0)):
        if name in inputs:
            inputs[name] = torch.cat([inputs[name], torch.full((1, 1), last, dtype=inputs[name].dtype)], dim=1)
    head = load_file(folder / "model.safetensors")
    with torch.inference_mode():
        state = _loaded(Qwen2VLForConditionalGeneration, folder).model(**inputs).last_hidden_state[0, -1]
        inner = torch.relu(head["score.0.weight"] @ state + head["score.0.bias"])
        return float((head["score.2.weight"] @ inner + head["score.2.bias"] - 2.65).sigmoid())


def score_late(folder: Path, query: str | np.ndarray, document: str | np.ndarray) -> float:
    """MaxSim by the query's length: texts as they are, a picture in a user turn before its task; projected, unit vectors."""
    one, other = (_tokens_of_late(folder, side) for side in (query, document))
    return max(0.0, float((one @ other.T).max(1).mean()))


def _tokens_of_late(folder: Path, side: str | np.ndarray) -> np.ndarray:
    import torch
    from safetensors.torch import load_file
    from transformers import Qwen3VLConfig, Qwen3VLModel, Qwen3VLProcessor

    weights = load_file(folder / "model.safetensors")
    config = Qwen3VLConfig.from_pretrained(folder)
    model = Qwen3VLModel._from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    inner = {name.removeprefix("vlm.model."): one for name, one in weights.items() if name.startswith("vlm.model.")}
    missing, unexpected = model.load_state_dict(inner, strict=False)
    assert not missing and not unexpected
    processor = Qwen3VLProcessor.from_pretrained(folder)
    if isinstance(side, str):
        inputs = processor.tokenizer(side, return_tensors="pt")
    else:
        prompt = f"<|im_start|>user\n{PICTURE}Describe the image.<|im_end|>\n"
        inputs = processor(text=[prompt], images=_shown([side]), return_tensors="pt")
    with torch.inference_mode():
        rows = model(**inputs).last_hidden_state[0] @ weights["embedding_proj_layer.weight"].T
    return np.asarray(torch.nn.functional.normalize(rows, dim=-1).numpy(), np.float32)


def _last(folder: Path, prompt: str, pictures: Pictures, limits: tuple[int, int] | None) -> np.ndarray:
    """The state of the last token, to unit length."""
    import torch
    from transformers import AutoModel, AutoProcessor

    sizes = {"size": {"shortest_edge": limits[0], "longest_edge": limits[1]}} if limits else {}
    processor = AutoProcessor.from_pretrained(folder, **sizes)
    shown = {"images": _shown(pictures)} if pictures else {}
    inputs = processor(text=[prompt], add_special_tokens=False, return_tensors="pt", **shown)
    with torch.inference_mode():
        return _unit(_loaded(AutoModel, folder)(**inputs).last_hidden_state[0, -1].numpy())


def _shown(pictures: Pictures) -> list[Any]:
    from PIL import Image

    return [Image.fromarray(picture) for picture in pictures]


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


@cache
def _loaded(kind: Any, folder: Path) -> Any:
    import torch

    return kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
