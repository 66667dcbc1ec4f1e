"""All trials of `vblkfuzz bench detect`: their order, several at a time, and how long they take.

They are interleaved: all searches for all devices with one seed, then with the next. So other work
of the machine affects all searches alike, and a bench that is interrupted has whole rounds. In each
round another search is the first.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from vblkfuzz.bench.trial import RESULT, Key, Trial
from vblkfuzz.errors import ExitStatus, HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from vblkfuzz.bench.searches.search import Budget


def order(devices: Sequence[str], searches: Sequence[str], trials: int) -> Iterator[Key]:
    """Yield all trials in the order in which they run; their seeds are 1, 2, ..."""
    for seed in range(1, trials + 1):
        first = (seed - 1) % len(searches)
        for device in devices:
            for search in (*searches[first:], *searches[:first]):
                yield Key(device, search, seed)


def run_all(todo: Iterable[Key], budget: Budget, jobs: int) -> Iterator[Trial]:
    """Run trials, `jobs` at a time; yield each when it has ended.

    Raises:
        HarnessError: a trial failed. The others that run are ended.
        KeyboardInterrupt: the user stopped one.
    """
    with ExitStack() as ended:
        running: dict[int, _Running] = {}
        for key in todo:
            if len(running) == jobs:
                yield _first_ended(running)
            started = ended.enter_context(_Running(key, budget))
            running[started.pidfd] = started
        while running:
            yield _first_ended(running)


def _first_ended(running: dict[int, _Running]) -> Trial:
    ready, _, _ = select.select(list(running), [], [])
    return running.pop(ready[0]).close_with_result()


class _Running:
    """A trial that runs in a process of its own."""

    def __init__(self, key: Key, budget: Budget) -> None:
        self._key = key
        self._folder = tempfile.TemporaryDirectory(prefix="vblkfuzz-bench-")
        folder = Path(self._folder.name)
        arguments = [json.dumps(key), json.dumps(budget), str(folder), str(os.getpid())]
        self._said = folder / "stderr"
        with self._said.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vblkfuzz.bench.trial", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                # Hypothesis keeps files there, else in the working directory.
                env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")},
            )
        self.pidfd = os.pidfd_open(self._process.pid)

    def __enter__(self) -> Self:
        """End it when the block ends, if it still runs."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the trial, if it still runs, and remove its folder."""
        if self.pidfd >= 0:
            self._process.terminate()
            self._close()
            self._folder.cleanup()

    def _close(self) -> int:
        status = self._process.wait()
        os.close(self.pidfd)
        self.pidfd = -1
        return status

    def close_with_result(self) -> Trial:
        """Return the result of the trial, which has ended, and remove its folder."""
        status = self._close()
        with self._folder as folder:
            if status == ExitStatus.USER_STOP:
                raise KeyboardInterrupt
            if status:
                said = self._said.read_text(errors="replace").splitlines() or ["it says nothing"]
                raise HarnessError(f"bench: {self._name} ends with {status}: {said[-1]}")
            return Trial(**json.loads(Path(folder, RESULT).read_bytes()))

    @property
    def _name(self) -> str:
        return f"{self._key.search} on {self._key.device}, seed {self._key.seed}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a bench is."""

    last: Trial
    """The trial that has just ended."""
    done: int
    """Trials that have ended, those of before included."""
    total: int
    remaining_s: float
    """Seconds that the others are likely to take."""


def remaining_s(ended: Sequence[Trial], todo: Iterable[Key], jobs: int) -> float:
    """Return the seconds that trials are likely to take.

    A trial takes as long as others of the same search for the same device on average; where there
    is none, of the same search; else of all.
    """
    by_pair: dict[object, list[float]] = {}
    for one in ended:
        for name in ((one.device, one.search), one.search, None):
            by_pair.setdefault(name, []).append(one.seconds)
    means = {name: fmean(times) for name, times in by_pair.items()}
    overall = means.get(None, 0.0)
    times = (means.get(key[:2], means.get(key.search, overall)) for key in todo)
    return sum(times) / jobs
