"""A small HTTP server that answers as vLLM does, over a toy tokenizer, with the faults a real one has been seen with."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from rag.backends.families import FAMILIES
from rag.backends.prompts import rerank_prompt
from rag.types import Content

TOKENS = re.compile(r"<\|\w+\|>|</?think>|\n+|\d| ?\w+|[^\w\s]")
END = "<|endoftext|>"


@dataclass
class Faults:
    """What the server does wrong; as it stands, nothing."""

    family: str = "qwen3-vl-embedding"
    model: str = "Qwen/Qwen3-VL-Embedding-2B"
    root: str = ""
    dim: int = 2048
    tokenize: bool = True
    appends: bool = True  # the tokenizer appends <|endoftext|>
    hears_special: bool = True  # add_special_tokens reaches the engine in a conversation
    hears_generation: bool = True
    template: str = "once"  # once, none, twice, stripped, deaf
    seasick: int = 0  # every n-th vector or list of scores is something else
    crowd: float = 0.0  # how much the neighbours in a batch change a vector
    status: int = 200
    key: str = ""
    usage: bool = True
    older: bool = False  # only /rerank and /info, as TEI
    picture: int = 64  # tokens of a picture of 256 × 256
    pair: int = 16  # tokens of two frames of 128 × 128
    frames: int = 32  # of a video that are read; 0: videos are refused
    rate: float = 1.0  # frames a second it believes in
    newer: bool = False  # keeps the placeholder's own start and end, as transformers from 5.10 on


def tokens_of(text: str) -> list[str]:
    return TOKENS.findall(text)


def meaning(tokens: list[str], dim: int) -> np.ndarray:
    """The sum of a fixed random direction for each token: texts that share words are near."""
    total = np.zeros(dim)
    for token in tokens:
        seed = int.from_bytes(hashlib.sha256(token.strip().lower().encode()).digest()[:8], "big")
        total += np.random.default_rng(seed).normal(size=dim)
    return total / np.linalg.norm(total)


@contextmanager
def serving(faults: Faults, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The URL of a running server. `tls`: its certificate and key."""
    answered = {"count": 0}

    def vector(tokens: list[str], neighbours: int) -> list[float]:
        answered["count"] += 1
        found = meaning(tokens, faults.dim)
        if faults.seasick and answered["count"] % faults.seasick == 0:
            found = meaning([*tokens[::2], "other"], faults.dim)
        if faults.crowd and neighbours:
            found = found + faults.crowd * meaning(["neighbour"], faults.dim)
        return [float(number) for number in found / np.linalg.norm(found)]

    def with_end(text: str, special: bool) -> list[str]:
        return tokens_of(text) + ([END] if special and faults.appends else [])

    def shown(part: dict[str, Any]) -> str:
        if part["type"] == "text":
            return str(part["text"])
        if part["type"] == "video_url":
            form, _, frames = part["video_url"]["url"].partition(",")
            assert form == "data:video/jpeg;base64"
            count = min(len(frames.split(",")), faults.frames)
            pads = f"<|vision_start|>{'<|video_pad|>' * faults.pair}<|vision_end|>"
            pairs = (
                "".join(f"<{(at + 0.5) / faults.rate:.1f} seconds>{pads}" for at in range(0, count, 2)) if faults.pair else pads
            )
            return f"<|vision_start|>{pairs}<|vision_end|>" if faults.newer else pairs
        assert part["image_url"]["url"].startswith("data:image/jpeg;base64,")
        return f"<|vision_start|>{'<|image_pad|>' * faults.picture}<|vision_end|>"

    def embeddings(body: dict[str, Any]) -> dict[str, Any]:
        if "messages" in body:
            turns = [(turn["role"], "".join(map(shown, turn["content"]))) for turn in body["messages"]]
            text = "".join(f"<|im_start|>{role}\n{words}<|im_end|>\n" for role, words in turns)
            text += "<|im_start|>assistant\n" if body.get("add_generation_prompt") and faults.hears_generation else ""
            prompts = [with_end(text, bool(body.get("add_special_tokens")) and faults.hears_special)]
        else:
            prompts = [with_end(text, body.get("add_special_tokens", True)) for text in body["input"]]
        rows = [{"index": at, "embedding": vector(prompt, len(prompts) - 1)} for at, prompt in enumerate(prompts)]
        return {"model": body["model"], "data": rows[::-1], "usage": {"prompt_tokens": sum(map(len, prompts))}}

    def wrapped(query: str, document: str, told: str) -> str:
        family = FAMILIES[faults.family]
        if faults.template == "none" or not family.templated:
            return f"{query}{document}"
        told = "" if faults.template == "deaf" else told
        once = rerank_prompt(family, Content("text", query), Content("text", "DOCUMENT"), told).replace("DOCUMENT", document)
        if faults.template == "stripped":
            return once.rstrip("\n")
        return once.replace(document, once) if faults.template == "twice" else once

    def reranked(body: dict[str, Any]) -> dict[str, Any]:
        answered["count"] += 1
        documents = [one if isinstance(one, str) else "".join(map(shown, one["content"])) for one in body["documents"]]
        prompts = [tokens_of(wrapped(body["query"], text, body.get("instruction", ""))) for text in documents]
        query = meaning(tokens_of(body["query"]), 256)
        scores = [float(0.5 + 0.5 * query @ meaning(tokens_of(text), 256)) for text in documents]
        if faults.template == "none":
            scores = [0.5 + 0.01 * (score - 0.5) for score in scores]
        if faults.seasick and answered["count"] % faults.seasick == 0:
            scores = [1 - score for score in scores]
        rows = [{"index": at, "relevance_score": score} for at, score in enumerate(scores)]
        return {
            "results": sorted(rows, key=lambda row: -row["relevance_score"]),
            "usage": {"prompt_tokens": sum(map(len, prompts))},
        }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def reply(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            models = {"data": [{"id": faults.model, "root": faults.root or faults.model, "max_model_len": 8192}]}
            known: dict[str, Any] = {"/v1/models": models, "/version": {"version": "0.33.0"}, "/health": {}}
            if faults.older:
                known = {"/info": {"model_id": faults.model, "max_input_length": 512, "version": "1.8.1"}, "/health": ""}
            self.reply(200 if self.path in known else 404, known.get(self.path, {"error": "no such route"}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if faults.status != 200:
                return self.reply(faults.status, {"error": {"message": "the engine is dead"}})
            if faults.key and self.headers.get("Authorization") != f"Bearer {faults.key}":
                return self.reply(401, {"error": "Unauthorized"})
            if self.path == "/tokenize" and faults.tokenize:
                return self.reply(200, {"count": len(with_end(body["prompt"], body.get("add_special_tokens", True)))})
            reranks = faults.family.endswith("reranker")
            routes = {"/v1/rerank": reranked} if reranks else {"/v1/embeddings": embeddings}
            if faults.older:
                if self.path != "/rerank" or body["texts"] != body["documents"]:
                    return self.reply(404, "")
                rows = reranked(body)["results"]
                return self.reply(200, [{"index": row["index"], "score": row["relevance_score"]} for row in rows])
            if self.path not in routes:
                return self.reply(404, {"error": "no such route"})
            if not faults.frames and '"video_url"' in json.dumps(body):
                return self.reply(400, {"error": {"message": "At most 0 video(s) may be provided in one prompt."}})
            answer = routes[self.path](body)
            return self.reply(200, answer if faults.usage else {key: value for key, value in answer.items() if key != "usage"})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
