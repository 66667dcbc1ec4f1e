"""Instances of NamedTuples, compiled: made in C from their fields.

``Chain(head, readable, writable)`` calls a function in Python that a NamedTuple has, and that one
`tuple.__new__`; mypyc leaves both to the interpreter. Here each such call becomes one of a
primitive (`primitives`), and so does `tuple.__new__` itself, if a module has a name for it. Calls
that leave a field to its default, or name one, stay as they are. The class is a constant of the
module, as mypyc looks up its name in the dictionary of the module each time.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

import vblkfuzz
from tools.compiled.primitives import MODULE

_ROW: Final = "__row__"
_BECOME: Final = "__become__"
"""Of fields that are written there, so nobody else has them. A constant tuple lasts."""
IMPORTS: Final = f"""
if TYPE_CHECKING:
    from {MODULE} import become as {_BECOME}, row as {_ROW}
"""
_PACKAGE: Final = Path(vblkfuzz.__file__).parent


def make_rows(tree: ast.Module) -> bool:
    """Change the calls of a module; return whether there are any."""
    fields = _defined(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vblkfuzz."):
            known = _fields(node.module or "")
            fields |= {
                one.asname or one.name: known[one.name] for one in node.names if one.name in known
            }
    rows = _Rows(fields, _constructors(tree))
    rows.visit(tree)
    tree.body = [line for node in tree.body for line in (node, *_constants(node, rows.kinds))]
    return bool(rows.kinds)


class _Rows(ast.NodeTransformer):
    """Replaces the calls."""

    def __init__(self, fields: dict[str, int], constructors: set[str]) -> None:
        self._fields = fields
        self._constructors = constructors
        self.kinds: set[str] = set()
        """The names of the NamedTuples that are made."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace a call that makes a row."""
        self.generic_visit(node)
        if node.keywords or not isinstance(node.func, ast.Name):
            return node
        if any(isinstance(one, ast.Starred) for one in node.args):
            return node
        if node.func.id in self._constructors:
            return self._row(node, node.args)
        if self._fields.get(node.func.id) == len(node.args):
            return self._row(node, [node.func, ast.Tuple(node.args, ast.Load())])
        return node

    def _row(self, node: ast.Call, given: list[ast.expr]) -> ast.expr:
        kind, fields = given
        assert isinstance(kind, ast.Name)
        self.kinds.add(kind.id)
        own = isinstance(fields, ast.Tuple) and not all(map(_is_constant, fields.elts))
        made = ast.Name(_BECOME if own else _ROW, ast.Load())
        call = ast.Call(made, [ast.Name(_constant(kind.id), ast.Load()), fields], [])
        for one in (call, made, *call.args):
            ast.copy_location(one, node)
        return call


def _is_constant(node: ast.expr) -> bool:
    """Whether mypyc may keep the value; a tuple of such values is kept as well."""
    if isinstance(node, ast.Tuple):
        return all(map(_is_constant, node.elts))
    return isinstance(node, ast.Constant)


def _constant(kind: str) -> str:
    return f"__kind_{kind}__"


def _constants(node: ast.stmt, kinds: set[str]) -> list[ast.stmt]:
    """Return the constants of those NamedTuples that a statement of a module defines or imports."""
    if isinstance(node, ast.ImportFrom):
        names = {one.asname or one.name for one in node.names}
    else:
        names = {node.name} if isinstance(node, ast.ClassDef) else set()
    code = [f"{_constant(name)}: __typing__.Final = {name}" for name in sorted(names & kinds)]
    lines = ast.parse("\n".join(code)).body
    for line in lines:
        for part in ast.walk(line):
            ast.copy_location(part, node)
    return lines


def _constructors(tree: ast.Module) -> set[str]:
    """Return the names that a module has for `tuple.__new__`."""
    return {
        node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.value) == "tuple.__new__"
        and isinstance(node.targets[0], ast.Name)
    }


def _defined(tree: ast.Module) -> dict[str, int]:
    """Return the NamedTuples that a module defines, and how many fields each has."""
    return {
        node.name: sum(isinstance(line, ast.AnnAssign) for line in node.body)
        for node in tree.body
        if isinstance(node, ast.ClassDef) and "NamedTuple" in map(ast.unparse, node.bases)
    }


@cache
def _fields(module: str) -> dict[str, int]:
    """Return what `_defined` returns for a module of the package; nothing for a package."""
    path = _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return _defined(ast.parse(path.read_text())) if path.exists() else {}
