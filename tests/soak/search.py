"""How many executions campaigns need for small mistakes: ``pytest -s tests/soak/search.py``.

Not collected by a plain `pytest`. One campaign for each mistake and seed, inline, from an empty
corpus, to its first finding or the end of its executions; a line for each. `-k NAME` chooses.
Executions do not depend on the load of the machine.

VBLKFUZZ_RUNS: executions of a campaign at most (20000). VBLKFUZZ_SEEDS: how many seeds (5).
VBLKFUZZ_DEVICES: further devices, as in `--device` of `vblkfuzz fuzz`, with spaces between them.
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median

import pytest

from tests.soak.campaigns import SEEDS, run_campaign

RUNS = int(os.environ.get("VBLKFUZZ_RUNS", "20000"))
HERE = Path(__file__).parent / "small_mistakes.py"
MISTAKES = (
    "EndNotCleared",
    "EndReadAsZeroes",
    "CallLostAtWrap",
    "DropWhenDraining",
    "DropWhenOtherBusy",
)
DEVICES = (
    *(f"{HERE}:{name}" for name in MISTAKES),
    *os.environ.get("VBLKFUZZ_DEVICES", "").split(),
)

pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize("device", DEVICES)
def test_most_seeds_find_it(device: str) -> None:
    found = [execs_to_find(device, seed) for seed in SEEDS]
    print(device.rpartition(":")[2], found, flush=True)
    assert median(found) < RUNS, f"{device}: not found in {RUNS:,} executions by most seeds"


def execs_to_find(device: str, seed: int) -> int:
    """Run one campaign; return its executions until the first finding, RUNS if there is none."""
    budget = ("--runs", str(RUNS), "--stop-on-first", "--workers", "1", "--mode", "inline")
    name = device.rpartition(":")[2]
    summary = run_campaign(
        "--device", device, "--seed", str(seed), *budget, keep=f"search-{name}-{seed}"
    )
    return min((one["first_exec"] for one in summary["findings"]), default=RUNS)
