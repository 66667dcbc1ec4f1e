"""The source that is compiled: that of a module, and what mypyc needs to make good code of it.

All of it is put in here, so the source needs nothing of mypyc, neither to read nor to run:

* Probes, where `feedback.instrument` has its own. They are calls of a primitive (`primitives`) that
  writes into `__vcov__` of the module, one byte a probe. `Instrumenter.connect` gives the module a
  part of the coverage region instead.
* The mark of classes that have subclasses in Python.
* Constants of a module are `Final` (`constants`), stations of causal paths are two methods
  (`stations`), NamedTuples are made in C (`rows`), and ``+flag`` is the number itself: mypyc has
  made plain integers of enums already. Frozen dataclasses can be pickled (`values`).
"""

from __future__ import annotations

import ast
import re
from typing import Final

from tools.compiled.constants import make_final
from tools.compiled.modules import OPEN
from tools.compiled.primitives import MODULE
from tools.compiled.rows import IMPORTS as ROWS
from tools.compiled.rows import make_rows
from tools.compiled.stations import IMPORTS as STATIONS
from tools.compiled.stations import split_stations
from tools.compiled.values import make_restorable
from vblkfuzz.feedback.instrument import CONNECT, REGION, Probes, has_probes

_MARK: Final = "__open__"
_PRELUDE: Final = f"""
import typing as __typing__
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr as {_MARK}
"""
_PROBE: Final = "__mark__"
_REGION: Final = f"""
if TYPE_CHECKING:
    from {MODULE} import mark as {_PROBE}, use as __use__
def {CONNECT}(region: __typing__.Any) -> None:
    global {REGION}
    {REGION} = region
    __use__(region)
{REGION}: __typing__.Any = bytearray(%d)
{CONNECT}({REGION})
"""
"""Of a module with so many probes."""
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
        prelude += ast.parse(_REGION % probes.next).body
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in OPEN:
            mark = f"{_MARK}(allow_interpreted_subclasses=True)"
            node.decorator_list.append(ast.parse(mark, mode="eval").body)
    if split_stations(tree):
        prelude += ast.parse(STATIONS).body
    if make_rows(tree):
        prelude += ast.parse(ROWS).body
    make_final(tree)
    make_restorable(tree)
    tree = _Plain().visit(tree)
    at = _after_future_imports(tree)
    tree.body[at:at] = prelude
    ast.fix_missing_locations(tree)
    written = ast.unparse(tree)
    return written, _lines(tree, ast.parse(written))


class _Plain(ast.NodeTransformer):
    """Makes calls of a primitive of probes, and nothing of a unary plus."""

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        """Replace a probe."""
        if not _is_probe(node):
            return self.generic_visit(node)  # type: ignore[return-value]
        assert isinstance(node.targets[0], ast.Subscript)
        call = ast.Call(ast.Name(_PROBE, ast.Load()), [node.targets[0].slice], [])
        return ast.copy_location(ast.Expr(call), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """Replace a unary plus."""
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.UAdd) else node


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
