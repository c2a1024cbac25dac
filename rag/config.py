"""Settings: flags > RAG_* > rag.toml > defaults, one frozen object; unknown keys are refused.

Knows names, types and bounds of the settings; knows nothing of what they do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rag.errors import WrongSetting
from rag.types import Clue

FILE = "rag.toml"
OWN_VARIABLES = frozenset({"RAG_CONFIG"})  # names the settings file; not a setting itself


def parse_bytes(value: Any) -> Any:
    """Bytes from what a person writes: `8G`, `500 MB`, `2GiB`, `1_000`. ValueError for a text that is no such size.

    K, M, G and T are powers of 1000, Ki, Mi, Gi and Ti of 1024.
    """
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([\d_.]+)\s*([KMGT]?)(i?)B?\s*", value, re.IGNORECASE)
    try:
        number, letter, binary = match.groups() if match else ("", "", "")
        return int(float(number) * (1024 if binary else 1000) ** ("KMGT".find(letter.upper()) + 1 if letter else 0))
    except (ValueError, OverflowError):
        raise ValueError("Input should be a size such as 8G or 500M") from None


Bytes = Annotated[int, BeforeValidator(parse_bytes)]


class Settings(BaseSettings):
    """Every setting, its default and its meaning. `rag config` prints where each value comes from."""

    model_config = SettingsConfigDict(env_prefix="RAG_", extra="forbid", frozen=True)

    index: str = Field("", description="Name or folder of the index; empty: the nearest indexes/default upward.")
    backend: str = Field("auto", description="Where the embedder runs: auto, lite, server, vllm, transformers, or module:Class.")
    model: str = Field("", description="Which embedding model: a name, or a local folder.")
    family: str = Field("", description="How the model is fed, where its name does not tell.")
    url: Annotated[tuple[str, ...], NoDecode] = Field((), description="Endpoints that serve the embedder.")
    dim: int = Field(0, ge=0, le=16_384, description="Shorter vectors, for models made for it; 0: the model's own length.")
    query_instruction: str = Field("", description="What the embedder is told about a query; empty: the model's own.")
    document_instruction: str = Field("", description="What the embedder is told about a document; empty: the model's own.")
    reranker: str = Field(
        "auto", description="Where the reranker runs: auto, none, lite, server, vllm, transformers, module:Class."
    )
    reranker_model: str = Field("", description="Which reranking model: a name, or a local folder.")
    reranker_family: str = Field("", description="How the reranker is fed, where its name does not tell.")
    reranker_url: Annotated[tuple[str, ...], NoDecode] = Field((), description="Endpoints that serve the reranker.")
    rerank_instruction: str = Field("", description="What the reranker is told; empty: the model's own.")
    blend: Literal["auto", "never"] | Annotated[float, Field(ge=0, le=1)] = Field(
        "auto", description="Share of the rerank score in the final one; auto: all, but for kinds a model is known to hurt."
    )
    api_key: str = Field("", repr=False, description="The key endpoints ask for.")
    ca_bundle: str = Field("", description="A file of certificates to trust.")
    in_flight: int = Field(8, ge=1, le=1_024, description="Requests at once for each endpoint.")
    timeout: float = Field(120.0, gt=0, description="Seconds one request may take.")
    top_k: int = Field(10, ge=1, le=1_000, description="How many hits a query returns.")
    candidates: int = Field(100, ge=1, le=10_000, description="How many candidates of the first stages reach the reranker.")
    search: str = Field("auto", description="How vectors are searched: auto, exact, coarse, ivf, or module:Class.")
    min_score: float = Field(0.0, ge=0.0, le=1.0, description="Hits below this score are not shown.")
    fold_from: float = Field(
        0.97, ge=0.0, le=1.0, description="Cosine from which on two results that say the same are one hit; 1: exact copies alone."
    )
    good_from: Literal["auto"] | Annotated[float, Field(ge=0, le=1)] = Field(
        "auto",
        description="Rerank score below which no hit is a good match; auto: 0.25 of lite, 0.3 of others.",
    )
    ocr: Literal["auto", "always", "never"] = Field(
        "auto", description="Reading text in pictures. auto: wherever a picture has no words of its own."
    )
    clues: Annotated[tuple[Clue, ...], NoDecode] = Field(
        ("ocr", "caption", "path", "date"), description="What is known about a picture beside its pixels, and is indexed."
    )
    passage_characters: int = Field(1_200, ge=100, le=6_000, description="A text passage is at most this long.")
    frame_seconds: float = Field(4.0, ge=0.1, le=3_600, description="At most one frame in this many seconds of video.")
    frames: Literal["keyframes", "uniform"] = Field(
        "keyframes", description="Which frames: the nearest keyframes (fast), or evenly spaced moments."
    )
    max_pixels: int = Field(1_310_720, ge=4_096, description="Pictures are decoded down to this many pixels.")
    max_source_pixels: int = Field(100_000_000, ge=4_096, description="A picture with more pixels is skipped.")
    max_file_bytes: Bytes = Field(2_000_000_000, ge=1, description="A larger file is skipped.")
    max_text_bytes: Bytes = Field(50_000_000, ge=1, description="A larger text file is skipped.")
    max_pages: int = Field(5_000, ge=1, description="A PDF with more pages is skipped.")
    jobs: Literal["auto"] | Annotated[int, Field(ge=0, le=1_024)] = Field(
        "auto",
        description="Processes that read files; auto: one for each processor; 0: read in the one that writes.",
    )
    max_memory: Bytes = Field(0, ge=0, description="Memory indexing may use, in bytes or as 8G; 0: 3 GB for each reader.")
    commit_seconds: float = Field(5.0, ge=0.1, le=3_600, description="A running `rag index` commits this often.")
    server: str = Field(
        "auto",
        description="Who answers `rag query`: the address of a `rag ui`; auto: one found on this machine; none: this process.",
    )
    token: str = Field("", repr=False, description="The key `rag ui` asks everybody for, and `rag query --server` sends.")

    @field_validator("clues", "url", "reranker_url", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, file; no .env and no secrets folder."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=settings_file())


def settings_file() -> Path | None:
    """The file settings are read from: $RAG_CONFIG, else the nearest rag.toml from here upward.

    WrongSetting where RAG_CONFIG names no file.
    """
    named = os.environ.get("RAG_CONFIG")
    if named:
        if not Path(named).is_file():
            raise WrongSetting(f"RAG_CONFIG names {named}, which is not a file", remedy="correct it, or unset RAG_CONFIG")
        return Path(named)
    here = Path.cwd()
    return next((folder / FILE for folder in (here, *here.parents) if (folder / FILE).is_file()), None)


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings of this run; flags that are None were not given. WrongSetting says which key, where, and why."""
    import tomllib

    given = {key: value for key, value in flags.items() if value is not None}
    _refuse_unknown_variables()
    try:
        return Settings(**given)
    except ValidationError as error:
        first, *others = error.errors()
        key = str(first["loc"][0]) if first["loc"] else "?"
        known = ", ".join(sorted(Settings.model_fields))
        remedy = f"the settings are: {known}" if first["type"] == "extra_forbidden" else "correct it; `rag config` lists all"
        said = " or ".join(_plain(one["msg"]) for one in (first, *others) if one["loc"][:1] == first["loc"][:1])
        message = "is no setting" if first["type"] == "extra_forbidden" else f"should be {said} (given: {first['input']!r})"
        where = origin(key, given)
        named = where if where.startswith(("--", "RAG_")) else f"{where}: {key}"
        raise WrongSetting(f"{named}: {message}", remedy=remedy) from error
    except tomllib.TOMLDecodeError as error:
        raise WrongSetting(f"{settings_file()}: is not TOML: {error}", remedy="correct the line it names") from error
    except UnicodeDecodeError as error:
        raise WrongSetting(f"{settings_file()}: is not UTF-8", remedy="write it anew as UTF-8 text") from error
    except OSError as error:
        raise WrongSetting(f"{settings_file()}: cannot be opened: {error.strerror}", remedy="make it readable") from error


def _plain(message: str) -> str:
    """What a value should be, in Pydantic's words, without those around them."""
    return message.removeprefix("Value error, ").removeprefix("Input should be ").partition(", unable to parse")[0]


def origin(key: str, flags: Mapping[str, Any]) -> str:
    """Where the value of `key` comes from: a flag, a variable, the file, or the default."""
    import tomllib

    if flags.get(key) is not None:
        return f"--{key.replace('_', '-')}"
    if f"RAG_{key.upper()}" in os.environ:
        return f"RAG_{key.upper()}"
    file = settings_file()
    if file is not None and key in tomllib.loads(file.read_text("utf-8")):
        return str(file)
    return "default"


def _refuse_unknown_variables() -> None:
    for name in os.environ:
        if name.startswith("RAG_") and name not in OWN_VARIABLES and name[4:].lower() not in Settings.model_fields:
            raise WrongSetting(
                f"environment: {name} is no setting",
                remedy="unset it; the settings are: " + ", ".join(f"RAG_{key.upper()}" for key in Settings.model_fields),
            )
