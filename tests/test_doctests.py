"""Examples in docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import vblkfuzz
from vblkfuzz.targets.python_twin import module_twin

PACKAGE = Path(vblkfuzz.__file__).parent
WITH_EXAMPLES = [
    ".".join(["vblkfuzz", *path.relative_to(PACKAGE).with_suffix("").parts])
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text()
]


def test_the_op_alphabet_shows_an_example() -> None:
    assert "vblkfuzz.scenario.op" in WITH_EXAMPLES


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    # What is compiled has no docstrings to find; its source has, and is not what runs.
    written = module_twin(name) or module
    result = doctest.testmod(written, globs=vars(module).copy(), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
