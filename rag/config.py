"""Settings: flags > RAG_* > rag.toml > defaults, in one frozen object; unknown keys are refused.

Knows names, types and bounds of the settings; does not know what they do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rag.errors import WrongSetting
from rag.limits import Limits
from rag.types import Clue

FILE = "rag.toml"
LIMITS = Limits()  # their defaults
OWN_VARIABLES = frozenset({"RAG_CONFIG"})  # names the settings file; not a setting itself


def parse_bytes(value: Any) -> Any:
    """The number of bytes in `8G`, `500 MB`, `2GiB` or `1_000`. ValueError for text that is not a size; numbers pass unchanged.

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

    index: str = Field("", description="Name or folder of the index; empty: the nearest indexes/default, here or above.")
    backend: str = Field(
        "auto", description="Where the embedder runs: auto, lite, small, server, vllm, transformers, or module:Class."
    )
    model: str = Field("", description="Which embedding model: a name, or a local folder.")
    family: str = Field("", description="Model family (prompts and limits), where the name does not tell.")
    url: Annotated[tuple[str, ...], NoDecode] = Field((), description="Endpoints that serve the embedder.")
    dim: int = Field(0, ge=0, le=16_384, description="Vector length, for models that can shorten vectors; 0: the model's own.")
    query_instruction: str = Field("", description="Instruction to the embedder for queries; empty: the model's own.")
    document_instruction: str = Field("", description="Instruction to the embedder for documents; empty: the model's own.")
    reranker: str = Field(
        "auto", description="Where the reranker runs: auto, none, lite, server, vllm, transformers, module:Class."
    )
    reranker_model: str = Field("", description="Which reranking model: a name, or a local folder.")
    reranker_family: str = Field("", description="Reranker family (prompts and limits), where the name does not tell.")
    reranker_url: Annotated[tuple[str, ...], NoDecode] = Field((), description="Endpoints that serve the reranker.")
    rerank_instruction: str = Field("", description="Instruction to the reranker; empty: the model's own.")
    blend: Literal["auto", "never"] | Annotated[float, Field(ge=0, le=1)] = Field(
        "auto", description="Weight of the rerank score in the final one; auto: 1, less for kinds a model ranks badly."
    )
    answer_url: str = Field("", description="Address of the chat model of `rag ask`; empty: a `rag serve answerer` here.")
    answer_model: str = Field("", description="Which chat model, where the server has several.")
    answer_key: str = Field("", repr=False, description="The API key for the chat model.")
    answer_context: int = Field(0, ge=0, description="Tokens that it reads and writes together; 0: asked of the server.")
    answer_tokens: int = Field(1_024, ge=16, le=65_536, description="The longest answer, in tokens.")
    answer_pictures: Literal["auto"] | Annotated[int, Field(ge=0, le=64)] = Field(
        "auto", description="Most pictures in one prompt, others go as words; auto: 8 if the model sees."
    )
    evidence_tokens: int = Field(8_000, ge=200, description="Most tokens of evidence in one prompt.")
    api_key: str = Field("", repr=False, description="The API key for the endpoints.")
    ca_bundle: str = Field("", description="A file of CA certificates to trust.")
    in_flight: int = Field(8, ge=1, le=1_024, description="Concurrent requests per endpoint.")
    timeout: float = Field(120.0, gt=0, description="Seconds one request may take.")
    top_k: int = Field(10, ge=1, le=1_000, description="How many hits a query returns.")
    candidates: int = Field(100, ge=1, le=10_000, description="How many candidates of the first stages reach the reranker.")
    search: str = Field("auto", description="How vectors are searched: auto, exact, coarse, ivf, or module:Class.")
    min_score: float = Field(0.0, ge=0.0, le=1.0, description="Hits below this score are not shown.")
    fold_from: float = Field(
        0.97, ge=0.0, le=1.0, description="Cosine from which two results with the same content are one hit; 1: exact copies only."
    )
    good_from: Literal["auto"] | Annotated[float, Field(ge=0, le=1)] = Field(
        "auto",
        description="Rerank score below which no hit is a good match; auto: 0.25 for lite, 0.3 for others.",
    )
    ocr: Literal["auto", "always", "never"] = Field(
        "auto", description="When to run OCR on pictures; auto: where a picture has no text of its own."
    )
    clues: Annotated[tuple[Clue, ...], NoDecode] = Field(
        ("ocr", "caption", "path", "date"), description="What is indexed about a picture besides its pixels."
    )
    ignore: Annotated[tuple[Literal["gitignore", "ragignore"], ...], NoDecode] = Field(
        ("gitignore", "ragignore"),
        description="Whose rules leave files out; what git tracks is read whatever .gitignore says. Kept until changed.",
    )
    passage_characters: int = Field(
        LIMITS.passage_characters, ge=100, le=6_000, description="Longest text passage, in characters."
    )
    frame_seconds: float = Field(
        LIMITS.frame_seconds, ge=0.1, le=3_600, description="At most one frame per this many seconds of video."
    )
    frames: Literal["keyframes", "uniform"] = Field(
        "keyframes", description="Which frames: the nearest keyframes (fast), or evenly spaced moments."
    )
    max_pixels: int = Field(LIMITS.max_pixels, ge=4_096, description="Pictures are decoded down to this many pixels.")
    max_source_pixels: int = Field(LIMITS.max_source_pixels, ge=4_096, description="A picture with more pixels is skipped.")
    max_file_bytes: Bytes = Field(LIMITS.max_file_bytes, ge=1, description="A larger file is skipped.")
    max_text_bytes: Bytes = Field(LIMITS.max_text_bytes, ge=1, description="A larger text file is skipped.")
    max_pages: int = Field(LIMITS.max_pages, ge=1, description="A PDF with more pages is skipped.")
    max_depth: int = Field(LIMITS.max_depth, ge=0, le=8, description="Files in files are read this deep; 0: none.")
    max_members: int = Field(LIMITS.max_members, ge=0, description="At most so many files inside a document are read.")
    max_unpacked_bytes: Bytes = Field(
        LIMITS.max_unpacked_bytes, ge=0, description="At most so many bytes are unpacked of the files inside a document."
    )
    jobs: Literal["auto"] | Annotated[int, Field(ge=0, le=1_024)] = Field(
        "auto",
        description="Processes that read files; auto: one per processor; 0: the main process reads them itself.",
    )
    on: str = Field("", description="Where files are read: nothing (here), `ray`, or `ray://HOST:10001` (a Ray cluster).")
    max_memory: Bytes = Field(0, ge=0, description="Memory that indexing may use, in bytes or like 8G; 0: 3 GB per reader.")
    object_cache: Bytes = Field(
        4_000_000_000, ge=1_000_000, description="Room for copies of objects (s3://, gs://, az://), in bytes or like 500M."
    )
    commit_seconds: float = Field(5.0, ge=0.1, le=3_600, description="Seconds between commits of a running `rag index`.")
    server: str = Field(
        "auto",
        description="What answers `rag query`: the URL of a `rag ui`; auto: one on this machine; none: this process.",
    )
    keys: str = Field("", description="The file with the keys of `rag key`; empty: keys.json in the user's folder of settings.")
    index_kind: Literal["auto", "flat", "hnsw", "ivf_rabitq"] = Field(
        "auto", description="What the vectors of an index in Milvus lie under: auto (by their number), flat, hnsw, ivf_rabitq."
    )
    milvus_lease: float = Field(
        30.0, ge=2, le=3_600, description="Seconds after which the lease of a run that was cut off from Milvus ends."
    )
    milvus_token: str = Field("", repr=False, description="The token for an index in Milvus: USER:PASSWORD, or an API key.")
    token: str = Field("", repr=False, description="The key that `rag ui` asks everyone for and `rag query --server` sends.")

    @field_validator("clues", "url", "reranker_url", "ignore", mode="before")
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
    """The settings file: $RAG_CONFIG, else the nearest rag.toml, here or above; None where there is none.

    WrongSetting where RAG_CONFIG does not name a file.
    """
    named = os.environ.get("RAG_CONFIG")
    if named:
        if not Path(named).is_file():
            raise WrongSetting(f"RAG_CONFIG names {named}, which is not a file", remedy="correct it, or unset RAG_CONFIG")
        return Path(named)
    here = Path.cwd()
    return next((folder / FILE for folder in (here, *here.parents) if (folder / FILE).is_file()), None)


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings of this run; flags that are None count as not given. WrongSetting says which key, where, and why."""
    import tomllib

    given: dict[str, Any] = {
        key: str(Path(value).absolute()) if isinstance(value, PurePath) else value
        for key, value in flags.items()
        if value is not None
    }
    _refuse_unknown_variables()
    try:
        return Settings(**given)
    except ValidationError as error:
        first, *others = error.errors()
        key = str(first["loc"][0]) if first["loc"] else "?"
        known = ", ".join(sorted(Settings.model_fields))
        unknown = first["type"] == "extra_forbidden"
        remedy = f"the settings are: {known}" if unknown else "correct it; `rag config` lists all settings"
        said = " or ".join(_plain(one["msg"]) for one in (first, *others) if one["loc"][:1] == first["loc"][:1])
        message = "is not a setting" if unknown else f"should be {said} (given: {first['input']!r})"
        where = origin(key, given)
        named = where if where.startswith(("--", "RAG_")) else f"{where}: {key}"
        raise WrongSetting(f"{named}: {message}", remedy=remedy) from error
    except tomllib.TOMLDecodeError as error:
        raise WrongSetting(f"{settings_file()}: is not valid TOML: {error}", remedy="correct that line") from error
    except UnicodeDecodeError as error:
        raise WrongSetting(f"{settings_file()}: is not UTF-8", remedy="save it as UTF-8 text") from error
    except OSError as error:
        raise WrongSetting(f"{settings_file()}: cannot be opened: {error.strerror}", remedy="make it readable") from error


def _plain(message: str) -> str:
    """Pydantic's words for what the value should be, without the phrases around them."""
    return message.removeprefix("Value error, ").removeprefix("Input should be ").partition(", unable to parse")[0]


def origin(key: str, flags: Mapping[str, Any]) -> str:
    """Where the value of `key` comes from: `--flag`, `RAG_VARIABLE`, the path of the file, or "default"."""
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
                f"environment: {name} is not a setting",
                remedy="unset it; the settings are: " + ", ".join(f"RAG_{key.upper()}" for key in Settings.model_fields),
            )
