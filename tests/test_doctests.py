"""Examples in docstrings run and print what they say.

Docstrings are read in the source: what is compiled has none. The examples run on what is installed.
"""

from __future__ import annotations

import ast
import doctest
import importlib
from pathlib import Path

import pytest

import vblkfuzz

PACKAGE = Path(vblkfuzz.__file__).parent
WITH_EXAMPLES = {
    ".".join(["vblkfuzz", *path.relative_to(PACKAGE).with_suffix("").parts]): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text()
}


def test_the_op_alphabet_shows_an_example() -> None:
    assert "vblkfuzz.scenario.op" in WITH_EXAMPLES


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str) -> None:
    names, path = vars(importlib.import_module(name)), WITH_EXAMPLES[name]
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node) or ""
            line = getattr(node, "lineno", 0)
            runner.run(doctest.DocTestParser().get_doctest(text, names, name, str(path), line))
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries > 0
