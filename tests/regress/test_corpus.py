"""Form of corpus/regress: each scenario has its story, and lies under the name of its rule.

The pytest plugin runs them (`vblk_corpus` in pyproject.toml): `pytest corpus/regress`. They lie in
the checkout, also when the package under test is installed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.text import Text, read_text

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus" / "regress"
FILES = sorted(CORPUS.glob("*/scenario.toml"))


def slug(path: Path) -> str:
    return path.parent.name


def read(path: Path) -> Text:
    return read_text(path.read_text(), path.name)


def test_there_is_a_corpus() -> None:
    assert len(FILES) >= 20


@pytest.mark.parametrize("path", FILES, ids=slug)
def test_the_story_is_told(path: Path) -> None:
    first, *rest = path.read_text().splitlines()
    assert first.startswith("# ")
    assert any(line.startswith("format") for line in rest[:4])


@pytest.mark.parametrize("path", FILES, ids=slug)
def test_the_folder_is_named_after_the_rule(path: Path) -> None:
    expectation = read(path).expectation
    assert expectation is not None
    rules = [expectation.rule] if expectation.rule else [rule.id for rule in RULES]
    assert slug(path).startswith(tuple(f"{rule.lower()}-" for rule in rules))
