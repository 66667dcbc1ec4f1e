"""A killer beside a campaign: ``python -m tests.soak.killer --minutes 30``.

Two campaigns with the same seed run at the same time, with one worker each. A random process of
the first one is killed every two seconds; if that was the orchestrator, it is started again. The
second one is left alone. At the end both are stopped, and what they did is compared. Exit status 1:
less than half the rate, other findings, something left behind, or books that are not right.

Findings are compared as sets, which needs a time in which both meet all of them. The device has
three defects whose findings are met within a minute; of the default device, some take an hour.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from tests.faults.campaign import Campaign
from tests.waiting import until
from vblkfuzz.store.history import LEDGER, read_history

_DEVICE: Final = "reference+config_irq_early+leak_on_error+needs_reset_unsaid"
_WEEK_S: Final = 7 * 24 * 3600
_PROCESSES: Final = 9
"""Processes of a campaign with one worker and a minimizer at work. While it starts there are fewer,
and each of them is killed as seldom as later; else a slow start would never end."""
_SAMPLE_S: Final = 10.0
_RATE: Final = 0.5
"""Least rate of the disturbed campaign, as a share of the other's."""
_DISK: Final = 1 << 30
"""Most bytes in a week, by extrapolation."""


@dataclass(frozen=True)
class Sample:
    """What the processes of a campaign have, all together."""

    second: float
    processes: int
    rss: int
    """Bytes; a page counts once for each process that maps it."""
    fds: int
    threads: int
    disk: int
    """Bytes of the output folder."""
    files: int


@dataclass
class Observed:
    """A campaign, and its samples."""

    name: str
    campaign: Campaign
    began: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)
    """By role."""

    def sample(self) -> None:
        """Note what its processes have now."""
        rss = fds = threads = 0
        running = self.campaign.processes()
        for one in running:
            with suppress(psutil.Error, OSError):
                process = psutil.Process(one.pid)
                rss += process.memory_info().rss
                fds += process.num_fds()
                threads += process.num_threads()
        sizes = list(_sizes(self.campaign.out))
        second = time.monotonic() - self.began
        self.samples.append(Sample(second, len(running), rss, fds, threads, sum(sizes), len(sizes)))

    def figures(self) -> dict[str, Any]:
        """Return what it did, as the ledger and the folder say."""
        records = read_history(self.campaign.out / LEDGER).campaigns
        execs, seconds = sum(one.execs for one in records), time.monotonic() - self.began
        return {
            "name": self.name,
            "campaigns": len(records),
            "execs": execs,
            "execs_per_s": round(execs / seconds, 1),
            "findings": sorted(self.campaign.findings()),
            "inputs": len(self.campaign.inputs()),
            "kills": self.kills,
            **self._over_time(),
        }

    def _over_time(self) -> dict[str, Any]:
        """Compare the second quarter of the time with the last one."""
        quarter = len(self.samples) // 4
        early, late = self.samples[quarter : 2 * quarter], self.samples[-quarter:]
        if not early:
            return {}
        figures: dict[str, Any] = {
            key: [int(median(getattr(one, key) for one in part)) for part in (early, late)]
            for key in ("processes", "rss", "fds", "threads", "disk", "files")
        }
        first, last = self.samples[quarter], self.samples[-1]
        return {**figures, "disk_in_7_days": _after_a_week(first, last)}


def _after_a_week(early: Sample, late: Sample) -> int:
    """Extrapolate the size of the folder, which grows with a power of the time, of 1 at most."""
    power = min(1.0, math.log(late.disk / early.disk) / math.log(late.second / early.second))
    return int(late.disk * (_WEEK_S / late.second) ** power)


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        with suppress(OSError):  # it may have gone since
            yield path.lstat().st_blocks * 512


def _observed(folder: Path) -> Observed:
    folder.mkdir()
    return Observed(folder.name, Campaign(folder))


def _start(one: Observed, options: argparse.Namespace) -> None:
    one.campaign.start(
        *("--workers", "1", "--mode", "processes"),
        *("--seed", str(options.seed), "--device", options.device),
    )


def _kill(one: Observed, chance: random.Random, options: argparse.Namespace) -> None:
    """Kill a random process; start the campaign again if it has ended."""
    running = one.campaign.processes()
    place = chance.randrange(max(_PROCESSES, len(running)))
    victim = running[place] if place < len(running) else None
    if victim is not None:
        one.kills[victim.role] = one.kills.get(victim.role, 0) + 1
        with suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)
    if (victim and victim.role == "orchestrator") or one.campaign.process.poll() is not None:
        status = one.campaign.process.wait()
        if status != -signal.SIGKILL:
            one.kills["ended by itself"] = one.kills.get("ended by itself", 0) + 1
            print(f"ended with {status}: {one.campaign.stderr()}", file=sys.stderr)
        until(lambda: not one.campaign.processes())
        _start(one, options)


def _disturb(killed: Observed, left: Observed, options: argparse.Namespace) -> None:
    """Kill processes until the time is over."""
    chance = random.Random(options.seed)
    end = time.monotonic() + 60 * options.minutes
    next_sample = 0.0
    while time.monotonic() < end:
        time.sleep(options.every)
        _kill(killed, chance, options)
        if time.monotonic() >= next_sample:
            next_sample = time.monotonic() + _SAMPLE_S
            killed.sample()
            left.sample()


def _problems(killed: dict[str, Any], left: dict[str, Any]) -> Iterator[str]:
    """Yield what is not as it has to be."""
    if killed["execs"] < _RATE * left["execs"]:
        yield f"rate: {killed['execs']} executions, {left['execs']} undisturbed"
    if killed["findings"] != left["findings"]:
        lost, more = (
            set(a["findings"]) - set(b["findings"]) for a, b in ((left, killed), (killed, left))
        )
        yield f"findings: without {sorted(lost)}, besides {sorted(more)}"
    if "ended by itself" in killed["kills"]:
        yield "it ended by itself"
    for one in (killed, left):
        if one.get("disk_in_7_days", 0) > _DISK:
            yield f"{one['name']}: {one['disk_in_7_days'] / 2**30:.1f} GiB in 7 days"


def _checked(one: Observed) -> Iterator[str]:
    """End a campaign that works; yield what is wrong with its books and leftovers."""
    one.campaign.until(lambda: "vblk-guest" in one.campaign.roles())
    one.campaign.goes_on()
    ended = one.campaign.stop()
    if ended.status != 130:
        yield f"{one.name}: ended with {ended.status}"
    try:
        one.campaign.check_books(ended)
        one.campaign.check_nothing_left()
    except (AssertionError, OSError) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        yield f"{one.name}: {where.name}: {where.line} {error}"


def main() -> None:
    """Run both campaigns, print what they did as JSON, and exit."""
    parser = argparse.ArgumentParser(description="kill processes of a campaign")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=2, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default=_DEVICE)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-killer-") as folder:
        killed, left = (_observed(Path(folder, name)) for name in ("killed", "left-alone"))
        both = (killed, left)
        try:
            for one in both:
                _start(one, options)
            _disturb(killed, left, options)
            problems = [said for one in both for said in _checked(one)]
            figures = [one.figures() for one in both]
        finally:
            for one in both:
                one.campaign.kill_all()
    problems += _problems(figures[0], figures[1])
    print(json.dumps({"campaigns": figures, "problems": problems}, indent=1))
    raise SystemExit(bool(problems))


if __name__ == "__main__":
    main()
