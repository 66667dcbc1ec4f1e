"""The claim of tests/targets/equality.py on many inputs: ``pytest tests/soak/equality.py``.

Not collected by a plain `pytest`. VBLKFUZZ_INPUTS sets the number of inputs (5000), VBLKFUZZ_SEED
where they begin (1).
"""

from __future__ import annotations

import os

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.targets.equality import check_forms, check_modes
from vblkfuzz.dataplane.revisions import REVISIONS

COUNT = int(os.environ.get("VBLKFUZZ_INPUTS", "5000"))
SEED = int(os.environ.get("VBLKFUZZ_SEED", "1"))

pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize("device", REVISIONS)
def test_modes(device: str) -> None:
    outcomes = check_modes(device, fuzz_inputs(SEED, COUNT))
    errors = [outcome for outcome in outcomes if len(outcome) != 32]
    print(f"{device}: {COUNT} inputs, {len(set(outcomes))} traces, errors: {errors}")
    assert errors == []


def test_forms() -> None:
    for data in fuzz_inputs(SEED, COUNT):
        check_forms(data)
