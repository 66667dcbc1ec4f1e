"""Hand-written traces, good and bad, for every rule: one file for each rule in `cases/`.

How to read and write them: `case_file`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.oracle.case_file import Case, load
from vblkfuzz.oracle.judge import RULES, judge
from vblkfuzz.oracle.rule import Rule
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

_ALL = ~Witness(0)
FOLDER = Path(__file__).parent / "cases"
CASES = [loaded for file in sorted(FOLDER.glob("*.toml")) for loaded in load(file)]
BY_RULE = {rule.id: [case for case in CASES if case.rule == rule.id] for rule in RULES}


def judged(case: Case) -> Verdict:
    return judge(Scenario(case.device), Trace(case.events, witnesses=_ALL))


def violations(case: Case) -> list[Violation]:
    return [found for found in judged(case).violations if found.rule == case.rule]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.title}")
def test_case(case: Case) -> None:
    found = violations(case)
    assert tuple(one.signature for one in found) == case.signatures
    assert tuple(one.sentence for one in found) == case.sentences
    if found:
        first, second = found[0].first.turn, found[0].second.turn
        assert (first, second) == (case.first, case.second)
        named = {int(turn) for turn in re.findall(r"turn (\d+)", found[0].sentence)}
        assert named == {first, second}, found[0].sentence
    own = {met.name for rule in RULES if rule.id == case.rule for met in rule.situations}
    assert judged(case).situations & own == case.situations


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_good_and_bad_traces(rule: Rule) -> None:
    broken = [bool(case.signatures) for case in BY_RULE[rule.id]]
    file = f"cases/{rule.id.lower()}.toml"
    assert True in broken, f"{file}: expected a trace that breaks {rule.id} (signatures = [...])"
    assert False in broken, f"{file}: expected a trace that does not break {rule.id}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_situation_is_met_and_missed(rule: Rule) -> None:
    for situation in rule.situations:
        met = [situation.name in case.situations for case in BY_RULE[rule.id]]
        place = f"cases/{rule.id.lower()}.toml: situation {situation.name}"
        assert True in met, f"{place}: expected a trace that meets it (situations = [...])"
        assert False in met, f"{place}: expected a trace that does not meet it"
