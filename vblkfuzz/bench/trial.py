"""One trial of `vblkfuzz bench detect`: one search for the bug of one device, with one seed.

A trial runs in a process of its own, so that what it costs can be told and it leaves nothing:
``python -m vblkfuzz.bench.trial KEY BUDGET FOLDER PARENT_PID``, where key and budget are JSON. It
writes its result to a file in the folder. CPU seconds are those of the processes that search, from
the start of their Python: of a campaign its worker, else the trial itself.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.bench.searches.registry import SEARCHES
from vblkfuzz.bench.searches.search import Budget
from vblkfuzz.errors import ExitStatus, VblkfuzzError

if TYPE_CHECKING:
    from vblkfuzz.bench.searches.search import Search

RESULT: Final = "trial.json"
"""File of the result in the folder of a trial."""


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
    """CPU seconds of the processes that searched, their start-up included."""
    seconds: float
    """Seconds on the clock."""
    found: str
    """Signature of the finding; empty: there is none, the trial is censored."""
    load: float
    """Load average of the machine (one minute) when it ended."""
    file: str = ""
    """Digest of the file of a user's device."""

    @property
    def key(self) -> Key:
        """Which trial it is."""
        return Key(self.device, self.search, self.seed)


def run_trial(key: Key, budget: Budget, folder: Path) -> Trial:
    """Run a trial in this process, which should do nothing else.

    Args:
        key: which one.
        budget: its limits.
        folder: an empty one.

    Raises:
        VblkfuzzError: it could not be carried out.
        KeyboardInterrupt: the user stopped it.
    """
    search, begun = SEARCHES[key.search], time.monotonic()
    out = folder / "out"
    out.mkdir()
    ended = search.run(key.device, key.seed, budget, out)
    return Trial(
        *key,
        execs=ended.execs,
        cpu_s=round(_cpu_s(search), 2),
        seconds=round(time.monotonic() - begun, 2),
        found=ended.found,
        load=round(os.getloadavg()[0], 1),
        file=digest_of(key.device),
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


def _cpu_s(search: Search) -> float:
    """Return the CPU seconds of the processes that search, all of which have ended but this one."""
    whose = [resource.RUSAGE_CHILDREN] + [resource.RUSAGE_SELF] * (not search.in_workers)
    used = [resource.getrusage(who) for who in whose]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> int:
    """Run the trial of the command line; return the exit status."""
    from vblkfuzz.process.parent_death import die_with_parent

    key, budget, folder = (
        Key(*json.loads(sys.argv[1])),
        Budget(*json.loads(sys.argv[2])),
        sys.argv[3],
    )
    die_with_parent(int(sys.argv[4]))
    try:
        trial = run_trial(key, budget, Path(folder))
    except VblkfuzzError as error:
        print(error, file=sys.stderr)
        return int(error.exit_status)
    except KeyboardInterrupt:
        return int(ExitStatus.USER_STOP)
    Path(folder, RESULT).write_text(json.dumps(asdict(trial)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
