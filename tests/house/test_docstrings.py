"""What a caller must know of a function stands in its docstring: that there is one, shapes of arrays, errors it raises.

Knows how the source is written; runs none of it but the list of commands, whose docstrings are what `--help` prints.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from rag.cli.app import app
from tests.house.source import Member, ancestors, classes, public_classes, public_functions, raised_in

ARRAYS = re.compile(r"\b(Vectors|NDArray|Pixels|ndarray)\b")
STATED = re.compile(
    r"\((?:[\w·×+ ]|\w+\(\w+\))+,[^()]*\)"  # (n, dim), (k,), (height, width, 3), (len(contents), dim)
    r"|\bshape\b|\b(?:u?int\d+|float\d+|bool)\b|\brows?\b|\bRGB\b|\bunit length\b|×",
)
AS = re.compile(r"\b(?:As|Like|[Ee]rrors as|those of) `?([A-Za-z_]\w*(?:\.\w+)*)")  # As `Snapshot.nearest`. Like `passage`, and …
NAMED = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)*)`")
ROOMS = ("loaders", "backends", "index")  # whose `base.py` holds the laws of every method that has its name
ERRORS = {name for name in classes() if "RagError" in ancestors(name)} | {"RagError"}
COMMANDS = {command.callback.__module__ for command in app.registered_commands if command.callback}


def test_every_public_class_has_a_docstring() -> None:
    silent = [f"{module.name}.{node.name}" for module, node in public_classes() if not ast.get_docstring(node)]
    assert not silent, "say what they are for: " + ", ".join(silent)


def test_every_public_function_has_a_docstring() -> None:
    silent = [str(member) for member in public_functions() if member.node.name != "__init__" and not described(member)]
    assert not silent, "say what they do, or let the Protocol they follow name them:\n" + "\n".join(silent)


def test_where_arrays_come_or_go_a_shape_or_a_unit_is_stated() -> None:
    untold = [str(member) for member in public_functions() if _has_arrays(member) and not STATED.search(described(member))]
    assert not untold, "state a shape, a type or a unit, such as float32 (n, dim):\n" + "\n".join(untold)


def test_an_error_that_a_function_raises_is_named_in_its_docstring() -> None:
    unnamed = [
        f"{member}: {name}"
        for member in public_functions()
        if member.module.name not in COMMANDS  # a person who asks for --help gets no names of classes
        for name in sorted(raised_in(member.node, ERRORS))
        if not re.search(rf"\b{name}\b", described(member))
    ]
    assert not unnamed, "name the error, and when it comes:\n" + "\n".join(unnamed)


def _has_arrays(member: Member) -> bool:
    arguments = member.node.args
    every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs]
    named = [argument.annotation for argument in every if argument and argument.annotation]
    told = [*named, *([member.node.returns] if member.node.returns else [])]
    return member.node.name != "__init__" and any(ARRAYS.search(ast.unparse(one)) for one in told)


def described(member: Member) -> str:
    """All that is said of a function: its docstring and what that refers to (`As X.y`, "the law"); of a method without one, the
    laws of the Protocols that have it; of `__init__`, its class as well.
    """
    own = ast.get_docstring(member.node) or ""
    owner = member.owner
    if owner is None:
        return own
    name = member.node.name
    if name == "__init__":
        return f"{own}\n{ast.get_docstring(owner) or ''}"
    if own:
        law = _law_of_room(member) if "the law" in own else ""
        return "\n".join((own, law, _of_others(AS.findall(own), owner, name)))
    return _law(owner, name) or _law_of_room(member)


def _law_of_room(member: Member) -> str:
    """What `base.py` of the room says of a method of that name."""
    assert member.owner
    if member.module.name.split(".")[1] not in ROOMS:
        return ""
    base = ".".join((*member.module.name.split(".")[:2], "base"))
    return "\n".join(_law(node, member.node.name) for module, node in public_classes() if module.name == base)


def _law(owner: ast.ClassDef, name: str) -> str:
    """What a Protocol says of one of its methods: in its docstring, by naming the method or a class that describes it."""
    if not any("Protocol" in ast.unparse(base) for base in owner.bases) or not _method(owner, name):
        return ""
    return "\n".join(
        filter(None, (_said_of(owner, name), _of_others(NAMED.findall(ast.get_docstring(owner) or ""), owner, name)))
    )


def _said_of(owner: ast.ClassDef, name: str) -> str:
    """The docstring of a class that names one of its members."""
    said = ast.get_docstring(owner) or ""
    return said if re.search(rf"`{name}\b", said) else ""


def _of_others(references: Iterable[str], owner: ast.ClassDef, name: str) -> str:
    """The docstrings that a method means by X.y, by y of its own class, or by X: the method of its own name there."""
    found = []
    for reference in references:
        first, _, last = reference.rpartition(".")
        those = [(one, name) for one in classes().get(last, ())] or [(one, last) for one in classes().get(first, (owner,))]
        for one, called in those:
            method = _method(one, called)
            if method and (one, called) != (owner, name):
                found.append(ast.get_docstring(method) or _said_of(one, called))
    return "\n".join(filter(None, found))


def _method(owner: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == name), None)
