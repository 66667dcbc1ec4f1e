"""Every scenario of corpus/regress still shows its bug on its device, and the reference has none.

They lie in the checkout, also when the package under test is installed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.oracle.judge import judge
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import Text, read_text
from vblkfuzz.target.model import model

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus" / "regress"
FILES = sorted(CORPUS.glob("*/scenario.toml"))


def slug(path: Path) -> str:
    return path.parent.name


def read(path: Path) -> Text:
    return read_text(path.read_text(), path.name)


def verdict(device: str, scenario: Scenario) -> Verdict:
    with model(device, "inline") as target:
        return judge(scenario, target.run(scenario))


def test_there_is_a_corpus() -> None:
    assert len(FILES) >= 20


@pytest.mark.parametrize("path", FILES, ids=slug)
def test_the_device_shows_what_is_expected(path: Path) -> None:
    text = read(path)
    assert text.expectation is not None
    assert text.expectation.verdict == "violation"
    found = {(each.rule, each.signature) for each in verdict(text.on, text.scenario).violations}
    assert (text.expectation.rule, text.expectation.signature) in found


@pytest.mark.parametrize("path", FILES, ids=slug)
def test_the_reference_is_clean(path: Path) -> None:
    assert verdict("reference", read(path).scenario).clean


@pytest.mark.parametrize("path", FILES, ids=slug)
def test_the_story_is_told(path: Path) -> None:
    first, *rest = path.read_text().splitlines()
    assert first.startswith("# ")
    assert any(line.startswith("format") for line in rest[:4])


@pytest.mark.parametrize("path", FILES, ids=slug)
def test_the_folder_is_named_after_the_rule(path: Path) -> None:
    expectation = read(path).expectation
    assert expectation is not None
    assert slug(path).startswith(f"{expectation.rule.lower()}-")
