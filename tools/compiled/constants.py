"""Constants of a module are `Final` where they are compiled.

mypyc reads a global name from the dictionary of its module, each time, unless it is `Final`: then
it is a variable in C or, if the value is written there, that value. So each name that a module
assigns once, at its top, becomes one. Aliases of types have names in CamelCase and stay.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import Final

_CONSTANT: Final = re.compile(r"_?[A-Z][A-Z0-9_]+|_[a-z]\w*")
_OF_TYPES: Final = ("TypeVar", "ParamSpec")


def make_final(tree: ast.Module) -> None:
    """Change the assignments of a module."""
    stored = Counter(
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    body: list[ast.stmt] = []
    for node in tree.body:
        names = _names(node)
        if names and all(stored[name] == 1 for name in names if name != "_"):
            assert isinstance(node, ast.Assign)
            found = _finals(names, node.value, f"__values_{len(body)}__")
            body += [ast.copy_location(ast.fix_missing_locations(one), node) for one in found]
        else:
            body.append(node)
    tree.body = body


def _names(node: ast.stmt) -> list[str]:
    """Return the constants that a statement makes; none if it makes anything else."""
    if not isinstance(node, ast.Assign) or len(node.targets) > 1:
        return []
    if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in _OF_TYPES:
        return []
    target = node.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    all_are = all(name == "_" or _CONSTANT.fullmatch(name) for name in names)
    return names if all_are and len(names) == len(parts) else []


def _finals(names: list[str], value: ast.expr, values: str) -> list[ast.stmt]:
    """Return an assignment for each name; `values` is a name for all of them together."""
    if len(names) == 1:
        return [_final(names[0], value)]
    if isinstance(value, ast.Tuple):
        return [_final(*each) for each in zip(names, value.elts, strict=True)]
    numbers = _range(value)
    if numbers:
        return [_final(*each) for each in zip(names, numbers, strict=True) if each[0] != "_"]
    whole = ast.Call(ast.Name("tuple", ast.Load()), [value], [])
    place = ast.Name(values, ast.Load())
    items = [ast.Subscript(place, ast.Constant(at), ast.Load()) for at in range(len(names))]
    return [
        _final(values, whole),
        *(_final(*each) for each in zip(names, items, strict=True) if each[0] != "_"),
    ]


def _range(value: ast.expr) -> list[ast.expr]:
    """Return the numbers of a range that is written out; none if it is anything else."""
    if not isinstance(value, ast.Call) or ast.unparse(value.func) != "range":
        return []
    bounds = [one.value for one in value.args if isinstance(one, ast.Constant)]
    return [ast.Constant(number) for number in range(*bounds)]  # type: ignore[arg-type]


def _final(name: str, value: ast.expr) -> ast.stmt:
    final = ast.parse("__typing__.Final", mode="eval").body
    return ast.AnnAssign(ast.Name(name, ast.Store()), final, value, simple=1)
