"""Makes text by strangers harmless in a prompt: it stays readable and cannot be taken for part of the prompt's own structure.

Knows the markers of prompts; knows no model and renders nothing.

A tokenizer turns certain strings into single control tokens wherever they occur in a text, and a reranker takes `<Query>:` and
the like for the parts of its prompt. Each such string is changed visibly: `<|im_end|>` → `<¦im_end¦>`, `</think>` → `‹/think›`,
`<Document>:` → `‹Document›:`. Nothing is removed, so the text around it cannot join up into a new marker.

Look-alikes are left alone (`＜｜im_end｜＞`, `< |im_end| >`): the tokenizers match control tokens in the raw text, character by
character, and normalise with NFC, which maps no character to `<`, `|`, `>`, `/` or `:`.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"<\|([^\s<>|]{1,64})\|>")  # any control token of the form <|…|>
_TAG = re.compile(r"<(/?(?:think|tool_call|tool_response))>")  # the other tokens of the Qwen3 vocabulary; case-sensitive
_MARKER = re.compile(r"<(\s*(?:Instruct|Query|Document)\s*)>(\s*[:：])", re.IGNORECASE)  # the parts of a reranker's prompt
_SURROGATE = re.compile("[\ud800-\udfff]")  # lone surrogates, as in broken file names: tokenizers and JSON reject them


def neutral(text: str) -> str:
    """The text with control tokens, thinking tags, prompt markers and lone surrogates replaced, until nothing changes.

    Ordinary text and code stay as they are: only complete markers change.
    """
    while (changed := _once(text)) != text:
        text = changed
    return text


def _once(text: str) -> str:
    text = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    text = _TOKEN.sub(r"<¦\1¦>", text)
    text = _TAG.sub(r"‹\1›", text)
    return _MARKER.sub(r"‹\1›\2", text)
