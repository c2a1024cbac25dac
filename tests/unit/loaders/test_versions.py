"""The table of loader versions agrees with the loaders."""

from __future__ import annotations

from rag.loaders import LOADERS, VERSIONS
from rag.plugins import resolve


def test_each_version_is_that_of_its_loader() -> None:
    assert {name: resolve(LOADERS, name, "loader").version for name in LOADERS} == VERSIONS
