"""The op alphabet."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.strategies import ops
from vblkfuzz.scenario.ops import ARGS, CODES, OPS, WIDE, Op, OpSpec, op


@given(ops())
def test_an_op_is_its_name_and_arguments(one: Op) -> None:
    assert op(one.name, **one.args) == one


@pytest.mark.parametrize("spec", OPS, ids=lambda spec: spec.name)
def test_parameters_fit_their_fields(spec: OpSpec) -> None:
    fields = [param.field for param in spec.params]
    assert len(fields) == len(set(fields)), "two parameters in one field"
    assert all(0 <= field < ARGS for field in fields)
    assert all(param.count <= (256 if param.field < WIDE else 65536) for param in spec.params)


def test_names_are_unique() -> None:
    assert len(CODES) == len(OPS) <= 256


def test_an_op_prints_as_one_writes_it() -> None:
    assert repr(op("kick", queue=2)) == "kick(queue=2)"
    assert repr(op("reset")) == "reset()"


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("kik", {}, "expected one of init, publish, .*, found 'kik'"),
        ("kick", {"sector": 1}, "sector: kick takes queue"),
        ("reset", {"queue": 1}, "queue: reset takes no arguments"),
        ("kick", {"queue": 4}, r"queue: expected 0\.\.3, found 4"),
        ("kick", {"queue": -1}, r"queue: expected 0\.\.3, found -1"),
        ("kick", {"queue": True}, "queue: expected an integer, found True"),
        ("kick", {"queue": "1"}, "queue: expected an integer, found '1'"),
        ("publish", {"request": "read"}, "request: expected one of in, out, .*, found 'read'"),
    ],
)
def test_what_is_no_operation(name: str, arguments: dict[str, int | str], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        op(name, **arguments)
