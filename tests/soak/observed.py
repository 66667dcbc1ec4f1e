"""What a campaign has over time: its processes, their memory, fds and threads, its folder."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from tests.faults.campaign import Campaign
from vblkfuzz.store.history import LEDGER, read_history

_WEEK_S: Final = 7 * 24 * 3600
SAMPLE_S: Final = 10.0
"""Seconds between two samples."""
DISK: Final = 1 << 30
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

    @classmethod
    def of(cls, folder: Path) -> Observed:
        """Return one that works in a new folder, named like it."""
        folder.mkdir()
        return cls(folder.name, Campaign(folder))

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
