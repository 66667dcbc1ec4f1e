"""The minimizer: a process that makes a campaign's findings small while it fuzzes, and at its end.

Then it measures how often each finding shows when it is run again (`store.confidence`).

The orchestrator (`campaign.minimizing`) starts it as ``python -m vblkfuzz.campaign.minimizer PLAN
ORDERS_FD ANSWERS_FD PARENT_PID`` and sends one finding at a time. It has a target of its own and
changes nothing in what a worker runs: with a seed, the executions and findings of one worker stay
the same.

While workers run it takes a share of the time: after each candidate it sleeps. It ends as soon as
the pipe of orders is closed, and keeps the best so far.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from vblkfuzz.campaign.minimizing_order import TRIES, Answer, Orders
from vblkfuzz.counted import counted
from vblkfuzz.errors import HarnessError, InputFileError, NotReproduced, ZygoteLost
from vblkfuzz.launch.plan import WorkerPlan
from vblkfuzz.minimize.beside import Smaller, keep, reduction_of, smallest
from vblkfuzz.minimize.minimize import StopMinimizing
from vblkfuzz.minimize.on_target import Asked, minimize_input
from vblkfuzz.minimize.reproduce import Bug, Reproducer
from vblkfuzz.process.leftovers import adopt_orphans, end_leftovers
from vblkfuzz.process.parent_death import die_with_parent
from vblkfuzz.store.confidence import keep_confidence
from vblkfuzz.store.finding_artifact import finding_artifact
from vblkfuzz.targets.registry import MODEL, open_target, quick_target
from vblkfuzz.triage.rerun import RERUNS, rerun

if TYPE_CHECKING:
    from vblkfuzz.campaign.minimizing_order import Order
    from vblkfuzz.minimize.minimize import Progress
    from vblkfuzz.minimize.on_target import MinimizedInput
    from vblkfuzz.minimize.reproduce import Reproduction
    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.store.confidence import Confidence
    from vblkfuzz.store.reduction import Reduction

_SHARE: Final = 0.02
"""Share of the time that the search takes of one processor while workers run."""
_SAVE_S: Final = 5.0
"""Seconds after which a smaller input is kept although the search goes on: it may be killed."""
_SEARCH_SHARE: Final = 0.75
"""Share of a finding's seconds for the search; the rest is for the re-runs that follow."""
_RUNS: Final = 3
"""Runs of which one must show a finding of a real device: some depend on its timing."""


class _Pace:
    """What follows a run: a pause, or the end of the search and of the re-runs."""

    def __init__(self, orders: Orders, order: Order, tries: int) -> None:
        self._orders = orders
        self._tries = tries
        self._resumed = time.monotonic()
        self._obey(order)

    def _obey(self, order: Order) -> None:
        self._rests = not order.seconds
        seconds = order.seconds or float("inf")
        self._deadline = time.monotonic() + seconds * _SEARCH_SHARE
        self._rerun_deadline = time.monotonic() + seconds

    @property
    def stopped(self) -> bool:
        """Whether no more candidates may be run."""
        return self._orders.ended or time.monotonic() >= self._deadline

    @property
    def reruns_stopped(self) -> bool:
        """Whether no more re-runs may be made."""
        return self._orders.ended or time.monotonic() >= self._rerun_deadline

    def keep(self, tried: int) -> None:
        """Pause after a candidate.

        Raises:
            StopMinimizing: the tries or the time are used up, or the campaign ends.
        """
        self.rest()
        if tried >= self._tries or self.stopped:
            raise StopMinimizing

    def rest(self) -> None:
        """Pause after a run."""
        worked = time.monotonic() - self._resumed
        order = self._orders.pause(worked * (1 / _SHARE - 1) if self._rests else 0)
        if order:
            self._obey(order)
        self._resumed = time.monotonic()


class _Search:
    """The search for a smaller input of one finding.

    Raises:
        InputFileError: the finding cannot be read.
    """

    def __init__(self, asked: Asked, folder: Path, orders: Orders, order: Order) -> None:
        self._asked = asked
        self._folder = folder
        self._artifact = smallest(folder)
        self._bug = _bug_of(folder, self._artifact)
        earlier = reduction_of(folder)
        self._tried = earlier.tried if earlier else 0
        self._pace = _Pace(orders, order, TRIES - self._tried)
        self._runs = 1 if asked.target.name == MODEL else _RUNS
        self._kept = self._artifact.scenario
        self._next_save = time.monotonic() + _SAVE_S

    def run(self) -> Answer:
        """Minimize, and keep the result beside the finding.

        Raises:
            HarnessError: the finding does not show its bug again, or there is no verdict.
            OSError: the result cannot be written.
        """
        found = self._minimized()
        minimized, shown = found.minimized, found.reproduction
        if self._runs > 1 and minimized.scenario != self._artifact.scenario:
            again = self._shown(minimized.scenario)
            if again is None:
                raise NotReproduced("what is smaller does not show it again")
            shown = again
        if not (minimized.complete or self._tried or minimized.scenario != self._artifact.scenario):
            return Answer(problem=f"nothing smaller found in {counted(minimized.tried, 'run')}")
        return Answer(self._keep(shown, minimized.tried, complete=minimized.complete))

    def measure(self) -> None:
        """Measure how often the finding shows, and keep that beside it.

        If the time ends before, it is the rate of fewer runs; if there was none, nothing is kept.

        Raises:
            InputFileError: the finding cannot be read.
            OSError: the rate cannot be written.
        """
        artifact = smallest(self._folder)
        total: Confidence | None = None
        for _ in range(RERUNS):
            if self._pace.reruns_stopped:
                break
            one = rerun(self._asked.target, artifact)
            total = total + one if total and one else one
            self._pace.rest()
        if total:
            keep_confidence(self._folder, total)

    def _minimized(self) -> MinimizedInput:
        """Minimize with one run of each candidate; if the finding does not show so, with more."""
        scenario, expected = self._artifact.scenario, self._artifact.expectation
        try:
            return minimize_input(scenario, expected, self._asked, self._tell)
        except NotReproduced:
            if self._runs == 1 or self._pace.stopped:
                raise
            asked = self._asked._replace(runs=self._runs)
            return minimize_input(scenario, expected, asked, self._tell)

    def _tell(self, progress: Progress) -> None:
        if progress.best != self._kept and time.monotonic() >= self._next_save:
            self._keep_meanwhile(progress)
        self._pace.keep(progress.tried)

    def _keep_meanwhile(self, progress: Progress) -> None:
        shown = self._shown(progress.best)
        if shown is not None:
            self._keep(shown, progress.tried, complete=False)
            self._kept = progress.best
        self._next_save = time.monotonic() + _SAVE_S

    def _shown(self, scenario: Scenario) -> Reproduction | None:
        return Reproducer(self._asked.target, self._bug, self._runs).run(scenario)

    def _keep(self, shown: Reproduction, tried: int, *, complete: bool) -> Reduction:
        artifact = finding_artifact(self._asked.target, *shown)
        sentence = shown.violation.sentence
        return keep(self._folder, Smaller(artifact, sentence, self._tried + tried, complete))


def _bug_of(folder: Path, artifact: Artifact) -> Bug:
    expected = artifact.expectation
    if expected is None or not expected.signature:
        raise InputFileError(str(folder), "expect", "expected the signature of a violation")
    return Bug(expected.rule, expected.signature, as_cause=True)  # a campaign saves causes only


def _run(search: _Search) -> Answer:
    try:
        return search.run()
    except NotReproduced:
        return Answer(problem="it did not show again")


def answer(asked: Asked, orders: Orders, order: Order) -> Answer:
    """Minimize the finding of an order, and measure how often it shows.

    Raises:
        ZygoteLost: the target can run nothing any more.
    """
    try:
        search = _Search(asked, Path(order.finding), orders, order)
        found = _run(search)
        search.measure()
        return found
    except ZygoteLost:
        raise
    except OSError as error:
        return Answer(problem=f"{error.strerror or error}")
    except (HarnessError, InputFileError) as error:
        return Answer(problem=str(error).strip().rpartition("\n")[2])


def _serve(plan: WorkerPlan, orders: Orders, answers_fd: int) -> None:
    setup = plan.target, plan.device, plan.mode, plan.target_options
    with ExitStack() as stack:
        target = stack.enter_context(open_target(*setup))
        quick = quick_target(*setup)
        asked = Asked(target, quick and stack.enter_context(quick))
        while order := orders.next():
            if order.finding:  # else the one that it is about has ended by itself
                os.write(answers_fd, answer(asked, orders, order).to_line())


def main() -> NoReturn:
    """Run a minimizer with the arguments that the orchestrator passes, and exit."""
    plan = WorkerPlan.from_json(sys.argv[1])
    orders_fd, answers_fd, parent = (int(text) for text in sys.argv[2:5])
    die_with_parent(parent)
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(plan, Orders(orders_fd), answers_fd)
    end_leftovers()
    sys.exit()


if __name__ == "__main__":
    main()
