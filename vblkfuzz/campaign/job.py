"""A job of continuous integration: the inputs of a corpus, then a campaign, as results of tests.

An input of the corpus passes if the device breaks no rule, whatever the input expects: a finding
that is kept there fails until the device is fixed. A finding of the campaign is a failed test, also
one that was in the output folder before: a test says how the device is now.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from vblkfuzz.campaign.options import MINIMIZE_S
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.counted import counted
from vblkfuzz.errors import ExitStatus
from vblkfuzz.export.result import Result, State, results_of
from vblkfuzz.triage.cases import CaseReader
from vblkfuzz.triage.inputs import input_files
from vblkfuzz.triage.replay_target import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vblkfuzz.campaign.options import CampaignOptions
    from vblkfuzz.errors import InputFileError
    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Finding, Summary
    from vblkfuzz.triage.case import Case

_LEAST_S: Final = 1.0
"""Seconds without which no campaign begins: its workers need about that to start."""
_FINDING_RUNS: Final = 3
"""Runs of each finding for the reports, as in `triage`: a race does not show each time."""
_SHARE: Final = 1 / 8
"""Part of the time of a campaign that is for its findings: to minimize them and to run them again.
Fuzzing ends before that, so that the whole job ends in its time."""
_RESERVE_S: Final = 1.5 * MINIMIZE_S
"""Most seconds of that part; two thirds of it are for minimizing."""
_STOPS: Final = (ExitStatus.USER_STOP, ExitStatus.INTERRUPTED)
_NO_TIME: Final = "no time is left"
_CAMPAIGN: Final = "campaign"
"""Name of the test that stands for the whole campaign."""


@dataclass(slots=True)
class Job:
    """A job, and its results so far."""

    options: CampaignOptions
    """Of the campaign; the time limit is that of the whole job, minimizing included."""
    tests: list[Result] = field(default_factory=list)
    shown: list[Case] = field(default_factory=list)
    """The cases of failed tests."""
    summary: Summary | None = None
    """Of the campaign; None: there was none."""
    status: ExitStatus = ExitStatus.CLEAN
    """Of the campaign, or the stop of the corpus."""
    tested: bool = False
    """Whether anything ran: an input of the corpus, or an execution of the campaign."""
    campaign: Campaign | None = None
    """None: there was none."""
    began: float = field(default_factory=time.monotonic)
    """When its time began, on the clock of `time.monotonic`."""

    @property
    def stopped(self) -> bool:
        """Whether a signal has ended the job."""
        return self.status in _STOPS

    @property
    def exit_status(self) -> ExitStatus:
        """130 or 72 stopped; else 77 a test failed; else 125 no verdict; else the campaign's."""
        if self.stopped:
            return self.status
        if any(one.state is State.FAILED for one in self.tests):
            return ExitStatus.VIOLATION
        # The campaign has a status of its own, which tells inputs that hung from other errors.
        others = (one.state for one in self.tests if one.name != _CAMPAIGN)
        no_verdict = State.ERROR in others or not self.tested
        return ExitStatus.HARNESS if no_verdict else self.status

    def run_corpus(self, files: list[str], stopped: Callable[[], ExitStatus | None]) -> None:
        """Run inputs until the time is over or `stopped` gives a status."""
        left = [*files]
        reader = CaseReader(self._note_unreadable, self._replayed_on())
        cases = []
        for case in reader.read(files):
            cases.append(case)
            left = left[left.index(case.outcome.input) + 1 :]
            if stopped() or self._rest() <= 0:
                break
        else:
            left = []
        self.status = stopped() or ExitStatus.CLEAN
        self._note(cases)
        self.tested = bool(cases)
        self.tests += [self._test(name, State.SKIPPED, self.why_cut) for name in left]

    def fuzz(
        self, on_message: Callable[[Message], None], on_progress: Callable[[Summary], None]
    ) -> None:
        """Run the campaign for the rest of the time, then its findings again.

        Raises:
            UsageError: another campaign uses the folder, or a corpus is no folder.
            HarnessError: the output folder cannot be written.
        """
        rest = self._rest()
        if self.stopped or rest < _LEAST_S:
            self.tests.append(self._test(_CAMPAIGN, State.SKIPPED, self.why_cut))
            return
        reserve = min(_RESERVE_S, _SHARE * rest)
        options = replace(self.options, seconds=rest - reserve, minimize_s=reserve / 1.5)
        self.campaign = campaign = Campaign(options, on_message, on_progress)
        self.status = campaign.run()
        self.summary = summary = campaign.summary
        self._note_campaign(summary)
        self.tested = self.tested or bool(summary.execs)
        found = [*summary.findings.values(), *summary.again.values()]
        saved = [one for one in found if one.path]
        runs = _FINDING_RUNS if self._rest() > 0 else 1
        reader = CaseReader(self._note_unreadable, self._replayed_on(), runs)
        self._note([*reader.read([input_files(one.path)[0] for one in saved])])
        self._note_unsaved(one for one in found if not one.path)

    def note_status(self, status: int) -> None:
        """Record the exit status of the process in the ledger, if it is not that of the campaign.

        Raises:
            HarnessError: the ledger cannot be used any more.
        """
        if self.campaign and status != self.status:
            self.campaign.note_status(status)

    @property
    def why_cut(self) -> str:
        """Why a test was not run to its end."""
        if not self.stopped:
            return _NO_TIME
        spent = time.monotonic() - self.began
        return f"stopped after {spent:,.0f} s of {self.options.seconds:,.0f} s"

    @property
    def overrun(self) -> str:
        """Says how long the job took, if that was a second more than its time; else empty."""
        over = -self._rest()
        if over < _LEAST_S:
            return ""
        budget = self.options.seconds
        return f"the job took {budget + over:,.0f} s, {over:,.0f} s more than its budget"

    def _rest(self) -> float:
        return self.began + self.options.seconds - time.monotonic()

    def _replayed_on(self) -> Options:
        options = self.options
        more = options.target_options
        return Options(options.target, options.device, options.mode, target_options=more)

    def _note(self, cases: list[Case]) -> None:
        tests = [*results_of(cases, self.options.silenced)]
        self.tests += tests
        pairs = zip(cases, tests, strict=True)
        self.shown += [case for case, one in pairs if one.state is State.FAILED]

    def _note_unreadable(self, error: InputFileError) -> None:
        self.tests.append(self._test(error.path, State.ERROR, str(error)))

    def _note_campaign(self, summary: Summary) -> None:
        problems = [*summary.fallbacks]
        if summary.harness_errors or summary.always_fails or summary.last_error:
            last = summary.last_error.strip().rpartition("\n")[2]
            problems.append(summary.always_fails or last)
        stopped = self.stopped
        if not problems and (stopped or not summary.execs):
            problems, state = [self.why_cut], State.SKIPPED
        elif stopped:
            problems, state = [self.why_cut, *problems], State.ERROR
        else:
            # A worker that was started again is told, and is no fault.
            counts = (summary.harness_errors, summary.ended_worker, not summary.execs)
            faults = any(counts) or summary.fallbacks or summary.always_fails
            state = State.ERROR if faults else State.PASSED
        words = f"{counted(summary.execs, 'execution')}, seed {self.options.seed}"
        self.tests.append(self._test(_CAMPAIGN, state, "; ".join([words, *problems])))

    def _note_unsaved(self, findings: Iterator[Finding]) -> None:
        for one in findings:
            sentence = f"{one.rule}: {one.sentence}"
            test = self._test(one.signature, State.FAILED, sentence)
            self.tests.append(replace(test, kind=one.rule))

    def _test(self, name: str, state: State, message: str) -> Result:
        group = f"vblkfuzz.{self.options.target}.{self.options.device}"
        return Result(name, state, group, message)
