"""One trial of `vblkfuzz bench detect`: one search for the bug of one device, with one seed.

A trial is a process of its own, so that what it costs can be told and it leaves nothing. It is
forked from one that has imported what it needs (`bench.warm`). CPU seconds are those that a user of
the search would spend: the start-up of Python and the imports count in each trial, though they were
measured once.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.bench.searches.registry import SEARCHES

if TYPE_CHECKING:
    from vblkfuzz.bench.searches.search import Budget

RESULT: Final = "trial.json"
"""File of the result in the folder of a trial."""
SAID: Final = "stderr"
"""File of what it says."""


class Key(NamedTuple):
    """Which trial it is."""

    device: str
    search: str
    seed: int


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of one trial."""

    device: str
    """As in ``--device`` of `vblkfuzz fuzz`."""
    search: str
    seed: int
    execs: int
    """Executions until the finding, that one included; if there is none, until the limit."""
    cpu_s: float
    """CPU seconds, start-up included."""
    seconds: float
    """Seconds on the clock, without the start-up."""
    found: str
    """Signature of the finding; empty: there is none, the trial is censored."""
    load: float
    """Load average of the machine (one minute) when it ended."""
    file: str = ""
    """Digest of the file of a user's device."""
    start_s: float = 0.0
    """Those of the CPU seconds that are start-up."""

    @property
    def key(self) -> Key:
        """Which trial it is."""
        return Key(self.device, self.search, self.seed)


def run_trial(key: Key, budget: Budget, folder: Path, start_s: float) -> Trial:
    """Run a trial in this process, which was forked for it.

    Args:
        key: which one. Its search is prepared, and has drawn what it draws for all devices.
        budget: its limits.
        folder: an empty one.
        start_s: CPU seconds in which the search was prepared.

    Raises:
        VblkfuzzError: it could not be carried out.
    """
    begun = time.monotonic()
    out = folder / "out"
    out.mkdir()
    ended = SEARCHES[key.search].run(key.device, key.seed, budget, out)
    return Trial(
        *key,
        execs=ended.execs,
        cpu_s=round(start_s + ended.drawn_s + _cpu_s(), 2),
        seconds=round(time.monotonic() - begun, 2),
        found=ended.found,
        load=round(os.getloadavg()[0], 1),
        file=digest_of(key.device),
        start_s=round(start_s, 2),
    )


def digest_of(device: str) -> str:
    """Return the digest of the file of a user's device; empty: it is built in, or a module.

    Raises:
        OSError: the file cannot be read.
    """
    place = device.rpartition(":")[0]
    return (
        sha1(Path(place).read_bytes(), usedforsecurity=False).hexdigest()
        if place.endswith(".py")
        else ""
    )


def _cpu_s() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
