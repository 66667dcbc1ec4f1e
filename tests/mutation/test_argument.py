"""Arguments: every record is canonical, and small values are preferred."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import ops
from vblkfuzz.mutation.argument import PARAMS, changed_record, new_record
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.codec import OP, decode_ops
from vblkfuzz.scenario.op import Op


@given(st.integers(0, len(OPS) - 1), st.integers(0, 999))
def test_a_new_record_is_canonical(code: int, seed: int) -> None:
    record = new_record(code, Random(seed).random)
    assert OP.pack(*decode_ops(record)[0]) == record
    assert record[0] == code


@given(ops(), st.integers(0, 999))
def test_one_argument_changes(operation: Op, seed: int) -> None:
    record = changed_record(OP.pack(*operation), Random(seed).random)
    changed = decode_ops(record)[0]
    assert OP.pack(*changed) == record
    assert changed.code == operation.code
    differ = sum(old != new for old, new in zip(operation, changed, strict=True))
    assert differ == bool(operation.spec.params)


def test_picks_are_values_of_their_parameter() -> None:
    for params in PARAMS:
        for _, picks, count in params:
            assert all(0 <= pick < count for pick in picks)


def test_small_sectors_are_preferred() -> None:
    random = Random(1).random
    made = [decode_ops(new_record(CODES["publish_kick"], random))[0] for _ in range(2000)]
    assert sum(operation.args["sector"] == 0 for operation in made) > 400
    assert sum(int(operation.args["sector"]) < 8 for operation in made) > 250


@pytest.mark.parametrize("code", range(len(OPS)))
def test_every_value_is_reached(code: int) -> None:
    random = Random(1).random
    made = [OP.unpack(new_record(code, random)) for _ in range(4000)]
    for param in OPS[code].params:
        reached = {fields[1 + param.field] for fields in made}
        assert len(reached) > 0.5 * param.count if param.count > 16 else len(reached) == param.count
