"""The modules of `rag` and `ui` as they are written: their trees, docstrings, and who is an error of the project.

Knows Python's syntax; imports nothing of the project and judges nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TOP = Path(__file__).parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Module:
    """One file, read and parsed."""

    path: Path
    lines: int
    tree: ast.Module

    @property
    def name(self) -> str:
        """As it is imported."""
        return ".".join(self.path.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__")

    @property
    def docstring(self) -> str:
        """Empty where there is none."""
        return ast.get_docstring(self.tree) or ""


@dataclass(frozen=True, eq=False)
class Member:
    """A public function or method, and the class it stands in."""

    module: Module
    node: Function
    owner: ast.ClassDef | None

    def __str__(self) -> str:
        name = f"{self.owner.name}.{self.node.name}" if self.owner else self.node.name
        return f"{self.module.path.relative_to(TOP)}:{self.node.lineno} {name}"


@cache
def modules(*roots: str) -> tuple[Module, ...]:
    """All modules and packages below these folders, in the order of their names."""
    files = [path for root in roots for path in sorted((TOP / root).rglob("*.py"))]
    texts = [path.read_text("utf-8") for path in files]
    return tuple(Module(path, len(text.splitlines()), ast.parse(text)) for path, text in zip(files, texts, strict=True))


@cache
def classes() -> dict[str, tuple[ast.ClassDef, ...]]:
    """The classes of `rag` by their names; several where modules give a name twice."""
    found: dict[str, tuple[ast.ClassDef, ...]] = {}
    for module in modules("rag"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                found[node.name] = (*found.get(node.name, ()), node)
    return found


def ancestors(name: str) -> set[str]:
    """The names of all classes above those of this name."""
    found: set[str] = set()
    above = [name]
    while above:
        for node in classes().get(above.pop(), ()):
            bases = {last_name(base) for base in node.bases} - found
            found |= bases
            above += bases
    return found


def public_classes() -> Iterator[tuple[Module, ast.ClassDef]]:
    """Every class of `rag` that stands in a module under a public name."""
    for module in modules("rag"):
        yield from ((module, node) for node in _statements(module.tree) if isinstance(node, ast.ClassDef) and _public(node))


def public_functions() -> Iterator[Member]:
    """Every public function of `rag`, and the public methods and `__init__` of its public classes."""
    for module in modules("rag"):
        for node in _statements(module.tree):
            if isinstance(node, Function) and _public(node) and not _repeats(node):
                yield Member(module, node, None)
    for module, owner in public_classes():
        for node in _statements(owner):
            if isinstance(node, Function) and (_public(node) or node.name == "__init__") and not _repeats(node):
                yield Member(module, node, owner)


def last_name(expression: ast.expr) -> str:
    """`c` of `a.b.c`, of `c`, of `c[…]` and of `c(…)`; empty for anything else."""
    if isinstance(expression, ast.Subscript):
        return last_name(expression.value)
    if isinstance(expression, ast.Call):
        return last_name(expression.func)
    return expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")


def raised_in(function: Function, errors: set[str]) -> set[str]:
    """Those of the errors that the function raises itself, and does not catch itself."""
    return set(_raised(function.body, errors, frozenset()))


def _raised(statements: list[ast.stmt], errors: set[str], caught: frozenset[str]) -> Iterator[str]:
    for node in statements:
        if isinstance(node, Function | ast.ClassDef):
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = last_name(node.exc)
            if name in errors and not ({name} | ancestors(name)) & caught:
                yield name
        handlers = getattr(node, "handlers", [])
        here = {last_name(kind) for one in handlers if one.type for kind in getattr(one.type, "elts", [one.type])}
        yield from _raised(getattr(node, "body", []), errors, caught | here)
        for case in getattr(node, "cases", []):
            yield from _raised(case.body, errors, caught)
        for part in (*(one.body for one in handlers), getattr(node, "orelse", []), getattr(node, "finalbody", [])):
            yield from _raised(part, errors, caught)


def _statements(parent: ast.Module | ast.ClassDef) -> Iterator[ast.stmt]:
    """Those of a module or class, also where they stand under an `if`."""
    for node in parent.body:
        yield from node.body if isinstance(node, ast.If) else (node,)


def _public(node: ast.ClassDef | Function) -> bool:
    return not node.name.startswith("_")


def _repeats(node: Function) -> bool:
    """Whether it only adds a signature, or what an assignment does, to one that is described."""
    return bool({last_name(one) for one in node.decorator_list} & {"overload", "setter"})
