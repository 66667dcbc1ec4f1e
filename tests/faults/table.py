"""The table of docs/faults.md: a row for each test of a fault, from its mark.

    @pytest.mark.fault("what is done to the campaign", "the expected outcome")
    def test_...

The files are read, not imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.reference import table

FOLDER: Final = Path(__file__).parent


def faults() -> str:
    """All faults, in the order of the files."""
    rows = (
        (done, outcome, f"`{path.name}::{name}`")
        for path in sorted(FOLDER.glob("test_*.py"))
        for done, outcome, name in rows_of(path.read_text())
    )
    return table(("what is done to the campaign", "expected outcome", "test"), rows)


def rows_of(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield what is done, the outcome and the name of each test in a file.

    Raises:
        ValueError: a test has no mark.
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            done, outcome = _mark_of(node)
            yield done, outcome, node.name


def _mark_of(test: ast.FunctionDef) -> tuple[str, str]:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
            done, outcome = (str(ast.literal_eval(argument)) for argument in mark.args)
            return done, outcome
    raise ValueError(f"{test.name}: expected @pytest.mark.fault(done, outcome)")
