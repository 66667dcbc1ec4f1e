"""The rows of the alphabet, and `Op`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given

from tests.strategies import ops
from vblkfuzz.api import run
from vblkfuzz.dataplane.backend_control import BackendControl
from vblkfuzz.dataplane.environment import Environment
from vblkfuzz.dataplane.machine import check_methods
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.limits import MAX_POINT
from vblkfuzz.scenario.alphabet.ops import CODES, OPS, in_order
from vblkfuzz.scenario.alphabet.param import ARGS, WIDE, Choice
from vblkfuzz.scenario.alphabet.spec import DRAINED, HOLDING, OpSpec, Owner
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import END, OP


def row(code: int, name: str, sets: int = 0) -> OpSpec:
    return OpSpec(code=code, name=name, summary="It is done.", weight=1, sets=sets)


@given(ops())
def test_an_op_is_its_name_and_arguments(one: Op) -> None:
    assert op(one.name, **one.args) == one


@pytest.mark.parametrize("spec", OPS, ids=lambda spec: spec.name)
def test_parameters_fit_their_fields(spec: OpSpec) -> None:
    fields = [param.field for param in spec.params]
    assert len(fields) == len(set(fields)), "two parameters in one field"
    assert all(0 <= field < ARGS for field in fields)
    assert all(param.count <= (256 if param.field < WIDE else 65536) for param in spec.params)


@pytest.mark.parametrize("spec", OPS, ids=lambda spec: spec.name)
def test_picked_values_exist(spec: OpSpec) -> None:
    for param in spec.params:
        assert all(0 <= stored < param.count for stored in param.picks)


@pytest.mark.parametrize("spec", OPS, ids=lambda spec: spec.name)
def test_all_names_in_a_row_exist(spec: OpSpec) -> None:
    words = [word for text in spec.around for word in text.replace("|", " ").split()]
    names = [*words, *filter(None, (spec.end, spec.plainer))]
    assert [name for name in names if name.partition(":")[0] not in CODES] == []
    assert all(text.count("|") == 1 for text in spec.around)
    assert not spec.path_frame or spec.path_frame.upper() in Frame.__members__
    assert spec.weight > 0
    assert 1 <= spec.reach <= MAX_POINT
    assert spec.summary.endswith(".")


@pytest.mark.parametrize("spec", [spec for spec in OPS if spec.end], ids=lambda spec: spec.name)
def test_an_end_clears_what_its_begin_sets(spec: OpSpec) -> None:
    assert spec.sets
    assert OPS[CODES[spec.end]].clears & spec.sets == spec.sets


def test_codes_are_positions() -> None:
    assert [spec.code for spec in OPS] == list(range(len(OPS)))
    assert len(OPS) <= 256


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([row(0, "a"), row(0, "b")], "operation b: expected code 1, found 0"),
        ([row(0, "a"), row(2, "b")], "operation b: expected code 1, found 2"),
        ([row(0, "a"), row(1, "a")], "operation a: two rows have this name"),
        ([row(0, "a", sets=HOLDING)], "operation a: expected end=, the operation that clears"),
        (
            [replace(row(0, "a"), needs=2 * DRAINED)],
            "operation a: a bit that it names is not below DRAINED",
        ),
    ],
)
def test_rows_that_clash(rows: list[OpSpec], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        in_order(rows)


MODEL: dict[Owner, type] = {
    "guest": GuestDriver,
    "operator": Operator,
    "backend": BackendControl,
    "environment": Environment,
}
"""The class that executes an owner's operations, each in the method of the operation's name."""


@pytest.mark.parametrize("spec", OPS, ids=lambda spec: spec.name)
def test_every_row_has_a_method(spec: OpSpec) -> None:
    assert callable(getattr(MODEL[spec.owner], spec.name, None))


def test_a_row_without_a_method_is_refused() -> None:
    problem = r"test_alphabet: expected a method poll_on of Idle, for its row in the alphabet"
    with pytest.raises(TypeError, match=problem):
        check_methods({"environment": Idle})


class Idle:
    """An environment that does nothing."""


@pytest.mark.parametrize(
    ("owner", "others"),
    [
        ("guest", {"run", "rest"}),
        ("operator", {"execute", "unfinished", "flush_all", "begin_power_loss"}),
        ("backend", set()),
        ("environment", set()),
    ],
)
def test_every_method_has_a_row(owner: Owner, others: set[str]) -> None:
    names = [name for name in dir(MODEL[owner]) if not name.startswith("_")]
    methods = {name for name in names if callable(getattr(MODEL[owner], name))}
    assert methods - others == {spec.name for spec in OPS if spec.owner == owner}


@pytest.mark.parametrize("spec", OPS, ids=lambda spec: spec.name)
def test_every_operation_ends_on_the_model(spec: OpSpec) -> None:
    scenario = Scenario(ops=(op("init"), Op(spec.code)))
    events = run(scenario, "reference").trace.events
    assert events[-1].kind == END
    assert spec.code in [event.flag for event in events if event.kind == OP]


def variants(spec: OpSpec) -> Iterator[Op]:
    """Yield an operation with all first values, then with each other value of each choice."""
    yield Op(spec.code)
    for param in spec.params:
        if isinstance(param, Choice):
            for stored in range(1, param.count):
                arguments = [0] * ARGS
                arguments[param.field] = stored
                yield Op(spec.code, *arguments)


@pytest.mark.parametrize("spec", OPS, ids=lambda spec: spec.name)
def test_a_request_after_it_is_served_by_a_correct_device(spec: OpSpec) -> None:
    opens = (
        "If it opens something: expected sets= and end= in its row, and a line in `unfinished` of "
        "each target"
    )
    for one in variants(spec):
        ran = run(Scenario(ops=(op("init"), one, op("publish_kick"))))
        place = f"alphabet/{spec.owner}.py: {one}"
        found = [violation.sentence for violation in ran.verdict.violations]
        assert not found, f"{place}: {found[0]} {opens}"
        added = [event.flag for event in ran.trace.events if event.kind == OP and event.head]
        assert added[-1:] == [CODES["collect"]], f"{place}: the guest collects nothing. {opens}"


def test_a_qtest_program_has_a_method_for_each_qtest_operation() -> None:
    text = (files("vblkfuzz.export") / "qtest_program.txt").read_text()
    methods = set(re.findall(r"^    def (\w+)\(", text, re.MULTILINE))
    assert {spec.name for spec in OPS if spec.qtest} <= methods


def test_the_repr_of_an_op_is_its_short_form() -> None:
    assert repr(op("kick", queue=2)) == "kick(queue=2)"
    assert repr(op("reset")) == "reset()"


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("kik", {}, "expected one of init, publish, .*, found 'kik'"),
        ("kick", {"sector": 1}, "sector: kick takes queue"),
        ("stop", {"queue": 1}, "queue: stop takes no arguments"),
        ("kick", {"queue": 4}, r"queue: expected 0\.\.3, found 4"),
        ("kick", {"queue": -1}, r"queue: expected 0\.\.3, found -1"),
        ("kick", {"queue": True}, "queue: expected an integer, found True"),
        ("kick", {"queue": "1"}, "queue: expected an integer, found '1'"),
        ("publish", {"request": "read"}, "request: expected one of in, out, .*, found 'read'"),
    ],
)
def test_errors_of_op(name: str, arguments: dict[str, int | str], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        op(name, **arguments)
