"""Minimization never ends at another signature: ``pytest -s tests/soak/minimize.py``.

Not collected by a plain `pytest`. VBLKFUZZ_FINDINGS sets how many findings of each device (100),
VBLKFUZZ_SEED where they begin (1). Prints sizes and times of each device.
"""

from __future__ import annotations

import os
import time
from statistics import median

import pytest

from tests.minimize.minimizing import check_minimized
from tests.triage.findings import findings
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.minimize.minimize import minimize
from vblkfuzz.minimize.reproduce import Reproducer
from vblkfuzz.targets.model import model

COUNT = int(os.environ.get("VBLKFUZZ_FINDINGS", "100"))
SEED = int(os.environ.get("VBLKFUZZ_SEED", "1"))
DEVICES = (
    *(revision for revision in REVISIONS if revision != "reference"),
    "reference+cleanup_reads",
    "reference+nested_end_resumes",
    "reference+park_counted",
    "reference+push_twice",
)

pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize("device", DEVICES)
def test_findings(device: str) -> None:
    seconds, ops, deviations, before = [], [], [], []
    with model(device, "inline") as target:
        for finding in findings(target, SEED, COUNT, 100 * COUNT):
            begun = time.perf_counter()
            minimize(finding.scenario, Reproducer(target, finding.bug))
            seconds.append(time.perf_counter() - begun)
            found = check_minimized(target, finding).scenario
            before.append(len(finding.scenario.ops))
            ops.append(len(found.ops))
            deviations.append(len(found.schedule))
    print(
        f"\n{device}: {len(ops)} findings of {median(before)} operations; at most {max(ops)} "
        f"operations and {max(deviations)} deviations left; {median(seconds):.2f} s (median), "
        f"{max(seconds):.2f} s (longest)"
    )
    assert len(ops) == COUNT
