"""What a person reads of a message: of several renderings of one thing the one that holds more, and a list's footer apart.

Knows MIME parts; knows no header of a message and reads no attachment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from rag.errors import UnreadableDocument
from rag.loaders.text.encoding import decoded
from rag.loaders.text.html import rendered as html_rendered

FOOTER = "Mailing list footer"
_COVERED = 0.95  # share of the words of another rendering at which one says all that the other does
_SAME = 0.5  # share of the words of a line that stand in the rendering chosen: below, it says something of its own
_LINE_WORDS = 3  # different words; a shorter line says too little to tell
_STUB_WORDS = 60  # different words
_MAX_DEPTH = 30  # parts in parts
_MAX_FOOTER = 2_000  # characters
_UNSPACED = (
    "\u0e00-\u0eff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7a3"  # scripts whose words are not told apart: each character counts
)
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W{_UNSPACED}]+")
_STUB = re.compile(  # what those who cannot see a message are told, in any language
    r"html|\bMIME\b|browser|navigateur|navegador|浏览器|瀏覽器|ブラウザ|브라우저|браузер|messagerie|cliente de correo"
    r"|mailprogramm|e?-?mail[- ](?:client|program|reader|software|app)"
    r"|(?:view|see|read) (?:it|this (?:e-?mail|message|newsletter)) (?:online|here)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\S*://\S*|\S+@\S+")  # plain text spells out what a person sees as a link
_MARKUP = re.compile(r"\s*(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE)
_RULE = re.compile(r"^[ \t>]*(?:_{10,}|-{10,}|={10,}|~{10,}|-- ?)[ \t]*$", re.MULTILINE)
_OF_A_LIST = re.compile(
    r"unsubscribe|mailing[- ]list|listinfo|-leave@|-unsubscribe@|/lists?/|groups\.google|you (?:are )?receiv\w+ this"
    r"|se désabonner|désinscri|abbestellen|abmelden|cancelar (?:la )?suscripción|退订|отписаться",
    re.IGNORECASE,
)


def blocks_of(message: Message) -> tuple[list[str], str]:
    """The texts of a message in order, without attachments, and what a mailing list wrote below it, "" where it wrote nothing.

    RecursionError where its parts are nested too deeply.
    """
    parted = [_without_footer(block) for block in _blocks(message, 0)]
    return [text for text, _ in parted if text.strip()], "\n\n".join(footer for _, footer in parted if footer)


def _without_footer(text: str) -> tuple[str, str]:
    for rule in reversed([*_RULE.finditer(text, max(0, len(text) - _MAX_FOOTER))]):
        if _OF_A_LIST.search(text, rule.end()):
            return text[: rule.start()], text[rule.start() :].strip()
    return text, ""


def filename(part: Message) -> str:
    """The name an attached file has; "" for a part that is none."""
    return part.get_filename() or ""


def text_of(part: Message) -> str:
    """The text of a part in its own encoding; "" where it holds none: one broken part does not lose the rest of a message."""
    payload = part.get_payload(decode=True)
    try:
        return decoded(payload, declared=part.get_content_charset() or "") if isinstance(payload, bytes) else ""
    except UnreadableDocument:
        return ""


def _blocks(part: Message, depth: int) -> Iterator[str]:
    kind = part.get_content_type()
    if depth > _MAX_DEPTH or kind == "message/rfc822":
        return
    if part.is_multipart():
        parts = [one for one in part.get_payload() if isinstance(one, Message)]
        if kind == "multipart/alternative":
            yield from _fullest([list(_blocks(one, depth + 1)) for one in parts])
        else:
            for one in parts:
                yield from _blocks(one, depth + 1)
    elif filename(part) or part.get_content_disposition() == "attachment":
        return
    elif kind in ("text/plain", "text/html"):
        text = text_of(part)
        yield _seen(text) if kind == "text/html" or _MARKUP.match(text) else text


def _seen(markup: str) -> str:
    try:
        return html_rendered(markup).text if markup else ""
    except UnreadableDocument:
        return ""


def _fullest(renderings: list[list[str]]) -> list[str]:
    """Of renderings of one thing, simplest first, the first that holds nearly all the words of every other one.

    Where none does, the one with the most words, and after it the lines of others that say something else.
    """
    words = [_words("\n".join(blocks)) for blocks in renderings]
    said = [at for at, own in enumerate(words) if own]
    told = [at for at in said if not _is_stub(renderings[at], words[at])]
    candidates = told if len(said) > 1 and told else said
    for at in candidates:
        if all(len(words[at] & words[other]) >= _COVERED * len(words[other]) for other in candidates):
            return renderings[at]
    chosen: list[str] = []
    held: set[str] = set()
    for at in sorted(candidates, key=lambda at: -len(words[at])):
        lines = [line for block in renderings[at] for line in block.split("\n") if _says_more(line, held)]
        chosen += ["\n".join(lines)] if held else renderings[at]
        held |= words[at]
    return chosen


def _is_stub(blocks: list[str], own: set[str]) -> bool:
    """Whether a rendering only says that another one is to be read."""
    return len(own) <= _STUB_WORDS and bool(_STUB.search("\n".join(blocks)[:2_000]))


def _says_more(line: str, held: set[str]) -> bool:
    own = _words(line)
    return len(own) >= _LINE_WORDS and len(own & held) < _SAME * len(own)


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(_ADDRESS.sub(" ", text))}
