"""The rows of the device, and the formats derived from them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given

from tests.strategies import device_configs
from vblkfuzz import limits
from vblkfuzz.mutation.draft import Draft
from vblkfuzz.scenario import scenario as scenario_module
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, load_artifact
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.device import DEFAULTS, FIELDS, DeviceConfig, Value
from vblkfuzz.scenario.device_header import COUNTS, DEVIATIONS, SIZE, device_in, header_of
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import from_text, to_text

PLAIN = device_in((0,) * SIZE)
EACH = [(name, value) for name, row in FIELDS.items() for value in row.values]


def with_field(device: DeviceConfig, name: str, value: Value) -> DeviceConfig:
    changed: dict[str, Any] = {name: value}
    return replace(device, **changed)


def test_every_field_has_its_row() -> None:
    names = [field.name for field in fields(DeviceConfig)]
    assert list(FIELDS) == list(DEFAULTS) == names


@pytest.mark.parametrize("name", FIELDS)
def test_a_row_makes_sense(name: str) -> None:
    row = FIELDS[name]
    assert len(set(row.values)) == len(row.values) > 1
    assert {type(value) for value in row.values} == {type(DEFAULTS[name])}
    assert DEFAULTS[name] in row.values
    assert set(row.new) <= set(row.values)
    assert row.changed >= 0
    assert not row.like or FIELDS[row.like].byte == row.byte


@pytest.mark.parametrize(("name", "value"), EACH)
@pytest.mark.parametrize("device", [DeviceConfig(), PLAIN], ids=["default", "zeros"])
def test_each_value_alone_survives_every_form(
    name: str, value: Value, device: DeviceConfig
) -> None:
    scenario = Scenario(with_field(device, name, value))
    assert getattr(scenario.device, name) == value
    data = encode(scenario)
    assert decode(data) == scenario
    assert Draft.of(data).pack(MAX_BYTES) == data
    assert from_text(to_text(scenario), "") == scenario
    artifact = Artifact(scenario)
    assert load_artifact(dump_artifact(artifact), "") == artifact


def test_every_pair_of_policies_survives_every_form() -> None:
    for code in range(COUNTS[FIELDS["werror"].byte]):
        header = bytearray(SIZE)
        header[FIELDS["werror"].byte] = code
        scenario = decode(bytes(header))
        assert encode(scenario) == header
        assert from_text(to_text(scenario), "") == scenario


@given(device_configs())
def test_every_device_comes_back(device: DeviceConfig) -> None:
    header = header_of(device)
    assert header[DEVIATIONS] == 0
    assert device_in(tuple(header)) == device
    assert from_text(to_text(Scenario(device)), "").device == device


@pytest.mark.parametrize("at", range(SIZE))
def test_header_bytes_wrap(at: int) -> None:
    """Draft and codec reduce byte values beyond the codes."""
    for value in range(256):
        header = bytearray(SIZE)
        header[at] = value
        reduced = bytearray(SIZE)
        reduced[at] = value % COUNTS[at]
        assert device_in(tuple(header)) == device_in(tuple(reduced))
        assert Draft.of(bytes(header)).config == list(reduced)


def test_codes_in_which_both_policies_are_alike_come_first() -> None:
    """In inputs written when there was one policy, it holds for both."""
    pairs = [device_in((0, 0, 0, 0, code, 0, 0, 0)) for code in range(12)]
    assert [(pair.werror, pair.rerror) for pair in pairs[:3]] == [
        ("report", "report"),
        ("ignore", "ignore"),
        ("stop", "stop"),
    ]
    assert len(set(pairs)) == COUNTS[FIELDS["werror"].byte] == 12


def test_differing_returns_the_fields_without_their_default() -> None:
    assert DeviceConfig().differing() == {}
    device = DeviceConfig(first_index=limits.FIRST_INDICES[1], polling=True)
    assert list(device.differing().items()) == [("polling", True), ("first_index", 0xFFFF)]


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_refuses_a_value_that_it_does_not_have(name: str) -> None:
    for wrong in ("no such", -1, None):
        with pytest.raises(ValueError, match=f"^{name}: expected .*, found {wrong}$"):
            DeviceConfig(**{name: wrong})  # type: ignore[arg-type]  # the wrong type is the point


def test_the_scenario_module_still_exports_the_device() -> None:
    assert scenario_module.DeviceConfig is DeviceConfig
