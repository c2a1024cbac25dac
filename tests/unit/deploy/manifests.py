"""The files of deploy/kubernetes and deploy/cluster as values, one container like another. Knows YAML; knows no test."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[3]
DEPLOY = TOP / "deploy"
KUBERNETES = sorted(one for one in (DEPLOY / "kubernetes").glob("*.yaml") if one.name != "milvus-values.yaml")
COMPOSE = DEPLOY / "cluster/compose.yml"
OURS = "/multimodal-rag:"


@dataclass(frozen=True)
class Container:
    """A container of either sort of file."""

    where: str
    image: str
    arguments: tuple[str, ...]  # after the entry point of the image
    is_replaced: bool  # whether the entry point of the image is another
    environment: Mapping[str, Any]  # a value, or a dict that says where it comes from
    raw: Mapping[str, Any]
    pod: Mapping[str, Any]  # empty in a compose file

    @property
    def is_ours(self) -> bool:
        """Whether it runs this program's image."""
        return OURS in self.image


def objects(file: Path) -> list[dict[str, Any]]:
    """The objects of a file."""
    return [one for one in yaml.safe_load_all(file.read_text("utf-8")) if one]


def every_object() -> list[tuple[str, dict[str, Any]]]:
    """Each object of Kubernetes, with the name of its file."""
    return [(file.name, one) for file in KUBERNETES for one in objects(file)]


def pods(value: Any) -> Iterator[dict[str, Any]]:
    """Every pod's specification below a value."""
    if isinstance(value, dict):
        if isinstance(value.get("containers"), list):
            yield value
        for one in value.values():
            yield from pods(one)
    elif isinstance(value, list):
        for one in value:
            yield from pods(one)


def in_kubernetes() -> Iterator[Container]:
    """The containers of deploy/kubernetes."""
    for name, one in every_object():
        for pod in pods(one):
            for container in pod["containers"]:
                environment = {each["name"]: each.get("value", each.get("valueFrom")) for each in container.get("env", ())}
                words = tuple(container.get("args", ()))
                where = f"{name}: {one['kind']} {one['metadata']['name']}"
                yield Container(where, container["image"], words, "command" in container, environment, container, pod)


def in_compose() -> Iterator[Container]:
    """The containers of deploy/cluster/compose.yml."""
    for name, one in yaml.safe_load(COMPOSE.read_text("utf-8"))["services"].items():
        words = tuple(one.get("command", ()))
        yield Container(f"compose: {name}", one["image"], words, "entrypoint" in one, one.get("environment", {}), one, {})


def every_container() -> list[Container]:
    """All of them."""
    return [*in_kubernetes(), *in_compose()]


def printed_in(file: Path) -> list[str]:
    """The lines `rag serve …` of a file's comments."""
    return re.findall(r"^# (rag serve .*)$", file.read_text("utf-8"), re.MULTILINE)


def plain(value: Any) -> str:
    """A value as text, to look for words in."""
    return json.dumps(value)
