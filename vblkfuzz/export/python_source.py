"""Source of this package as a part of an exported program: the same code, in one file.

Definitions keep their text. What they import of the package stands beside them in the file, so
those imports go; what they import of the standard library is returned, for the head of the file.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from inspect import getsource
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Part(NamedTuple):
    """What a program takes of one module."""

    module: str
    names: Sequence[str] = ()
    """Its definitions; none: all of them."""


class Source(NamedTuple):
    """A part of a program."""

    text: str
    imports: frozenset[tuple[str, str]]
    """Modules of the standard library, each with a name in it; an empty name: the module itself."""


def source_of(parts: Iterable[Part]) -> Source:
    """Return the source of modules as one text; each name is defined once in it.

    Raises:
        ValueError: two modules define the same name.
    """
    texts: list[str] = []
    imports: set[tuple[str, str]] = set()
    owners: dict[str, str] = {}
    for part in parts:
        source = getsource(import_module(part.module))
        tree = ast.parse(source)
        imports |= set(_imports(tree))
        for name in _defined(tree, part):
            if owners.setdefault(name, part.module) != part.module:
                raise ValueError(f"{name} is defined in {owners[name]} and in {part.module}")
        texts.append(f"# --- {part.module}\n" + _spaced(_definitions(source, tree, part)))
    return Source("\n\n".join(texts), frozenset(imports))


def with_imports(text: str, imports: Iterable[tuple[str, str]]) -> str:
    """Return a program whose imports are these in addition to its own, in order, each once.

    Args:
        text: the program; its imports follow one another, without a line between them.
        imports: as in `Source`; those that the program does not use are left out.
    """
    lines = text.splitlines(keepends=True)
    own = [node for node in ast.parse(text).body if _is_import(node)]
    first, last = own[0].lineno - 1, own[-1].end_lineno
    rest = "".join(lines[:first]), "".join(lines[last:])
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    wanted = {item for item in imports if (item[1] or item[0]) in used}
    every = wanted | set(_imports(ast.parse("".join(lines[first:last]))))
    return "".join((rest[0], _import_lines(every), rest[1]))


def _is_import(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module != "__future__"
    return isinstance(node, ast.Import)


def _import_lines(imports: set[tuple[str, str]]) -> str:
    whole = [f"import {module}\n" for module in sorted({one for one, name in imports if not name})]
    names: dict[str, list[str]] = {}
    for module, name in sorted(imports):
        if name:
            names.setdefault(module, []).append(name)
    return "".join(whole + [f"from {one} import {', '.join(names[one])}\n" for one in names])


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what is imported of the standard library, also for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names)
        elif isinstance(node, ast.ImportFrom) and _is_standard(node.module or ""):
            yield from ((str(node.module), one.name) for one in node.names)


def _is_standard(module: str) -> bool:
    return module != "__future__" and module.partition(".")[0] in sys.stdlib_module_names


def _definitions(source: str, tree: ast.Module, part: Part) -> Iterator[tuple[str, bool]]:
    """Yield the text of each definition, whether it is a block; also the string that describes it.

    The first one is the docstring of a module of which all is taken.
    """
    lines = source.splitlines()
    taken = not part.names
    for node in tree.body:
        if _is_left_out(node):
            taken = False
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            taken = not part.names or not set(part.names).isdisjoint(_names(node))
        if taken:
            yield "\n".join(lines[_first(node) - 1 : node.end_lineno]), _is_block(node)


def _spaced(definitions: Iterable[tuple[str, bool]]) -> str:
    """Return definitions as a text, with two empty lines before and after a block."""
    text, after_block = "", False
    for definition, block in definitions:
        text += ("\n\n" if block or after_block else "") + definition + "\n"
        after_block = block
    return text


def _is_block(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef)


def _is_left_out(node: ast.stmt) -> bool:
    """Whether it is an import, of types or of what is there."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.Import | ast.ImportFrom)


def _first(node: ast.stmt) -> int:
    """Return the line in which it begins, decorators included."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return node.lineno


def _defined(tree: ast.Module, part: Part) -> Iterator[str]:
    for node in tree.body:
        for name in _names(node):
            if not part.names or name in part.names:
                yield name


def _names(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for name in (one for target in targets for one in ast.walk(target)):
            if isinstance(name, ast.Name):
                yield name.id
