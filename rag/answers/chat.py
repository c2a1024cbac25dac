"""A chat model behind an address: which one it is, how much it reads, whether it sees, and its answers as they arrive.

Knows OpenAI's /v1/chat/completions and what vLLM and llama-server add to it; knows no prompt, no file and no index.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from rag.backends.base import Choice
from rag.backends.media import image_url
from rag.backends.server.client import Endpoints, RetryPolicy
from rag.backends.server.event_stream import EventStream
from rag.backends.server.exchange import HttpRefusal, HttpResponse
from rag.backends.server.responses import ModelCard, cards_of
from rag.backends.server.sanitize import shown
from rag.errors import BackendError, TooLarge

CHAT, MODELS, TOKENIZE, PROPS = "/v1/chat/completions", "/v1/models", "/tokenize", "/props"
KEY_REMEDY = "set the key that the chat server expects: RAG_ANSWER_KEY"
MODEL_REMEDY = "name the model that is served there: RAG_ANSWER_MODEL"
PATIENCE = RetryPolicy(total=20.0, unreachable=2.0)  # a person waits
CHARACTERS_A_TOKEN = 24  # an answer with more of them for each token it may have comes from a server that does not stop
EVENTS_A_TOKEN = 4
ROLES = (None, "", "assistant")

Turns = Sequence[Mapping[str, Any]]


class ChatModel:
    """One chat model. Safe to share between threads; what it finds out about its server, it asks once."""

    def __init__(self, choice: Choice, context: int = 0, policy: RetryPolicy = PATIENCE) -> None:
        """Asks the server what it serves. `context`: tokens of prompt and answer together; 0: asked of the server.

        WrongSetting for an invalid address or key; BackendError if it does not answer, or serves another model, or several and
        none is named.
        """
        self._endpoints = Endpoints(choice, policy)
        card = self._card(choice.model)
        self.name = card.id
        self.url = self._endpoints.urls[0]
        self.context = context or card.max_tokens or self._slot()
        self._counts = True
        self._sees: bool | None = None
        self._probing = threading.Lock()

    def count(self, texts: Sequence[str]) -> list[int] | None:
        """The tokens of each text, without those that start or end a prompt; None if the server does not count."""
        bodies = [partial(self._tokenizing, text) for text in texts]
        answers = self._endpoints.ask_all(TOKENIZE, bodies) if self._counts and bodies else []
        counts = [_counted(answer) for answer in answers]
        if len(counts) < len(texts) or None in counts:
            self._counts = False
            return None
        return [count for count in counts if count is not None]

    def count_turns(self, turns: Turns) -> int | None:
        """The tokens of a conversation of texts, as the model's own chat template renders it; None if the server does not say."""
        if not self._counts:
            return None
        try:
            answer = self._endpoints.ask(TOKENIZE, {"model": self.name, "messages": turns, "add_generation_prompt": True})
        except HttpRefusal:
            return None
        return _counted(answer)

    def sees(self) -> bool:
        """Whether a picture reaches the model: with one, a prompt has more tokens. Asked once, with two requests of one token."""
        with self._probing:
            if self._sees is None:
                self._sees = self._probe()
            return self._sees

    def stream(self, turns: Turns, most: int) -> ChatStream:
        """The answer to a conversation, of at most `most` tokens. BackendError; TooLarge if the server says so."""
        body = self._body(turns, most) | {"stream": True, "stream_options": {"include_usage": True}}
        try:
            return ChatStream(self._endpoints.stream(CHAT, body), most)
        except HttpRefusal as refused:
            raise _told(refused) from refused

    def ask(self, turns: Turns, most: int) -> tuple[str, int]:
        """The whole answer to a conversation, and the tokens of its prompt (0: not told). BackendError."""
        try:
            answer = self._endpoints.ask(CHAT, self._body(turns, most))
        except HttpRefusal as refused:
            raise _told(refused) from refused
        message = _choice(answer.content, answer.place).get("message")
        text = message.get("content") if isinstance(message, Mapping) else None
        return text if isinstance(text, str) else "", _usage(answer.content).get("prompt_tokens", 0)

    def _body(self, turns: Turns, most: int) -> dict[str, Any]:
        return {"model": self.name, "messages": list(turns), "max_tokens": most, "temperature": 0}

    def _tokenizing(self, text: str) -> dict[str, Any]:
        """For vLLM (`prompt`) and llama-server (`content`)."""
        return {"model": self.name, "prompt": text, "content": text, "add_special_tokens": False, "add_special": False}

    def _card(self, named: str) -> ModelCard:
        try:
            answer = self._endpoints.ask(MODELS)
        except HttpRefusal as refused:
            if refused.status in (404, 405) and named:
                return ModelCard(named, "")
            raise _told(refused) from refused
        cards = cards_of(answer)
        served = shown(", ".join(card.id for card in cards))
        if not named and len(cards) > 1:
            raise BackendError(f"{answer.place} serves {len(cards)} models: {served}", remedy=MODEL_REMEDY)
        found = next((card for card in cards if named in ("", card.id)), None)
        found = found or next((card for card in cards if card.root == named), None)
        if found is None:
            raise BackendError(f"{answer.place} serves {served}, not {named}", remedy=MODEL_REMEDY)
        return found

    def _slot(self) -> int:
        """The context of a slot of llama-server; 0 for other servers."""
        try:
            content = self._endpoints.ask(PROPS).content
        except BackendError:
            return 0
        settings = content.get("default_generation_settings") if isinstance(content, Mapping) else None
        length = settings.get("n_ctx") if isinstance(settings, Mapping) else None
        return length if isinstance(length, int) and length > 0 else 0

    def _probe(self) -> bool:
        text = {"type": "text", "text": "1"}
        picture = {"type": "image_url", "image_url": {"url": image_url(_grey())}}
        bodies = [self._body([{"role": "user", "content": parts}], 1) for parts in ([text], [picture, text])]
        plain, seeing = self._endpoints.ask_all(CHAT, [partial(dict, body) for body in bodies])
        if isinstance(plain, HttpRefusal):
            raise _told(plain)
        if isinstance(seeing, HttpRefusal):
            return False
        without, with_it = (_usage(one.content).get("prompt_tokens", 0) for one in (plain, seeing))
        return with_it > without + 1 or not with_it  # a server that counts nothing is believed


class ChatStream:
    """An answer as it arrives. For one thread, except `abort`."""

    def __init__(self, events: EventStream, most: int) -> None:
        self.usage: Mapping[str, int] = {}  # prompt_tokens, completion_tokens: at the end, if the server tells
        self.finish = ""  # why it ended: "stop", or "length" if it was cut off
        self._events, self._most = events, most

    def __iter__(self) -> Iterator[str]:
        """The pieces of the answer. BackendError if it breaks off, comes in another role, or does not end."""
        written = 0
        for number, event in enumerate(self._events, start=1):
            piece = self._piece(event)
            written += len(piece)
            if written > CHARACTERS_A_TOKEN * self._most or number > EVENTS_A_TOKEN * self._most + 100:
                self.abort()
                raise BackendError(
                    f"{self._events.place} does not stop: {written} characters, and at most {self._most} tokens were asked for",
                    remedy="use a server that obeys max_tokens",
                )
            if piece:
                yield piece
        if not self._events.is_complete and not self.finish and not self._events.is_aborted:
            what = f"{self._events.place} ended the answer without saying that it is complete"
            raise BackendError(what, remedy="look at the server's log, and ask again")

    def abort(self) -> None:
        """Stops the answer, from any thread; the server stops generating when it notices."""
        self._events.abort()

    def _piece(self, event: Any) -> str:
        place = self._events.place
        if isinstance(event, Mapping) and event.get("error"):
            error = event["error"]
            said = error.get("message", error) if isinstance(error, Mapping) else error
            raise BackendError(f"{place} failed in the middle of an answer: {shown(str(said))}", "its log says more; ask again")
        self.usage = _usage(event) or self.usage
        if isinstance(event, Mapping) and event.get("choices") == []:
            return ""
        choice = _choice(event, place)
        delta = choice.get("delta")
        if isinstance(choice.get("finish_reason"), str):
            self.finish = choice["finish_reason"]
        if not isinstance(delta, Mapping):
            return ""
        if delta.get("role") not in ROLES:
            role = shown(str(delta["role"]))
            raise BackendError(f"{place} answers in the role {role!r}, not as the assistant", "check its chat template")
        content = delta.get("content")
        if content is not None and not isinstance(content, str):
            raise BackendError(f"{place} sent {shown(str(content))} as a piece of an answer", "check that it is a chat model")
        return content or ""


def _choice(content: Any, place: str) -> Mapping[str, Any]:
    choices = content.get("choices") if isinstance(content, Mapping) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        said = shown(str(content))
        raise BackendError(f"{place} answered without choices: {said}", "check that this is the address of a chat model")
    return choices[0]


def _usage(content: Any) -> dict[str, int]:
    usage = content.get("usage") if isinstance(content, Mapping) else None
    if not isinstance(usage, Mapping):
        return {}
    return {key: usage[key] for key in ("prompt_tokens", "completion_tokens") if isinstance(usage.get(key), int)}


def _counted(answer: HttpResponse | HttpRefusal) -> int | None:
    content = answer.content if isinstance(answer, HttpResponse) else None
    if not isinstance(content, Mapping):
        return None
    if isinstance(content.get("tokens"), list):
        return len(content["tokens"])
    return content["count"] if isinstance(content.get("count"), int) else None


def _told(refused: HttpRefusal) -> BackendError | TooLarge:
    """The refusal with what helps here."""
    if refused.status in (401, 403):
        return BackendError(refused.what, remedy=KEY_REMEDY)
    if refused.status == 404:
        return BackendError(refused.what, remedy="check RAG_ANSWER_URL and RAG_ANSWER_MODEL; `rag doctor` checks them")
    if "context" in refused.message.lower() and refused.status in (400, 413, 422):
        remedy = "set RAG_ANSWER_CONTEXT to the model's context length, or ask for less evidence: RAG_EVIDENCE_TOKENS"
        return TooLarge(refused.what, remedy=remedy)
    return BackendError(refused.what, remedy=refused.remedy)


def _grey() -> Any:
    """A grey picture, RGB uint8 (64, 64, 3), that no working server refuses."""
    import numpy as np

    return np.full((64, 64, 3), 128, np.uint8)
