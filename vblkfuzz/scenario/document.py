"""Scenario <-> document: the fields that the text form and the artifact share.

    device     table of the `DeviceConfig` fields that differ from their default, may be empty. A
               missing field has its default. A missing `rerror` has the value of `werror`, if
               `rerror` can take it: older files have one field for both (`Row.like`)
    ops        array of tables: {op = NAME, ARGUMENT = VALUE, ...}; `actor` may repeat
               the op's owner
    schedule   array of tables, see `scenario.schedule_table`
    expect     table: the expected verdict, and the device it holds on. `target` names what has that
               device, if it is not the model

Operations and arguments are stored by name, so a file stays readable when operations or arguments
are appended to the alphabet. The reader checks every field (`vblkfuzz.scenario.field`) and raises
`FieldError`; it never imports or runs anything that a file names.

Read next: `vblkfuzz.scenario.text` and `vblkfuzz.scenario.artifact`, the two ways to store it.
"""

from __future__ import annotations

from typing import Any, Final, cast

from vblkfuzz import limits
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.param import ARGS, Choice, Param, stored_of
from vblkfuzz.scenario.device import DEFAULTS, DeviceConfig, Value, left_out
from vblkfuzz.scenario.expectation import VERDICT_KINDS, Expectation, VerdictKind
from vblkfuzz.scenario.field import (
    FieldError,
    Table,
    array_at,
    choice_at,
    integer_at,
    mismatch,
    table_at,
    text_at,
)
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.schedule_table import schedule_of, table_of

SCENARIO_KEYS: Final = ("ops", "schedule", "device")

_NAMES: Final = ("rule", "signature", "target", "on")
"""Keys of an expectation that are texts, in order."""
_TYPE_NAMES: Final[dict[type, str]] = {bool: "true or false", int: "an integer", str: "a text"}


def document_of(scenario: Scenario) -> dict[str, Table | list[Table]]:
    """Return a scenario as a document with the keys `SCENARIO_KEYS`, in that order."""
    return {
        "ops": [{"op": op.name, **op.args} for op in scenario.ops],
        "schedule": [table_of(item) for item in scenario.schedule],
        "device": _device_table(scenario.device),
    }


def scenario_of(document: Table) -> Scenario:
    """Return the scenario in a document. Keys other than `SCENARIO_KEYS` are ignored.

    Raises:
        FieldError: a field is unknown, of the wrong type or out of range.
    """
    ops = array_at("ops", document.get("ops", []), limits.MAX_OPS)
    return Scenario(
        device_of(document.get("device", {})),
        tuple(op_of(f"ops[{index}]", item) for index, item in enumerate(ops)),
        schedule_of(document.get("schedule", [])),
    )


def _device_table(device: DeviceConfig) -> Table:
    """Return the fields that differ from their default, or from what a file without them means."""
    values: dict[str, Value] = {name: getattr(device, name) for name in DEFAULTS}
    return {
        name: value
        for name, value in values.items()
        if value != DEFAULTS[name] or value != left_out(name, values)
    }


def device_of(value: object) -> DeviceConfig:
    """Return the device configuration in a table."""
    named: dict[str, Any] = table_at("device", value, DEFAULTS)
    for name, found in named.items():
        _check_device_field(f"device.{name}", name, found, type(DEFAULTS[name]))
    return DeviceConfig(**{name: named.get(name, left_out(name, named)) for name in DEFAULTS})


def _check_device_field(place: str, name: str, value: object, expected: type) -> None:
    if type(value) is not expected:
        raise mismatch(place, _TYPE_NAMES[expected], value)
    if isinstance(value, int) and not isinstance(value, bool):
        integer_at(place, value, 0, 0xFFFF)
    only: dict[str, Any] = {name: value}
    try:
        DeviceConfig(**only)
    except ValueError as error:
        raise FieldError(place, str(error).removeprefix(f"{name}: ")) from None


def op_of(place: str, value: object) -> Op:
    """Return the operation in a table. A missing argument takes its lowest or first value."""
    if not isinstance(value, dict):
        raise mismatch(place, "a table", value)
    code = CODES[choice_at(f"{place}.op", value.get("op"), CODES)]
    spec = OPS[code]
    known = {param.name: param for param in spec.params}
    table = table_at(place, value, ("op", *known, "actor"))
    if table.get("actor", spec.owner) != spec.owner:
        raise mismatch(f"{place}.actor", f"{spec.owner}, the owner of {spec.name}", table["actor"])
    stored = [0] * ARGS
    for name, param in known.items():
        if name in table:
            stored[param.field] = _stored_at(f"{place}.{name}", param, table[name])
    return Op(code, *stored)


def _stored_at(place: str, param: Param, value: object) -> int:
    if isinstance(param, Choice):
        return stored_of(param, choice_at(place, value, param.values))
    return stored_of(param, integer_at(place, value, param.low, param.high))


def expectation_of(value: object) -> tuple[Expectation, str, str]:
    """Return the expectation in a table, and the device and target it holds on (empty: not given).

    Raises:
        FieldError: also if there is a target without a device.
    """
    table = table_at("expect", value, ("verdict", *_NAMES))
    verdict = choice_at("expect.verdict", table.get("verdict"), VERDICT_KINDS)
    rule, signature, target, device = (
        text_at(f"expect.{key}", table.get(key, "")) for key in _NAMES
    )
    if target and not device:
        raise FieldError("expect.on", f"expected the device of target {target}, found none")
    device = device if target else current_name(device)
    return Expectation(cast(VerdictKind, verdict), rule, signature), device, target
