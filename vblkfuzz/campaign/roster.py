"""The roster: the workers of a campaign; which of them run, and which wait for another start.

Each worker is for itself. One that ends before its share is done waits (`campaign.retry`) and is
started again, whatever the others do and however often that was. The roster is hopeless only if
every worker has failed at its start and none has ever given a verdict.
"""

from __future__ import annotations

import selectors
import time
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from vblkfuzz.campaign.retry import LONGEST_S, next_wait
from vblkfuzz.campaign.worker_ending import ending_of, is_from_outside
from vblkfuzz.errors import too_many_files
from vblkfuzz.launch.local import WorkerProcess
from vblkfuzz.launch.plan import Stat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.launch.plan import Message, WorkerPlan


@dataclass(slots=True)
class _Member:
    """A worker, and what became of its starts."""

    worker: WorkerProcess
    wait_s: float = 0.0
    """The last wait; 0: none yet."""
    due: float = inf
    """When it is started again, on the clock of `time.monotonic`; inf: it runs, or is done."""
    failure: str = ""
    """How its last start failed, after which it gave no verdict."""

    @property
    def waits(self) -> bool:
        return self.due < inf


class Roster:
    """Starts workers, hands over what they send, and starts again those that end.

    Args:
        plans: one for each worker.
        on_message: called with each message of a worker.
        on_end: called with each worker that has ended before its share was done, and with how.
    """

    def __init__(
        self,
        plans: Sequence[WorkerPlan],
        on_message: Callable[[WorkerProcess, Message], None],
        on_end: Callable[[WorkerProcess, str], None],
    ) -> None:
        self._members = [_Member(WorkerProcess(plan)) for plan in plans]
        self.workers = [member.worker for member in self._members]
        self._runs = [plan.runs for plan in plans]
        self._on_message = on_message
        self._on_end = on_end
        self._selector = selectors.DefaultSelector()
        self.restarts = 0
        """Starts that were not the first of a worker."""

    @property
    def running(self) -> int:
        """Workers that run."""
        return sum(worker.runs for worker in self.workers)

    @property
    def waiting(self) -> int:
        """Workers that wait for another start."""
        return sum(member.waits for member in self._members)

    @property
    def hopeless(self) -> str:
        """Why no worker can work, if that is so: how each of them ended; else empty."""
        failures = [member.failure for member in self._members]
        if not all(failures) or any(worker.verdicts for worker in self.workers):
            return ""
        return failures[0] if len(failures) == 1 else f"no worker works: {'; '.join(failures)}"

    def start(self, index: int) -> None:
        """Start a worker."""
        member = self._members[index]
        member.due = inf
        try:
            member.worker.start()
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            why = too_many_files(error) or f"{where}{error.strerror or error}"
            self._lose(member, f"worker {index} cannot be started: {why}")
        else:
            self._selector.register(member.worker.messages_fd, selectors.EVENT_READ)

    def turn(self, seconds: float) -> None:
        """Hand over what workers send, and start those whose wait is over.

        Args:
            seconds: how long to wait for a message, at most.
        """
        self._selector.select(seconds)
        now = time.monotonic()
        for index, member in enumerate(self._members):
            if member.worker.runs:
                member.worker.end_if_stuck()
                self._serve(member)
            elif member.due <= now:
                self.restarts += 1
                self.start(index)

    def _serve(self, member: _Member) -> None:
        """Handle the messages of a worker, and its end."""
        worker = member.worker
        # Checked before reading: a worker may send its last messages and end in between.
        ended = worker.exit_code is not None
        self._hand_over(worker)
        if ended:
            self._selector.unregister(worker.messages_fd)
            worker.close_messages()
            if not worker.done:
                self._lose(member, ending_of(worker))

    def _hand_over(self, worker: WorkerProcess) -> None:
        for message in worker.read():
            self._on_message(worker, message)

    def _lose(self, member: _Member, how: str) -> None:
        """Let a worker wait that has ended before its share was done."""
        worker = member.worker
        worked = worker.verdicts > worker.verdicts_before
        # Who is killed from outside has not failed, unless that never ends.
        killed = is_from_outside(worker) and member.wait_s < LONGEST_S
        member.failure = "" if worked or killed else how
        rest = self._rest_of(worker)
        if rest is not None:
            worker.plan = rest
            member.wait_s = next_wait(member.wait_s, worked=worked, killed=killed)
            member.due = time.monotonic() + member.wait_s
        self._on_end(worker, how)

    def _rest_of(self, worker: WorkerProcess) -> WorkerPlan | None:
        """Return the plan for another start: another seed, and the rest of the runs, if any."""
        plan, runs = worker.plan, self._runs[worker.plan.index]
        rest = runs - worker.statistic(Stat.EXECS)
        if runs and rest <= 0:
            return None
        return replace(plan, seed=plan.seed + 1000, runs=rest if runs else 0)

    def end(self, grace_s: float) -> None:
        """End all workers, after their running executions if they take less than `grace_s`."""
        for worker in self.workers:
            worker.interrupt()
        deadline = time.monotonic() + grace_s
        for worker in self.workers:
            worker.finish(max(0.0, deadline - time.monotonic()))
            if worker.runs:
                self._hand_over(worker)

    def close(self) -> None:
        """Free what the workers have used; their counters cannot be read afterwards."""
        for worker in self.workers:
            worker.close()
        self._selector.close()
