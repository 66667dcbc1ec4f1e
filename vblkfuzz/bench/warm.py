"""A warm process: it has started what the trials of one search need, and forks each of them.

``python -m vblkfuzz.bench.warm SEARCH BUDGET PARENT_PID``, where the budget is JSON. Orders come on
stdin, a JSON line each: the key of a trial and an empty folder. The trial writes its result there,
and what it says. When it has ended, its folder and exit status are a JSON line on stdout.

Start-up takes as long as some hundred executions; so a trial costs what its executions cost. The
other end is `bench.warm_process`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vblkfuzz.bench.searches.registry import SEARCHES
from vblkfuzz.bench.searches.search import Budget
from vblkfuzz.bench.trial import RESULT, SAID, Key, run_trial
from vblkfuzz.errors import ExitStatus, VblkfuzzError
from vblkfuzz.process.leftovers import adopt_orphans, end_leftovers
from vblkfuzz.process.parent_death import die_with_parent

if TYPE_CHECKING:
    from types import FrameType


class _Warm:
    """Forks trials and tells when they have ended."""

    def __init__(self, name: str, budget: Budget) -> None:
        self._search = SEARCHES[name]
        self._budget = budget
        self._trials: dict[int, tuple[int, str]] = {}
        """Process id and folder, by pidfd."""
        self._orders = os.fdopen(0, "rb", buffering=0)
        # A trial runs the code of users, which may print.
        self._answers = os.fdopen(os.dup(1), "wb", buffering=0)
        _replace(1, Path(os.devnull))

    def serve(self) -> None:
        """Prepare the search and carry out orders until there are no more."""
        self._search.prepare()
        self._start_s = time.process_time()
        signal.signal(signal.SIGTERM, self._end)
        while True:
            for fd in select.select([self._orders.fileno(), *self._trials], [], [])[0]:
                if fd in self._trials:
                    self._answer(fd)
                elif line := self._orders.readline():
                    key, folder = json.loads(line)
                    self._fork(Key(*key), folder)
                else:
                    return

    def _end(self, number: int, frame: FrameType | None) -> NoReturn:
        """End at once, after all trials."""
        for pid, _ in self._trials.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os._exit(ExitStatus.INTERRUPTED)

    def _fork(self, key: Key, folder: str) -> None:
        self._search.draw(key.seed, self._budget)
        own = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._run(key, Path(folder), own)
        self._trials[os.pidfd_open(pid)] = pid, folder

    def _answer(self, pidfd: int) -> None:
        pid, folder = self._trials.pop(pidfd)
        os.close(pidfd)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._answers.write(json.dumps([folder, status]).encode() + b"\n")

    def _run(self, key: Key, folder: Path, parent: int) -> NoReturn:
        """Run a trial in this process, and exit. libFuzzer's exit hooks must not run."""
        status = int(ExitStatus.HARNESS)
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            die_with_parent(parent)
            adopt_orphans()
            _replace(2, folder / SAID)
            trial = run_trial(key, self._budget, folder, self._start_s)
            (folder / RESULT).write_text(json.dumps(asdict(trial)))
            status = 0
        except VblkfuzzError as error:
            print(error, file=sys.stderr)
            status = int(error.exit_status)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            end_leftovers()
            os._exit(status)


def _replace(fd: int, path: Path) -> None:
    """Let a standard stream go to a file."""
    with path.open("wb") as file:
        os.dup2(file.fileno(), fd)


def main() -> None:
    """Serve the search of the command line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the bench, which ends this
    die_with_parent(int(sys.argv[3]))
    _Warm(sys.argv[1], Budget(*json.loads(sys.argv[2]))).serve()


if __name__ == "__main__":
    main()
