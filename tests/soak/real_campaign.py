"""A campaign on a real target: what is left after it, and its memory meanwhile.

``pytest -s tests/soak/real_campaign.py``. Not collected by a plain `pytest`.
VBLKFUZZ_SOAK_TARGET says which target (qemu), VBLKFUZZ_SOAK_SECONDS how long (600),
VBLKFUZZ_SOAK_ARGUMENTS what else `fuzz` gets (``--iothread``). Skipped where the target's program
is not installed. `--basetemp FOLDER` says where the findings stay.
PSS shares a page between the processes that map it: the guest process is forked from the fuzz
process again and again, so the sum of RSS would count most of both twice.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

import psutil
import pytest

import vblkfuzz
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qsd.binary import NEEDS_QSD

TARGET = os.environ.get("VBLKFUZZ_SOAK_TARGET", "qemu")
SECONDS = int(os.environ.get("VBLKFUZZ_SOAK_SECONDS", "600"))
ARGUMENTS = shlex.split(os.environ.get("VBLKFUZZ_SOAK_ARGUMENTS", ""))
PERIOD_S = 5
GROWTH_MIB = 20
"""Allowed between the second and the last quarter: corpus and features are kept in memory."""
GRACE_S = 60
"""For the campaign to end after its time is over, on a busy machine too."""
ENDED = (0, 77, 70)
"""Exit codes of a campaign that could judge all it ran (`vblkfuzz fuzz --help`)."""

NEEDS = {"qemu": [NEEDS_QEMU], "qsd": [NEEDS_QSD]}

pytestmark = [pytest.mark.timeout(0), pytest.mark.realdevice, *NEEDS.get(TARGET, [])]


def memory(campaign: psutil.Process) -> dict[str, float]:
    """Return the PSS (MiB) of a campaign's processes, by name."""
    sizes: dict[str, float] = defaultdict(float)
    for process in (campaign, *campaign.children(recursive=True)):
        with suppress(psutil.Error):
            sizes[process.name()] += process.memory_full_info().pss / 2**20
    return sizes


def samples(program: subprocess.Popen[str], seen: set[psutil.Process]) -> Iterator[float]:
    """Yield the sum of PSS now and then until the campaign ends; fill `seen` with its processes."""
    campaign = psutil.Process(program.pid)
    start = time.monotonic()
    while time.monotonic() - start < SECONDS + GRACE_S:
        with suppress(psutil.Error):
            seen.update(campaign.children(recursive=True))
            sizes = memory(campaign)
            shown = ", ".join(f"{name} {size:.1f}" for name, size in sorted(sizes.items()))
            total = sum(sizes.values())
            print(f"{time.monotonic() - start:4.0f} s: PSS {total:.1f} MiB ({shown})", flush=True)
            yield total
        with suppress(subprocess.TimeoutExpired):
            program.wait(PERIOD_S)
            return


def test_a_campaign_ends_leaves_nothing_and_stays_small(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    path = str(Path(vblkfuzz.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(temporary)}
    command = [
        *(sys.executable, "-m", "vblkfuzz", "fuzz", "--target", TARGET, "--workers", "1"),
        *("--seed", "1", "--out", str(tmp_path / "out"), "--max-total-time", str(SECONDS)),
        *ARGUMENTS,
        "--json",
    ]
    seen: set[psutil.Process] = set()
    with tempfile.TemporaryFile("w+") as said:
        program = subprocess.Popen(command, stdout=said, text=True, env=environment)
        try:
            sizes = list(samples(program, seen))
            code = program.poll()
        finally:
            program.kill()
            program.wait()
        said.seek(0)
        summary = json.loads(said.readlines()[-1])
    print({name: value for name, value in summary.items() if not isinstance(value, (list, dict))})
    assert code in ENDED
    assert summary["harness_errors"] == 0
    assert not [process for process in seen if process.is_running()]
    assert not list(temporary.iterdir())
    quarter = len(sizes) // 4
    early, late = median(sizes[quarter : 2 * quarter]), median(sizes[-quarter:])
    print(f"PSS {early:.1f} MiB early, {late:.1f} MiB late, {max(sizes):.1f} MiB at most")
    assert late - early < GROWTH_MIB
