"""Memory of a worker's processes over time: ``pytest -s tests/soak/memory.py``.

Not collected by a plain `pytest`. VBLKFUZZ_SOAK_SECONDS sets how long the campaign runs (600).
RSS counts a page once for each process that maps it, so the sum is the worst case; PSS is printed
for comparison.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

import psutil
import pytest

import vblkfuzz

SECONDS = int(os.environ.get("VBLKFUZZ_SOAK_SECONDS", "600"))
LIMIT_MIB = 250
GROWTH_MIB = 5
"""Noise allowed between the second and the last quarter: libFuzzer keeps the corpus in memory."""
ACTORS = ("vblk-zygote", "vblk-device", "vblk-guest")

pytestmark = pytest.mark.timeout(0)
Memory = dict[str, float]


def memory(campaign: psutil.Process) -> tuple[Memory, Memory]:
    """Return RSS and PSS (MiB) of the one worker's processes, by name."""
    rss, pss = {}, {}
    for process in campaign.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            name = process.name() if process.name() in ACTORS else "fuzz process"
            full = process.memory_full_info()
            rss[name], pss[name] = full.rss / 2**20, full.pss / 2**20
    return rss, pss


def samples(campaign: psutil.Process) -> Iterator[Memory]:
    """Yield the RSS of a worker's processes about once a second."""
    for second in range(SECONDS):
        time.sleep(1)
        rss, pss = memory(campaign)
        if len(rss) == 1 + len(ACTORS):
            yield rss
        if second % 15 == 0:
            shown = ", ".join(f"{name} {size:.1f}" for name, size in sorted(rss.items()))
            total = f"RSS {sum(rss.values()):.1f}, PSS {sum(pss.values()):.1f}"
            print(f"{second:4} s: {total} MiB ({shown})", flush=True)


def test_a_workers_processes_stay_small(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "vblkfuzz", "fuzz", "--workers", "1", "--device", "reference"),
        *("--seed", "1", "--out", str(tmp_path), "--max-total-time", str(SECONDS + 10)),
    ]
    path = str(Path(vblkfuzz.__file__).parents[1])
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path}
    ) as program:
        seen = list(samples(psutil.Process(program.pid)))
    assert len(seen) > 0.8 * SECONDS
    quarter = len(seen) // 4
    for name in seen[0]:
        sizes = [rss[name] for rss in seen]
        early, late = median(sizes[quarter : 2 * quarter]), median(sizes[-quarter:])
        print(f"{name}: {early:.1f} MiB early, {late:.1f} MiB late, {max(sizes):.1f} MiB at most")
        assert late - early < GROWTH_MIB, name
    assert max(sum(rss.values()) for rss in seen) < LIMIT_MIB
