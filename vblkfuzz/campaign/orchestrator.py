"""The orchestrator: runs N workers until the budget is spent or the campaign is stopped.

It does not import Atheris and runs no scenario. It notes what the workers send (`campaign.roster`
has them), saves the input that killed one, and is the only writer of the ledger. All files that it
writes are below the output folder (`store.folder`).
"""

from __future__ import annotations

import secrets
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.campaign.canary import planted_for
from vblkfuzz.campaign.continuation import check_folder, check_same, earlier_of, said_of
from vblkfuzz.campaign.corpus_care import CorpusCare
from vblkfuzz.campaign.corpus_size import CorpusSize
from vblkfuzz.campaign.engine import check_engine
from vblkfuzz.campaign.exchange_thread import check_store, joined_store
from vblkfuzz.campaign.exit_status import exit_status
from vblkfuzz.campaign.held_findings import HeldFindings
from vblkfuzz.campaign.importing import Importing
from vblkfuzz.campaign.libfuzzer import check_arguments
from vblkfuzz.campaign.minimizing import Minimizing
from vblkfuzz.campaign.pace import Pace
from vblkfuzz.campaign.roster import Roster
from vblkfuzz.campaign.silence import Silence
from vblkfuzz.campaign.stop_signals import handled, stop_together
from vblkfuzz.campaign.time_budget import TimeBudget
from vblkfuzz.campaign.worker_ending import is_of_input
from vblkfuzz.campaign.worker_log import unknown_flags
from vblkfuzz.campaign.worker_plan import plan_of
from vblkfuzz.campaign.worker_record import WorkerRecord
from vblkfuzz.errors import ExitStatus
from vblkfuzz.launch.plan import Message, Stat
from vblkfuzz.oracle.judge import rules_for
from vblkfuzz.oracle.naming.known import matches
from vblkfuzz.store.failed_inputs import FailedInputs
from vblkfuzz.store.folder import claimed
from vblkfuzz.store.history import LEDGER, read_history
from vblkfuzz.store.input_paths import check_folder_of_inputs
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.reach import Reach
from vblkfuzz.store.saved_findings import saved_findings
from vblkfuzz.store.summary import Finding, Summary
from vblkfuzz.targets.registry import MODEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.campaign.options import CampaignOptions
    from vblkfuzz.launch.local import WorkerProcess
    from vblkfuzz.launch.plan import WorkerPlan

_POLL_S: Final = 0.2
_GRACE_S: Final = 2.0
"""Seconds for workers to end by themselves; an execution and clean-up take milliseconds."""
_LEDGER_S: Final = 5.0
"""Seconds between two entries of progress in the ledger."""


class Campaign:
    """One campaign, from the preparation of its folder to its summary.

    Args:
        options: what it does.
        on_message: called with what is told to the user.
        on_progress: called with its state, several times a second.
        began: when its time began, on the clock of `time.monotonic`; None: now.

    Raises:
        UsageError: a libFuzzer argument cannot be passed on, a corpus is no folder, or the store
            cannot be used.
        HarnessError: there is no fuzzing engine.
    """

    def __init__(
        self,
        options: CampaignOptions,
        on_message: Callable[[Message], None],
        on_progress: Callable[[Summary], None],
        began: float | None = None,
    ) -> None:
        self._started = time.monotonic() if began is None else began
        check_arguments(options.libfuzzer)
        for folder in options.corpora:
            check_folder_of_inputs(folder)
        check_store(options.store, options.out)
        check_engine()
        # Each worker needs at least one run as its share: 0 would mean no limit.
        workers = min(options.workers, options.runs or options.workers)
        self._options = replace(options, workers=workers)
        setup = (options.target, options.device, options.mode)
        self._failed_inputs = FailedInputs(options.out / "harness", *setup)
        self._on_message = on_message
        self._on_progress = on_progress
        self._stop: ExitStatus | None = None
        self._pauses = False
        """Ctrl-Z was pressed."""
        self._pace = Pace()
        self._budget = TimeBudget(self._started, options.seconds)
        self._name = secrets.token_hex(8)
        """No other campaign has it."""
        self._warned: set[str] = set()
        """What is said once, and was said."""
        self.summary = Summary(
            situations={
                item.name: False
                for rule in rules_for(options.witnesses)
                for item in rule.situations
                if item.witnesses & options.witnesses == item.witnesses
            },
            canaries=planted_for(options.device, options.witnesses, options.without),
        )

    def run(self) -> ExitStatus:
        """Run the campaign until it ends; return its exit status.

        Raises:
            UsageError: the folder cannot be used.
            HarnessError: the ledger or the corpus cannot be written.
        """
        options, out = self._options, self._options.out
        check_folder(out)
        with handled(self._end, self._pause), claimed(out):
            self._ledger = Ledger(out / LEDGER)
            status = ExitStatus.HARNESS  # if an error ends it
            try:
                self._go_on(out)
                self._care = CorpusCare(out, self._on_message, exact=options.target == MODEL)
                Importing(out, self._on_message, self._cut_short).run(options.corpora)
                self._care.begin()
                self._fuzz_and_minimize()
                status = exit_status(self.summary, self._stop)
            finally:
                self._end_ledger(status)
            return exit_status(self.summary, self._stop)

    def _end_ledger(self, status: ExitStatus) -> None:
        """Record the end, however it comes; say what the ledger lacks."""
        self._ledger.end(_now(), status)
        self._ledger.close()
        if self._ledger.replaced:
            self._say_warning(self._ledger.replaced)
        if problem := self._ledger.problem:
            self.summary.fallbacks.append(problem)
            if sys.exception():  # else the summary says it
                self._say_warning(problem)

    def note_status(self, status: int) -> None:
        """Record the exit status of the process, if it is not what `run` has returned."""
        self._ledger.correct(status)

    def _go_on(self, out: Path) -> None:
        """Say what the folder has of earlier campaigns, if it may be used."""
        options, history = self._options, read_history(out / LEDGER)
        setup = (options.target, options.device)
        check_same(out, history.campaigns, *setup, anyway=options.other_device)
        if said := said_of(out, history):
            self._on_message(Message("continued", said))
        self.summary.earlier = earlier_of(history.campaigns)
        self._saved_before = saved_findings(out)
        self.summary.saved_before = len(self._saved_before)

    def _fuzz_and_minimize(self) -> None:
        self._minimizing = Minimizing(self._plan(0), self.summary, self._options.minimize)
        with self._minimizing:
            self._fuzz()
            self._minimizing.finish(lambda: self._stop, self._on_progress, self._options.minimize_s)

    def _cut_short(self) -> str:
        """Return why the import ends before its end; empty: it goes on."""
        return "stopped" if self._stop is not None else self._budget.said_over

    def _end(self, status: ExitStatus) -> None:
        self._stop = status

    def _pause(self) -> None:
        self._pauses = True

    # --- Running ------------------------------------------------------------------------------

    def _fuzz(self) -> None:
        options = self._options
        self._next_entry = 0.0
        self._worker_record = WorkerRecord(self._ledger)
        self._corpus_size = CorpusSize(options.out / "corpus")
        self._ledger.begin(
            _now(), options.device, options.mode, options.workers, options.seed, options.target
        )
        # The model has no such option.
        iothread = None if options.target == MODEL else options.target_options.iothread
        self._ledger.changes(iothread, options.without)
        self._ledger.expect(self.summary.situations)
        self._silence = Silence(self.summary, self._ledger, options.out, self._name)
        plans = [self._plan(index) for index in range(options.workers)]
        self._roster = Roster(plans, self._handle, self._note_end)
        self._held = HeldFindings(joined_store(options, self._name), self._count_finding)
        try:
            for index in range(options.workers):
                if self._stop is None and (index == 0 or not self._budget.over):
                    self._roster.start(index)
            while self._stop is None and self._has_work():
                self._turn()
            self._say_if_late()
        finally:
            self._end_workers()

    def _tell_store(self, *, last: bool = False) -> None:
        for message in self._held.tell(self.summary, self._options.workers, last=last):
            self._on_message(message)

    def _say_if_late(self) -> None:
        """Say that start-up took all the time, if no worker has ended for another reason."""
        ended = self._stop or self._roster.restarts or self._roster.waiting
        if not ended and (said := self._budget.said_of(self._roster.workers)):
            self._say_warning(said)

    def _has_work(self) -> bool:
        """Whether a worker runs, or is started again in time."""
        return bool(self._roster.running or (self._roster.waiting and not self._budget.over))

    def _plan(self, index: int) -> WorkerPlan:
        canaries = [one.defect for one in self.summary.canaries]
        return plan_of(self._options, index, self._budget.deadline, self._name, canaries)

    def _turn(self) -> None:
        self._roster.turn(_POLL_S)
        if self._pauses:
            self._pauses = False
            self._on_message(Message("paused", "the campaign, with its workers"))
            stop_together(self._roster.workers)
        self._budget.end_late(self._roster.workers)
        self._warn()
        self._update()
        self._tell_store()
        self._care.turn()
        self._minimizing.turn()
        self._on_progress(self.summary)
        if hopeless := self._roster.hopeless:
            self.summary.last_error = hopeless
            self._stop = self._stop or ExitStatus.HARNESS

    def _warn(self) -> None:
        """Say once what is wrong with workers that work."""
        for worker in self._roster.workers:
            if worker.log_problem and self._is_new("log"):
                self._say_warning(f"{worker.log_problem}: what workers print is lost")
            if worker.dropped and self._is_new("dropped"):
                said = "sent what is no message: dropped, and counted"
                self._say_warning(f"worker {worker.plan.index} {said}")
            # libFuzzer reads its flags before it runs an input.
            if self._options.libfuzzer and worker.statistic(Stat.EXECS) and self._is_new("flags"):
                for said in unknown_flags(worker.log):
                    self._say_warning(f"libFuzzer: {said}")

    def _is_new(self, trouble: str) -> bool:
        known = trouble in self._warned
        self._warned.add(trouble)
        return not known

    def _say_warning(self, sentence: str) -> None:
        self._on_message(Message("warning", sentence))

    def _handle(self, worker: WorkerProcess, message: Message) -> None:
        if message.kind == "finding":
            self._note_finding(worker, message)
        elif message.kind == "seen":
            self._note_seen(message.name, message.execs)
        elif message.kind == "situation" and not self.summary.situations.get(message.name):
            self.summary.situations[message.name] = True
            self._ledger.situation(message.name, self._elapsed())
        elif message.kind == "canary":
            execs = self._execs_until(worker, message)
            self._silence.found(message.name, execs, self._elapsed())
        elif message.kind == "tried":
            self._silence.tried((worker.plan.index, worker.plan.seed), message.name)
        elif message.kind in ("harness_error", "hang"):
            self.summary.hangs += message.kind == "hang"
            self.summary.last_error = message.name
            self._keep_input(bytes.fromhex(message.input), message.name)
            self._on_message(message)
        elif message.kind == "unsteady" and not self.summary.unsteady:
            self.summary.unsteady = f"{message.name}, see {self._options.out / 'harness'}"
            self._keep_input(bytes.fromhex(message.input), message.name)
            self._on_message(replace(message, name=self.summary.unsteady))
        elif message.kind == "warning":
            self._on_message(message)
        elif message.kind == "always_fails":
            self._stop = self._stop or ExitStatus.VIOLATION
            self.summary.always_fails = message.name

    def _note_finding(self, worker: WorkerProcess, message: Message) -> None:
        if message.fallback:
            saved = f": saved in {message.path}" if message.path else ""
            self.summary.fallbacks.append(message.fallback + saved)
        known = self.summary.findings, self.summary.again, self._held.signatures
        if any(message.name in one for one in known):
            return
        when = self._execs_until(worker, message), round(self._elapsed(), 2)
        what = message.path, message.sentence, message.known
        finding = Finding(message.name, message.rule, *when, *what)
        again = not message.fallback and Path(message.path).name in self._saved_before
        if self._held.has_store and not again and not message.fallback:
            self._held.add(finding, message)
        else:
            self._count_finding(finding, message, again)

    def _count_finding(self, finding: Finding, message: Message, again: bool) -> None:
        """Count a finding; `again`: the folder or the store had it before."""
        self._ledger.finding(finding, new=not again)
        self._minimizing.add(message.path)
        if again:
            self.summary.again[message.name] = finding
            return
        self.summary.findings[message.name] = finding
        self._on_message(message)
        if self._options.stop_on_first:
            self._stop = ExitStatus.VIOLATION

    def _execs_until(self, worker: WorkerProcess, message: Message) -> int:
        """Return the executions of all workers until one has sent a message."""
        others = (one for one in self._roster.workers if one is not worker)
        return message.execs + sum(one.statistic(Stat.EXECS) for one in others)

    def _note_seen(self, signature: str, count: int) -> None:
        self._ledger.seen(signature, count)
        self.summary.seen[signature] = self.summary.seen.get(signature, 0) + count
        if matches(signature, self._options.silenced):
            silenced = self.summary.silenced
            silenced[signature] = silenced.get(signature, 0) + count

    def _note_end(self, worker: WorkerProcess, how: str) -> None:
        """Say that a worker has ended, and save the input if that is to blame."""
        self.summary.last_error = how
        if is_of_input(worker):
            self.summary.ended_worker += 1
            self._keep_input(worker.arena.flight.read(), how)
        self._on_message(Message("harness_error", how))

    def _keep_input(self, data: bytes, reason: str) -> None:
        """Save an input; an empty one stands for none."""
        try:
            if data:
                self._failed_inputs.keep(data, reason)
        except OSError as error:
            self.summary.fallbacks.append(
                f"{error.strerror or error}; failed input in hexadecimal: {data.hex()}"
            )

    def _end_workers(self) -> None:
        self._roster.end(_GRACE_S)
        self._care.finish()
        self._next_entry = 0.0
        self._update(final=True)
        self._tell_store(last=True)
        self.summary.saved = len(saved_findings(self._options.out))
        self._roster.close()

    # --- Summary and ledger -------------------------------------------------------------------

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _update(self, *, final: bool = False) -> None:
        summary, workers = self.summary, self._roster.workers
        summary.seconds = self._elapsed()
        summary.execs = sum(worker.statistic(Stat.EXECS) for worker in workers)
        summary.violations = sum(worker.statistic(Stat.VIOLATIONS) for worker in workers)
        summary.harness_errors = sum(worker.statistic(Stat.HARNESS_ERRORS) for worker in workers)
        features = max([summary.features, *(one.statistic(Stat.FEATURES) for one in workers)])
        if self._corpus_size.count(final=final):
            summary.features, summary.corpus = features, self._corpus_size.inputs
        if (gone := self._corpus_size.problem) and gone not in summary.fallbacks:
            summary.fallbacks.append(gone)  # new inputs would be lost without a word
            self._stop = self._stop or ExitStatus.HARNESS
        reached = [(w.statistic(Stat.REACHED), w.statistic(Stat.REACHABLE)) for w in workers]
        # A worker that was started again has reached less than before.
        summary.reach = Reach(self._options.coverage, *max([summary.reach[1:], *reached]))
        summary.steps = sum(worker.statistic(Stat.STEPS) for worker in workers)
        summary.alive, summary.waiting = self._roster.running, self._roster.waiting
        summary.restarts = self._roster.restarts
        summary.dropped = sum(worker.dropped for worker in workers)
        self._pace.note(summary)
        if summary.seconds >= self._next_entry:
            self._next_entry = summary.seconds + _LEDGER_S
            other = (summary.violations, summary.harness_errors)
            self._ledger.progress(summary.seconds, summary.execs, summary.features, other)
            self._ledger.reach(summary.reach)
            self._worker_record.note(workers, summary.seconds, final=final)
            self._silence.update(workers)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
