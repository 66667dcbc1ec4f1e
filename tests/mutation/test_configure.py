"""Edits of the device follow the weights in its rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import device_configs
from vblkfuzz.mutation.configure import change_config, new_config, set_units
from vblkfuzz.scenario.device import DEFAULTS, FIELDS, DeviceConfig, Value
from vblkfuzz.scenario.device_header import COUNTS, device_in, header_of

TIMES = 20_000
DRAWN = [name for name, row in FIELDS.items() if row.changed]
"""Fields that are changed unless somebody asks for a value."""


def changes(device: DeviceConfig, times: int) -> list[DeviceConfig]:
    random = Random(1).random
    made = []
    for _ in range(times):
        config = list(header_of(device))
        change_config(config, random)
        made.append(device_in(tuple(config)))
    return made


def differing(one: DeviceConfig, other: DeviceConfig) -> set[str]:
    return {name for name in FIELDS if getattr(one, name) != getattr(other, name)}


@given(device_configs(), st.integers(0, 1 << 32))
def test_a_change_changes_one_field_or_two_that_are_tied(device: DeviceConfig, seed: int) -> None:
    config = list(header_of(device))
    change_config(config, Random(seed).random)
    assert all(value < count for value, count in zip(config, COUNTS, strict=True))
    changed = differing(device, device_in(tuple(config)))
    first, *others = sorted(changed, key=lambda name: bool(FIELDS[name].like))
    assert all(FIELDS[name].like == first for name in others)


@pytest.mark.parametrize("name", DRAWN)
def test_a_field_changes_as_often_as_its_row_says(name: str) -> None:
    """Fields tied by `Row.like` add their weights."""
    together = {one for one, row in FIELDS.items() if name in (one, row.like)} | {FIELDS[name].like}
    parts = sum(row.changed for one, row in FIELDS.items() if one in together)
    made = changes(DeviceConfig(), TIMES)
    count = sum(bool(differing(DeviceConfig(), device) & together) for device in made)
    expected = TIMES * parts / sum(row.changed for row in FIELDS.values())
    assert 0.9 * expected <= count <= 1.1 * expected


def values(name: str) -> set[Value]:
    """What the mutator gives a field: one that it never changes keeps its default."""
    row = FIELDS[name]
    return set(row.values) if row.changed else {DEFAULTS[name]}


@pytest.mark.parametrize("name", DRAWN)
def test_a_change_gives_each_other_value(name: str) -> None:
    """Deterministic: one seed, a bounded number of changes."""
    made = {getattr(device, name) for device in changes(DeviceConfig(), 3000)}
    assert made == values(name)


@pytest.mark.parametrize("name", DRAWN)
def test_a_new_story_takes_values_by_their_weights(name: str) -> None:
    random = Random(2).random
    made: Counter[Value] = Counter(
        getattr(device_in(tuple(new_config(random))), name) for _ in range(TIMES)
    )
    weights = FIELDS[name].new
    for value, parts in weights.items():
        # On average one more field is changed afterwards, usually a different one.
        assert abs(made[value] / TIMES - parts / sum(weights.values())) < 0.1
    assert weights or made.most_common(1)[0][0] == FIELDS[name].values[0]
    assert set(made) == values(name)


def test_a_field_of_weight_0_keeps_what_it_has() -> None:
    left = set(FIELDS) - set(DRAWN)
    assert left == {"ring", "kind", "units", "in_order"}
    for ring in ("split", "packed"):
        assert {each.ring for each in changes(DeviceConfig(ring=ring), 3000)} == {ring}
    random = Random(3).random
    assert {device_in(tuple(new_config(random))).ring for _ in range(3000)} == {"split"}


def test_units_are_chosen_on_request_and_nothing_else_changes() -> None:
    random = Random(4).random
    seen = set()
    for _ in range(300):
        config = new_config(random)
        before = device_in(tuple(config))
        set_units(config, random)
        after = device_in(tuple(config))
        assert replace(after, units=1) == before
        seen.add(after.units)
    assert seen == {1, 2, 3}
