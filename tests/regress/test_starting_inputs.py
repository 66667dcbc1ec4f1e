"""corpus/start is what its builders say, and every one of them is worth keeping."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.errors import UsageError
from vblkfuzz.executor import run_scenario
from vblkfuzz.mutation.starting_inputs import STARTING_INPUTS, Start, files, write
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import read_text
from vblkfuzz.targets.model import model
from vblkfuzz.trace.witness import MODEL

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus" / "start"


def name(start: Start) -> str:
    return start.__name__


def situations(scenario: Scenario) -> frozenset[str]:
    with model("reference", "inline") as target:
        verdict = run_scenario(target, scenario).verdict
    assert verdict.clean
    return verdict.situations


def test_the_folder_is_what_the_command_writes() -> None:
    assert {path.name: path.read_text() for path in CORPUS.iterdir()} == files()


@pytest.mark.parametrize("start", STARTING_INPUTS, ids=name)
def test_an_input_says_what_it_is_for(start: Start) -> None:
    assert start.__doc__ is not None
    assert start.__doc__.endswith(".")
    assert "\n" not in start.__doc__
    assert (
        read_text(files()[f"{name(start).replace('_', '-')}.toml"], name(start)).scenario == start()
    )


@pytest.mark.parametrize("start", STARTING_INPUTS, ids=name)
def test_the_reference_is_clean(start: Start) -> None:
    situations(start())


def test_together_they_put_most_rules_to_the_test() -> None:
    met = frozenset[str]().union(*(situations(start()) for start in STARTING_INPUTS))
    tested = [rule for rule in RULES if met & {one.name for one in rule.situations}]
    asked = [rule for rule in RULES if rule.situations and rule.witnesses in MODEL]
    assert len(tested) >= len(asked) * 0.8, sorted(one.id for one in asked if one not in tested)


def test_writing_again_changes_nothing_but_what_is_none(tmp_path: Path) -> None:
    write(tmp_path / "start")
    (tmp_path / "start" / "gone.toml").write_text("")
    (tmp_path / "start" / "notes.md").write_text("mine")
    write(tmp_path / "start")
    found = {path.name: path.read_text() for path in (tmp_path / "start").iterdir()}
    assert found == {**files(), "notes.md": "mine"}


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "start").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "start")
