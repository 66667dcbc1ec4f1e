"""Planted defects: the kill matrix, what is known of each, and how they are named and combined."""

from __future__ import annotations

import ast
from collections.abc import Container
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.dataplane import defects
from vblkfuzz.dataplane.defects import DEFECTS, with_defects
from vblkfuzz.dataplane.defects.registry import by_name
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.errors import UsageError
from vblkfuzz.limits import MAX_NESTING, MAX_STEPS
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.oracle.judge import RULES, judge
from vblkfuzz.scenario.codec import MAX_BYTES, decode
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import Text, read_text
from vblkfuzz.targets.device_class import defective, device_class, is_revision
from vblkfuzz.targets.model import MODES, model
from vblkfuzz.trace.kinds import END, START_CALL, STEP_LIMIT

CHECKOUT = Path(__file__).resolve().parent.parent.parent
CORPUS = CHECKOUT / "corpus" / "defects"
FILES = sorted(Path(defects.__file__).parent.glob("*.py"))


def story(name: str) -> Text:
    path = CORPUS / name / "scenario.toml"
    assert path.exists(), f"defect {name}: expected corpus/defects/{name}/scenario.toml"
    return read_text(path.read_text(), path.name)


def violations(device: str, scenario: Scenario) -> set[tuple[str, str]]:
    with model(device, "inline") as target:
        found = judge(scenario, target.run(scenario)).violations
    return {(each.rule, each.signature) for each in found}


def rules(device: str, scenario: Scenario) -> tuple[str, ...]:
    return tuple(sorted({rule for rule, _ in violations(device, scenario)}))


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_killed_by_its_rules(name: str) -> None:
    assert rules(f"reference+{name}", story(name).scenario) == DEFECTS[name].rules


@pytest.mark.parametrize("name", DEFECTS)
def test_its_scenario_says_so(name: str) -> None:
    text = story(name)
    assert text.on == f"reference+{name}"
    assert text.expectation is not None
    found = violations(text.on, text.scenario)
    assert (text.expectation.rule, text.expectation.signature) in found
    assert (CORPUS / name / "scenario.toml").read_text().startswith("# ")


@pytest.mark.parametrize("name", DEFECTS)
def test_the_reference_is_clean(name: str) -> None:
    assert rules("reference", story(name).scenario) == ()


@pytest.mark.parametrize("name", DEFECTS)
def test_what_is_known_of_it_is_complete(name: str) -> None:
    defect = DEFECTS[name]
    assert all(astuple(defect))
    assert defect.name == name
    assert defect.mechanism.endswith(".")
    assert "\n" not in defect.mechanism
    assert tuple(sorted(defect.rules)) == defect.rules


def test_every_scenario_belongs_to_a_defect() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(DEFECTS)


def test_every_rule_kills_something() -> None:
    killers = {rule for defect in DEFECTS.values() for rule in defect.rules}
    assert {rule.id for rule in RULES} - killers == NOT_YET


NOT_YET = {
    "PLANTED",
    "CRASH",
    "HANG",
    "S38",
    "S40",
    "S42",
    "S43",
    "S44",
    "S45",
    "S46",
    "S47",
    "S48",
    "S49",
    "S50",
    "L6",
}
"""PLANTED is for test devices, the others are for real ones."""


def left_out(code: str, names: Container[str]) -> list[str]:
    """Return the defects that code makes and that are not among `names`."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    made = [name_in(call) for call in calls if ast.unparse(call.func) == "Defect"]
    return [name for name in made if name not in names]


def name_in(call: ast.Call) -> str:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return str(ast.literal_eval(call.args[0] if call.args else named["name"]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_defect_is_in_a_family(path: Path) -> None:
    missing = left_out(path.read_text(), DEFECTS)
    assert not missing, f"dataplane/defects/{path.name}: expected {missing[0]} in FAMILY"


def test_one_that_is_left_out() -> None:
    code = '_NEW = Defect("new", 2026, "", "", (), ())\nFAMILY = (Defect("old", 2026),)'
    assert left_out(code, {"old"}) == ["new"]


def test_a_name_is_given_once() -> None:
    defect = DEFECTS["push_twice"]
    with pytest.raises(ValueError, match="defect push_twice: two defects have this name"):
        by_name([defect, defect])


def test_two_defects_at_once() -> None:
    both = "reference+cleanup_reads+push_twice"
    assert "S1" in rules(both, story("cleanup_reads").scenario)
    assert "S5" in rules(both, story("push_twice").scenario)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_defect_in_any_revision(revision: str) -> None:
    assert "S5" in rules(f"{revision}+push_twice", story("push_twice").scenario)


@pytest.mark.parametrize("name", DEFECTS)
def test_any_two_defects_give_a_whole_trace(name: str) -> None:
    """In both orders: each test has its defect first."""
    scenario = story(name).scenario
    for other in DEFECTS:
        with model(defective("reference", [name, other]), "inline") as target:
            trace = target.run(scenario)
        judge(scenario, trace)
        assert trace.events[-1].kind in (END, STEP_LIMIT)


@pytest.mark.parametrize("mode", MODES)
def test_two_defects_that_recurse_never_settle(mode: str) -> None:
    """Attaching handles the queue, and that starts the device, which attaches the queue."""
    both = defective("reference", ["selfkick_inline", "attach_before_started"])
    with model(both, mode) as target:
        trace = target.run(story("selfkick_inline").scenario)
    starts = [event for event in trace.events if event.kind == START_CALL]
    assert MAX_NESTING / 2 < len(starts) <= MAX_NESTING
    assert trace.steps == MAX_STEPS
    assert "L5" in {
        each.rule for each in judge(story("selfkick_inline").scenario, trace).violations
    }


@given(st.lists(st.sampled_from(list(DEFECTS)), max_size=4), st.integers(0, 1 << 20))
def test_any_defects_together_give_a_whole_trace(names: list[str], seed: int) -> None:
    mutator, data = Mutator(seed), b""
    with model(defective("reference", names), "inline") as target:
        for _ in range(8):
            data = mutator.mutate(data, MAX_BYTES)
            judge(decode(data), target.run(decode(data)))


def test_all_defects_at_once() -> None:
    device = device_class(defective("reference", DEFECTS))
    mixins = {mixin for defect in DEFECTS.values() for mixin in defect.mixins}
    queues = (device.device_queue, device.packed_queue)
    parts = (device, device.block_backend, device.queue_port, *queues, device.operator)
    used = {each for part in (*parts, device.aio_context) for each in part.__mro__}
    assert mixins <= used


def test_the_plain_device_stays_as_it_is() -> None:
    assert device_class("reference") is REVISIONS["reference"]
    planted = with_defects(REVISIONS["reference"], ["push_twice", "push_twice"])
    assert planted.block_backend is REVISIONS["reference"].block_backend
    assert planted.queue_port is REVISIONS["reference"].queue_port


@pytest.mark.parametrize("name", ["reference+nonsense", "reference+", "reference+push_twice+"])
def test_no_such_defect(name: str) -> None:
    assert not is_revision(name)
    with pytest.raises(UsageError) as raised:
        device_class(name)
    assert "no such defect" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_may_name_a_defect() -> None:
    assert is_revision("patch-v4+no_selfkick+cleanup_reads")
    assert not is_revision("elsewhere.py:Device+no_selfkick")
