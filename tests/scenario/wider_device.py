"""Checks on a package whose device has one more field; run by test_wider_device.py.

Arguments: the name of the field, and a file with inputs made without it: a JSON list of pairs, each
an input in hexadecimal and the fields of its device.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import Phase, find, settings

from tests.strategies import device_configs
from vblkfuzz.minimize.weight import weight
from vblkfuzz.mutation.configure import change_config, new_config
from vblkfuzz.mutation.draft import Draft
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, load_artifact
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.device import DEFAULTS, FIELDS, DeviceConfig, Value, left_out
from vblkfuzz.scenario.device_header import device_in
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import from_text, to_text

QUICK = settings(database=None, phases=(Phase.generate,))


def device(**fields: Any) -> DeviceConfig:  # noqa: ANN401  # a field the type checker does not know
    return DeviceConfig(**fields)


def named(name: str, scenario: Scenario) -> bool:
    return any(line.startswith(f"{name} = ") for line in to_text(scenario).splitlines())


def check_value(name: str, value: Value) -> None:
    """Check that every form and the test strategy support the value."""
    for other in (DeviceConfig(), device(werror="enospc", disk_sectors=8, polling=True)):
        changed: dict[str, Any] = {name: value}
        scenario = Scenario(replace(other, **changed))
        assert getattr(scenario.device, name) == value
        data = encode(scenario)
        assert decode(data) == scenario
        assert Draft.of(data).pack(MAX_BYTES) == data
        assert from_text(to_text(scenario), "") == scenario
        meant = {DEFAULTS[name], left_out(name, asdict(other))}
        assert named(name, scenario) == (meant != {value})
        assert load_artifact(dump_artifact(Artifact(scenario)), "").scenario == scenario
        assert (weight(scenario) > weight(Scenario(other))) == (value != DEFAULTS[name])
    found = find(device_configs(), lambda one: getattr(one, name) == value, settings=QUICK)
    assert getattr(found, name) == value


def reached(name: str) -> dict[str, set[Value]]:
    """Return the values that new stories, changes and the whole mutator produce, in that order."""
    random, mutator = Random(1).random, Mutator(1)
    config, data = [0] * len(new_config(random)), b""
    found: dict[str, set[Value]] = {"new": set(), "changed": set(), "mutated": set()}
    for _ in range(1000):
        found["new"].add(getattr(device_in(tuple(new_config(random))), name))
        change_config(config, random)
        found["changed"].add(getattr(device_in(tuple(config)), name))
        data = mutator.mutate(data, MAX_BYTES)
        found["mutated"].add(getattr(decode(data).device, name))
    return found


def check_old_inputs(name: str, inputs: list[tuple[str, dict[str, Value]]]) -> None:
    for data, fields in inputs:
        scenario = decode(bytes.fromhex(data))
        meant = left_out(name, fields)
        assert asdict(scenario.device) == {**fields, name: meant}
        assert encode(scenario).hex() == data
        assert named(name, scenario) == (meant != DEFAULTS[name])


def check_refused(name: str) -> None:
    try:
        device(**{name: "no such"})
    except ValueError as error:
        assert str(error).startswith(f"{name}: expected one of ")
        return
    raise AssertionError("an invalid value was accepted")


def main(name: str, old_inputs: str) -> None:
    for value in FIELDS[name].values:
        check_value(name, value)
    assert list(reached(name).values()) == [set(FIELDS[name].values)] * 3
    check_refused(name)
    check_old_inputs(name, json.loads(Path(old_inputs).read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])
