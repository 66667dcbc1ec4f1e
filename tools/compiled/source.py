"""The source that is compiled: that of a module, with probes and with classes that stay open.

Probes are the statements that `feedback.instrument` puts into a module when it is imported, put in
before it is compiled. They write into `__vcov__` of the module, one byte a probe, which
`Instrumenter.connect` replaces by a part of the coverage region.

mypyc lets a class have subclasses in Python only if it is marked so. The mark is put in here, so
the source needs nothing of mypyc, neither to read nor to run.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from tools.compiled.modules import OPEN
from vblkfuzz.feedback.instrument import REGION, Probes, has_probes

_MARK: Final = "__open__"
_PRELUDE: Final = f"""
import typing as __typing__
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr as {_MARK}
"""
_PLACE: Final = re.compile(r'("vblkfuzz/[\w/]+\.py", "[^"]*",) (\d+), ')
"""File, function and line, as mypyc writes them into a call that reports an error."""


def source_to_compile(module: str, source: str) -> tuple[str, dict[int, int]]:
    """Return the source to compile, and for each of its lines that of the given one.

    Args:
        module: its full name.
        source: as it is written.
    """
    tree = ast.parse(source)
    prelude = ast.parse(_PRELUDE).body
    if has_probes(module):
        probes = Probes(0)
        probes.insert(tree)
        _leave_declarations(tree)
        region = f"{REGION}: __typing__.Any = bytearray({probes.next})"
        prelude += ast.parse(region).body
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in OPEN:
            mark = f"{_MARK}(allow_interpreted_subclasses=True)"
            node.decorator_list.append(ast.parse(mark, mode="eval").body)
    at = _after_future_imports(tree)
    tree.body[at:at] = prelude
    ast.fix_missing_locations(tree)
    written = ast.unparse(tree)
    return written, _lines(tree, ast.parse(written))


def _leave_declarations(tree: ast.Module) -> None:
    """Remove the probes of what has no code when it runs: protocols, imports for types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body, node.orelse = (
                [line for line in part if not _is_probe(line)] for part in (node.body, node.orelse)
            )
        if isinstance(node, ast.FunctionDef):
            code = [line for line in node.body if not _is_probe(line)]
            if all(isinstance(line, ast.Expr) and _is_text(line.value) for line in code):
                node.body = code


def _is_probe(line: ast.stmt) -> bool:
    return isinstance(line, ast.Assign) and ast.unparse(line.targets[0]).startswith(f"{REGION}[")


def _is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and (value.value is ... or isinstance(value.value, str))


def _after_future_imports(tree: ast.Module) -> int:
    """Return the place after the docstring and ``from __future__``."""
    places = [
        place
        for place, node in enumerate(tree.body, start=1)
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    return max(places, default=1)


def _lines(given: ast.Module, written: ast.Module) -> dict[int, int]:
    """Return for each line of one tree that of the other, which has the same nodes."""
    found: dict[int, int] = {}
    for old, new in zip(ast.walk(given), ast.walk(written), strict=True):
        if isinstance(old, (ast.stmt, ast.expr)) and isinstance(new, (ast.stmt, ast.expr)):
            found.setdefault(new.lineno, old.lineno)
    return found


def with_lines(code: str, lines: dict[str, dict[int, int]]) -> str:
    """Return C code that mypyc has made, which reports errors in lines of the source as written.

    Args:
        code: the C code.
        lines: for each file, as mypyc names it, what `source_to_compile` returns.
    """

    def place(match: re.Match[str]) -> str:
        file = match[1].split('"')[1]
        number = int(match[2])
        return f"{match[1]} {lines.get(file, {}).get(number, number)}, "

    return _PLACE.sub(place, code)
