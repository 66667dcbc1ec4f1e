"""Frozen dataclasses that can be pickled and copied, as those of Python with slots can.

Python restores one without its own `__setattr__`, which refuses. A compiled class has nothing of
that kind, so what is restored is made anew from its fields.
"""

from __future__ import annotations

import ast


def make_restorable(tree: ast.Module) -> None:
    """Give each frozen dataclass of a module, that takes its fields by place, `__reduce__`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(map(_is_frozen, node.decorator_list)):
            fields = [f"self.{name}" for name in _fields(node)]
            reduce = "def __reduce__(self) -> tuple[object, ...]:\n"
            reduce += f"    return type(self), ({''.join(f'{field}, ' for field in fields)})"
            node.body += ast.parse(reduce).body


def _is_frozen(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and ast.unparse(decorator.func) == "dataclass"
        and "frozen" in (names := [each.arg for each in decorator.keywords])
        and "kw_only" not in names
    )


def _fields(node: ast.ClassDef) -> list[str]:
    """Return the names of the fields, in order."""
    lines = [line for line in node.body if isinstance(line, ast.AnnAssign)]
    return [ast.unparse(line.target) for line in lines if "ClassVar" not in ast.unparse(line)]
