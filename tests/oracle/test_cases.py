"""Hand-written traces, good and bad, for every rule: one file for each rule in `cases/`.

A case is a trace, with one event on each line: actor, kind, fields. `# first` and `# second` mark
the two events of the first violation. `signatures` lists all violations of the file's rule (none: a
good trace), `sentences` their sentences, `situations` all situations of that rule that are met.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from vblkfuzz.oracle.judge import RULES, judge
from vblkfuzz.oracle.rule import Rule
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId, Event, Frame
from vblkfuzz.trace.kinds import KINDS
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

_ALL = ~Witness(0)
FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    rule: str
    title: str
    events: tuple[Event, ...]
    first: int | None
    second: int | None
    signatures: tuple[str, ...]
    sentences: tuple[str, ...]
    situations: frozenset[str]
    device: DeviceConfig

    def judge(self) -> Verdict:
        return judge(Scenario(self.device), Trace(self.events, witnesses=_ALL))

    def violations(self) -> list[Violation]:
        return [found for found in self.judge().violations if found.rule == self.rule]


NUMBERS = {kind.name: number for number, kind in KINDS.items()}


def path(names: str) -> int:
    return int.from_bytes(bytes(Frame[name.upper()] for name in names.split(">")), "big")


def event(turn: int, line: str) -> Event:
    actor, kind, *fields = line.split()
    values = dict(field.split("=") for field in fields)
    numbers = {name: path(text) if name == "path" else int(text) for name, text in values.items()}
    return Event(turn, NUMBERS[kind], ActorId[actor.upper()], **numbers)


def marked(lines: list[str], mark: str) -> int | None:
    turns = [turn for turn, line in enumerate(lines) if mark in line.partition("#")[2].split()]
    return turns[0] if turns else None


def case(rule: str, entry: dict[str, Any]) -> Case:
    lines = entry["trace"].strip().splitlines()
    names = {field.name for field in fields(DeviceConfig)}
    return Case(
        rule,
        entry["title"],
        tuple(event(turn, line.partition("#")[0]) for turn, line in enumerate(lines)),
        marked(lines, "first"),
        marked(lines, "second"),
        tuple(entry.get("signatures", ())),
        tuple(entry.get("sentences", ())),
        frozenset(entry.get("situations", ())),
        DeviceConfig(**{name: value for name, value in entry.items() if name in names}),
    )


def load(file: Path) -> list[Case]:
    entries = tomllib.loads(file.read_text())["case"]
    return [case(file.stem.upper(), entry) for entry in entries]


CASES = [loaded for file in sorted(FOLDER.glob("*.toml")) for loaded in load(file)]
BY_RULE = {rule.id: [case for case in CASES if case.rule == rule.id] for rule in RULES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.title}")
def test_case(case: Case) -> None:
    violations = case.violations()
    assert tuple(found.signature for found in violations) == case.signatures
    assert tuple(found.sentence for found in violations) == case.sentences
    if violations:
        first, second = violations[0].first.turn, violations[0].second.turn
        assert (first, second) == (case.first, case.second)
        named = {int(turn) for turn in re.findall(r"turn (\d+)", violations[0].sentence)}
        assert named == {first, second}, violations[0].sentence
    own = {met.name for rule in RULES if rule.id == case.rule for met in rule.situations}
    assert case.judge().situations & own == case.situations


def test_every_case_belongs_to_a_rule() -> None:
    assert {case.rule for case in CASES} == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_good_and_bad_traces(rule: Rule) -> None:
    cases = BY_RULE[rule.id]
    assert any(case.signatures for case in cases)
    assert any(not case.signatures for case in cases)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_situation_is_met_and_missed(rule: Rule) -> None:
    for situation in rule.situations:
        met = [situation.name in case.situations for case in BY_RULE[rule.id]]
        assert True in met
        assert False in met
