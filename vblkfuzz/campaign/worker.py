"""A worker: one fuzz process with Atheris, and its children: a zygote, a device and a guest.

The orchestrator starts it as ``python -m vblkfuzz.campaign.worker PLAN MEMORY_FD MESSAGES_FD
PARENT_PID``; the fuzz targets in fuzz/ call `fuzz` directly. The order of these steps matters:

1. instrument, then import guest and device, so that their blocks have probes;
2. start the target, so that the zygote is forked before libFuzzer installs handlers and threads;
3. `Fuzz()`: the first execution registers the coverage region.

libFuzzer's own limits and artifacts are not used. If an execution breaks a rule, the worker saves
it and fuzzing continues. A limit or a signal ends the worker after the running execution, by
KeyboardInterrupt: only with that does Atheris leave `Fuzz()` cleanly.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import atheris

from vblkfuzz.campaign.canary import Canaries
from vblkfuzz.campaign.counting import counting_of
from vblkfuzz.campaign.fields import other_fields
from vblkfuzz.campaign.interruptions import stops_of, why_free
from vblkfuzz.campaign.libfuzzer import arguments_of
from vblkfuzz.campaign.recorded_inputs import recorded_inputs
from vblkfuzz.campaign.steered_inputs import SteeredInputs
from vblkfuzz.campaign.worker_features import WorkerFeatures
from vblkfuzz.campaign.worker_target import target_of
from vblkfuzz.errors import ActorHung, ExitStatus, HarnessError, ZygoteLost, too_many_files
from vblkfuzz.feedback.instrument import instrument
from vblkfuzz.launch.plan import Message, Stat, WorkerPlan
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.mutation.parents import Parents
from vblkfuzz.oracle.naming.known import explanation, matches
from vblkfuzz.scenario.codec import encode
from vblkfuzz.targets.as_run import as_run
from vblkfuzz.targets.registry import MODEL
from vblkfuzz.trace.lanes import lanes

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.campaign.recorded_inputs import RecordedInputs
    from vblkfuzz.executor import Execution
    from vblkfuzz.feedback.instrument import Instrumenter
    from vblkfuzz.feedback.region import Region
    from vblkfuzz.mutation.interrupt import Stops
    from vblkfuzz.mutation.made import Made
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target

_MAX_HARNESS_ERRORS: Final = 50
"""Harness errors in a row after which the worker ends: no input can be run."""
_TWICE_OF: Final = 1000
"""Of so many inputs of the model one is run twice, to see that it gives the same trace again."""
_TWICE_AT: Final = 100
"""Which one of them: a short campaign has it too."""
_MAX_FAULTS: Final = 50
"""Executions from the first one that all end in a fault of the device. Others do no better."""


class Worker:
    """The function that libFuzzer calls for each input, and the worker's counters."""

    def __init__(
        self,
        plan: WorkerPlan,
        target: Target,
        arena: Arena,
        region: Region | None,
        send: Callable[[Message], None],
    ) -> None:
        from vblkfuzz.executor import run_scenario

        self._execute = run_scenario
        self._plan = plan
        self._target = target
        self._region = region
        self._send = send
        self._findings = Path(plan.out) / "findings"
        self._flight = arena.flight
        self._statistics = arena.statistics
        self._execs = 0
        self._deadline = plan.deadline or float("inf")
        self._seen: Counter[str] = Counter()
        """Executions per signature."""
        self._reported: Counter[str] = Counter()
        """Executions already reported, per signature."""
        self._passed_by: set[str] = set()
        """Signatures with which it does not end: silenced ones, and findings of before."""
        self._situations: frozenset[str] = frozenset()
        self._errors_in_a_row = 0
        self.parents = Parents()
        """The inputs of which most new ones are made."""
        self.stops: Stops | None = None
        """What remembers the points of threads of the device, if schedules interrupt them."""
        self.steered = SteeredInputs(plan, target, self.warn)
        self.recorded: RecordedInputs | None = None
        """The record of features, if there is one."""
        self.features = WorkerFeatures(region, arena.statistics)
        self._canaries = Canaries(target, plan, arena, send)
        self._faults = 0
        """Executions that ended in a fault of the device."""
        self._last_error = ""
        self._ending: ExitStatus | None = None

    @property
    def ending(self) -> ExitStatus | None:
        """The reason for which the worker ends; None: there is none, libFuzzer has ended."""
        return self._ending

    def end(self, status: ExitStatus) -> None:
        """Let the worker end after the running execution; only the first call has an effect."""
        if self._ending is None:
            self._ending = status

    def test_one_input(self, data: bytes) -> None:
        """Run one fuzz input.

        Raises:
            KeyboardInterrupt: the worker is to end.
        """
        if self._execs == 0 and self._plan.index and time.monotonic() >= self._deadline:
            self.end(ExitStatus.CLEAN)  # the first worker runs one input at least
            raise KeyboardInterrupt
        try:
            if not self._is_marked(data):
                self._run(data)
        # A bug of the harness, or of a target of others: libFuzzer would take it for a finding.
        except BaseException as error:
            self._note_error(too_many_files(error) or traceback.format_exc(), data)
            self._give_up()
            self._statistics[Stat.EXECS] += 1
        if self._ending is not None:
            raise KeyboardInterrupt

    def new(self, before: bytes, data: bytes, size: int, made: Made) -> bytes:
        """Return an input that the mutator has made of `before`, at most `size` bytes.

        A scheduler may decide its schedule. It runs, whatever the record says.
        """
        data = self.steered.of(before, data, size)
        if self.recorded is None:
            return data
        return self.recorded.mutated(data, self.steered.made(before, made))

    def _is_marked(self, data: bytes) -> bool:
        """Mark the features of an input that are on record, if so; it need not run then."""
        # The first execution registers the region.
        situations = self.recorded.marked(data) if self.recorded and self._execs else None
        if situations is None:
            return False
        self._note_situations(situations)
        self.parents.note(data, self.features.marked(), None)
        return True

    def _run(self, data: bytes) -> None:
        for weakness in self.features.begin(self._target, self._plan.coverage):
            self.warn(weakness)
        given, (scenario, data) = data, self._input(data)
        if self._execs == 0 and not scenario.ops:
            # libFuzzer begins with an empty input and a line feed.
            self.parents.note(data, self.features.passed_by())
            return
        self._flight.write(data)
        execution = None
        try:
            execution = self._execute(self._target, scenario, self.steered.take(data))
            if self._execs % _TWICE_OF == _TWICE_AT and self._plan.target == MODEL:
                self._run_again(execution, data)
        except HarnessError as error:
            kind = "hang" if isinstance(error, ActorHung) else "harness_error"
            self._note_error(str(error), data if error.of_input else b"", kind)
            if self._errors_in_a_row == _MAX_HARNESS_ERRORS or isinstance(error, ZygoteLost):
                self._give_up(ExitStatus.HARNESS if error.of_input else ExitStatus.INTERRUPTED)
        else:
            self._errors_in_a_row = 0
            self._note(execution, data)
            if self.recorded is not None:
                self.recorded.ran(given, execution.verdict)
            self._canaries.turn(execution, self._execs)
        self._count(data, execution)

    def _input(self, data: bytes) -> tuple[Scenario, bytes]:
        """Return the scenario that runs for a fuzz input, and its bytes; there are some."""
        scenario, data = self.steered.decoded(data)
        ran = as_run(self._target, scenario)
        return (scenario, data) if data and ran is scenario else (ran, encode(ran))

    def warn(self, sentence: str) -> None:
        """Report that the feedback is weak; it is for all workers alike, so one reports it."""
        if sentence and self._plan.index == 0:
            self._send(Message("warning", sentence))

    def _run_again(self, execution: Execution, data: bytes) -> None:
        again = self._target.run(execution.scenario)
        if again.digest != execution.trace.digest:
            sentence = "your device is not deterministic: one input gave two different traces"
            self._send(Message("unsteady", sentence, execs=self._execs + 1, input=data.hex()))

    def _note(self, execution: Execution, data: bytes) -> None:
        if self._region is not None and self._plan.states:
            self._region.mark_states(execution.trace)
        if self.stops is not None and execution.trace.stops:
            self.stops.note(data, execution.trace.stops)
        self.steered.note(execution)
        statistics, verdict = self._statistics, execution.verdict
        statistics[Stat.STEPS] += execution.trace.steps
        statistics[Stat.HANDOVERS] += execution.trace.handovers
        self._note_situations(verdict.situations)
        if verdict.violations:
            statistics[Stat.VIOLATIONS] += 1
            self._note_violations(execution, data)
        if execution.trace.fault:
            self._note_fault()

    def _note_situations(self, situations: frozenset[str]) -> None:
        if situations <= self._situations:
            return
        for name in sorted(situations - self._situations):
            self._send(Message("situation", name, execs=self._execs + 1))
        self._situations |= situations

    def _note_fault(self) -> None:
        """End if the device has never done anything else than fail."""
        self._faults += 1
        if self._faults == _MAX_FAULTS == self._execs + 1:
            sentence = f"the device has failed in each of the first {_MAX_FAULTS} executions"
            self._send(Message("always_fails", sentence, execs=self._execs + 1))
            self.end(ExitStatus.VIOLATION)

    def _note_violations(self, execution: Execution, data: bytes) -> None:
        for violation in execution.verdict.causes:
            signature = violation.signature
            self._seen[signature] = count = self._seen[signature] + 1
            if count == 1:
                if matches(signature, self._plan.silenced):
                    self._passed_by.add(signature)
                else:
                    self._save(execution, violation, data)
            if count & (count - 1) == 0:  # at each doubling: few messages, never far behind
                self._report_count(signature)
                if self._plan.stop_on_first and signature not in self._passed_by:
                    self.end(ExitStatus.VIOLATION)
                    return

    def _save(self, execution: Execution, violation: Violation, data: bytes) -> None:
        from vblkfuzz.store.finding import save_finding

        known = explanation(violation.signature, self._plan.listed)
        try:
            saved = save_finding(self._findings, self._target, execution, violation, data, known)
            path, fallback = str(saved.path), saved.fallback
            if not (saved.new or self._plan.stop_on_known):
                self._passed_by.add(violation.signature)
        except OSError as error:  # the input is kept in the message only
            path, fallback = "", f"{error}; fuzz input in hexadecimal: {data.hex()}"
        signature, rule, sentence = violation.signature, violation.rule, violation.sentence
        execs = self._execs + 1
        self._send(Message("finding", signature, rule, sentence, path, fallback, known, execs))

    def close(self) -> None:
        """Record the last execution; report the final number of executions per signature."""
        if self.recorded is not None:
            self.recorded.close()
        self.features.close()
        self.steered.tried.tell(self._send)
        for signature in self._seen:
            self._report_count(signature)

    def _report_count(self, signature: str) -> None:
        count = self._seen[signature]
        self._send(Message("seen", signature, execs=count - self._reported[signature]))
        self._reported[signature] = count

    def _note_error(self, error: str, data: bytes, kind: str = "harness_error") -> None:
        self._statistics[Stat.HARNESS_ERRORS] += 1
        self._errors_in_a_row += 1
        self._last_error = error
        self._send(Message(kind, error, execs=self._execs + 1, input=data.hex()))

    def _give_up(self, status: ExitStatus = ExitStatus.HARNESS) -> None:
        """End because no input can be run; write the last error to the log."""
        print(self._last_error, file=sys.stderr)
        self.end(status)

    def _count(self, data: bytes, execution: Execution | None) -> None:
        self._execs += 1
        self._statistics[Stat.EXECS] += 1
        acted = partial(lanes, execution.trace) if execution else None
        self.parents.note(data, self.features.ran(), acted)
        if self._execs & (self._execs - 1) == 0:  # at each doubling: few messages
            self.steered.tried.tell(self._send)
        if self._execs == self._plan.runs or time.monotonic() >= self._deadline:
            self.end(ExitStatus.CLEAN)


def fuzz(
    plan: WorkerPlan,
    send: Callable[[Message], None],
    memory_fd: int | None = None,
    finder: Instrumenter | None = None,
) -> ExitStatus | None:
    """Run a worker until it ends; return the reason. Call once per process.

    libFuzzer ends by itself when it has run the files that it was given instead of folders, and for
    errors that it prints, such as those in a dictionary. Then there is no reason: None.

    Args:
        plan: the task.
        send: called with each message at once.
        memory_fd: memfd to use for the arena, so that the orchestrator can map it.
        finder: what has instrumented guest and device, if that was done before.
    """
    finder = finder or instrument(plan.device)
    from vblkfuzz.feedback.region import Region
    from vblkfuzz.process.arena import Arena

    arena = Arena() if memory_fd is None else Arena.over(memory_fd)
    target = target_of(plan, arena, finder)
    finder.connect(arena.coverage)
    region = Region(arena.coverage) if plan.feedback else None
    worker = Worker(plan, target, arena, region, send)
    worker.warn(finder.blind_spots)
    _end_on_signals(worker)
    with target:
        worker.stops = stops = stops_of(target, plan)
        worker.warn(why_free(target, plan))
        worker.warn(other_fields(target, plan))
        worker.recorded = recorded_inputs(plan, target, finder, arena.coverage, send)
        worker.features.counting = counting_of(plan, worker.recorded, send)
        units = getattr(target, "kind", None) == "scsi"
        mutator = Mutator(plan.seed, stops, worker.parents, plan.fields, units=units)
        mutations = {
            "custom_mutator": lambda a, size, _: worker.new(
                a, mutator.mutate(a, size), size, mutator.made
            ),
            "custom_crossover": lambda a, b, size, _: worker.new(
                a, mutator.crossover(a, b, size), size, mutator.made
            ),
        }
        chosen = mutations if plan.mutate else {}
        atheris.Setup(arguments_of(plan), worker.test_one_input, **chosen)
        with suppress(SystemExit):
            atheris.Fuzz()
    worker.close()
    return worker.ending


def _end_on_signals(worker: Worker) -> None:
    """Let signals end the worker after the running execution, so that it saves what it found."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: worker.end(ExitStatus.INTERRUPTED))
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda _number, _frame: worker.end(ExitStatus.USER_STOP))


def main() -> NoReturn:
    """Run a worker process with the arguments that the orchestrator passes, and exit.

    Exits by os._exit: libFuzzer's exit hooks would write the last input as a crash.
    """
    from vblkfuzz.process.leftovers import adopt_orphans, end_leftovers
    from vblkfuzz.process.parent_death import die_with_parent

    plan = WorkerPlan.from_json(sys.argv[1])
    memory_fd, messages_fd, parent = (int(text) for text in sys.argv[2:5])
    die_with_parent(parent)
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def send(message: Message) -> None:
        # Whatever a device has written to the pipe is a line of its own.
        rest = memoryview(b"\n" + message.to_line())
        while rest:  # a signal may interrupt a write to a full pipe
            rest = rest[os.write(messages_fd, rest) :]

    status = fuzz(plan, send, memory_fd)
    if status is not None:  # else the budget is not spent, and the log says why
        send(Message("done", status.name))
    end_leftovers()  # what a zygote that was killed has left
    sys.stderr.flush()
    os._exit(status or 0)


if __name__ == "__main__":
    main()
