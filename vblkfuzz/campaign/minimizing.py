"""Minimizing: the orchestrator's handle of the minimizer, and what is still to be minimized.

The process (`campaign.minimizer`) runs while there is a finding to minimize, and a minute longer.
It gets them one at a time, and dies with the orchestrator. If it is killed, the finding at work
counts as not minimized, and a new process does the others.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.campaign.minimizing_order import TRIES, Answer, Order
from vblkfuzz.errors import ExitStatus, InputFileError
from vblkfuzz.launch.bounded_log import bound
from vblkfuzz.launch.lines import Lines
from vblkfuzz.limits import MAX_MESSAGE_BYTES
from vblkfuzz.minimize.beside import is_wanting, reduction_of
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.store.confidence import confidence_in
from vblkfuzz.store.finding_files import ARTIFACT
from vblkfuzz.store.finding_place import signature_of
from vblkfuzz.store.saved_findings import finding_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from vblkfuzz.launch.plan import WorkerPlan
    from vblkfuzz.store.summary import Summary

_GOES_ON: Final = (None, ExitStatus.VIOLATION)
_LEAST_S: Final = 2.0
"""Seconds that a finding gets at least then, however many there are: the first become small."""
_LINGER_S: Final = 60.0
"""Seconds for which the process waits for another finding: a start takes as long as hundreds of
executions of the model."""
_GRACE_S: Final = 2.0
"""Seconds for the minimizer to end by itself and keep the best so far."""
_POLL_S: Final = 0.1
_READ_BYTES: Final = 1 << 16


class Minimizing:
    """Minimizes findings of a campaign beside its workers, and writes to its summary.

    Args:
        plan: the plan of a worker: target, device, mode and output folder.
        summary: gets `minimized`, `not_minimized` and `confidence`.
        wanted: False: do nothing.
    """

    def __init__(self, plan: WorkerPlan, summary: Summary, wanted: bool) -> None:
        self._plan = plan
        self.summary = summary
        self._wanted = wanted
        self._left: list[Path] = []
        """Folders of findings that are not minimized yet; the first one may be at work."""
        self._earlier: frozenset[Path] = frozenset()
        self._at_work = False
        self._idle_since = 0.0
        self._done = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._orders_fd = self._answers_fd = -1
        self._lines = Lines(MAX_MESSAGE_BYTES)

    def __enter__(self) -> Self:
        """Look for findings of earlier campaigns; start nothing yet."""
        if self._wanted:
            with suppress(OSError):  # the folder cannot be listed: new findings are added
                self._left = list(_left_before(self._plan))
                self._earlier = frozenset(self._left)
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._end()

    @property
    def pid(self) -> int | None:
        """Id of the process that was started last; None: none was."""
        return self._process.pid if self._process else None

    def add(self, folder: str) -> None:
        """Add a finding that was found just now; one that is minimized is only noted."""
        path = Path(folder)
        if not self._wanted or not folder or path in self._left:
            return
        if is_wanting(path, TRIES):
            self._left.insert(self._place_of_new(), path)
        elif reduction := reduction_of(path):
            self.summary.minimized[signature_of(path)] = reduction
            self._note_confidence(path)

    def _place_of_new(self) -> int:
        """Return where the next finding of this campaign comes: before those of earlier ones."""
        begun = int(self._at_work)
        waiting = enumerate(self._left[begun:], begun)
        return next((at for at, one in waiting if one in self._earlier), len(self._left))

    def turn(self, seconds: float = 0) -> None:
        """Take the answer of the minimizer, if there is one, and give it the next finding.

        Args:
            seconds: limit of a search at full speed; 0: in a share of the time.
        """
        with suppress(OSError):  # the log is for people
            bound(self._log)
        # Checked before reading: it may answer and end in between.
        ended = self._process is not None and self._process.poll() is not None
        self._read_answers()
        if ended and self._at_work:
            self._note(Answer(problem="the minimizer ended, see log/minimizer.log"))
        if not self._at_work:
            self._give_next(seconds)

    def finish(
        self,
        stop: Callable[[], ExitStatus | None],
        on_progress: Callable[[Summary], None],
        seconds: float,
    ) -> None:
        """Minimize what is left, in so many seconds at most; then end the process.

        Args:
            stop: why the campaign was stopped, if it was: by a user or by an error of the harness
                nothing more is run.
            on_progress: called often.
            seconds: for all of them together.
        """
        deadline = time.monotonic() + seconds
        if self._at_work:
            self._send(Order(seconds=self._slice(deadline)))
        while self._left and stop() in _GOES_ON and time.monotonic() < deadline:
            self.summary.minimizing = (self._done + 1, self._done + len(self._left))
            on_progress(self.summary)
            self.turn(self._slice(deadline))
            if self._at_work:
                select.select([self._answers_fd], [], [], _POLL_S)
        self._end()

    def _slice(self, deadline: float) -> float:
        """Return the seconds for one finding; what one does not need is for the others."""
        return max(_LEAST_S, (deadline - time.monotonic()) / len(self._left))

    # --- The process --------------------------------------------------------------------------

    def _give_next(self, seconds: float) -> None:
        if not self._left:
            if time.monotonic() >= self._idle_since + _LINGER_S:
                self._let_end()
        elif not seconds and self._plan.target_options.vhost_user_socket:
            pass  # the one back-end there is serves the workers
        elif self._is_ready():
            self._send(Order(str(self._left[0]), seconds))
            self._at_work = True

    def _is_ready(self) -> bool:
        """Whether the process takes orders; start it if there is none."""
        if self._process is not None and self._process.poll() is None:
            return self._orders_fd >= 0  # else it is about to end
        self._let_end()
        self._close_answers()
        try:
            self._start()
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            self._give_up(f"no minimizer: {where}{error.strerror or error}")
            return False
        return True

    def _start(self) -> None:
        orders_fd, self._orders_fd = os.pipe2(os.O_CLOEXEC)
        self._answers_fd, answers_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._answers_fd, False)
        arguments = [self._plan.to_json(), str(orders_fd), str(answers_fd), str(os.getpid())]
        try:
            with self._log.open("ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "vblkfuzz.campaign.minimizer", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(orders_fd, answers_fd),
                    start_new_session=True,  # ctrl-C is for the orchestrator
                    env={**os.environ, "PYTHONHASHSEED": "0"},
                )
        finally:
            os.close(orders_fd)
            os.close(answers_fd)

    @property
    def _log(self) -> Path:
        return Path(self._plan.out) / "log" / "minimizer.log"

    def _send(self, order: Order) -> None:
        with suppress(BrokenPipeError):  # it has ended: `turn` sees that
            os.write(self._orders_fd, order.to_line())

    def _read_answers(self) -> None:
        lines: list[bytes] = []
        with suppress(BlockingIOError):
            while self._answers_fd >= 0 and (data := os.read(self._answers_fd, _READ_BYTES)):
                lines += self._lines.feed(data)
        for line in lines:
            try:
                answer = Answer.from_line(line)
            except (ValueError, TypeError, KeyError, RecursionError):
                continue  # a device may write to any pipe that its process has
            self._note(answer)

    def _let_end(self) -> None:
        """Close the pipe of orders: the process ends by itself."""
        if self._orders_fd >= 0:
            os.close(self._orders_fd)
            self._orders_fd = -1

    def _close_answers(self) -> None:
        if self._answers_fd >= 0:
            os.close(self._answers_fd)
            self._answers_fd, self._lines = -1, Lines(MAX_MESSAGE_BYTES)

    def _end(self) -> None:
        """End the process, and note what was not minimized."""
        self._let_end()
        if self._process is not None:
            try:
                self._process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()  # its children end with it (`process.parent_death`)
                self._process.wait()
        self._read_answers()
        self._close_answers()
        self._give_up("")

    # --- Results ------------------------------------------------------------------------------

    def _note(self, answer: Answer) -> None:
        """Note what became of the finding at work."""
        folder = self._left.pop(0)
        self._at_work = False
        self._idle_since = time.monotonic()
        self._done += 1
        self._note_confidence(folder)
        reduction = answer.reduction or reduction_of(folder)
        if reduction:
            self.summary.minimized[signature_of(folder)] = reduction
        else:
            self.summary.not_minimized[signature_of(folder)] = answer.problem

    def _note_confidence(self, folder: Path) -> None:
        if confidence := confidence_in(folder):
            self.summary.confidence[signature_of(folder)] = confidence

    def _give_up(self, problem: str) -> None:
        """Note that what is left is not minimized; an empty problem: there was no time."""
        while self._left:
            self._note(Answer(problem=problem))
        self.summary.minimizing = None


def _left_before(plan: WorkerPlan) -> Iterator[Path]:
    """Yield the findings of earlier campaigns that this one can minimize: those of its device."""
    for folder in finding_folders(Path(plan.out)):
        if is_wanting(folder, TRIES):
            try:
                artifact = read_input(folder / ARTIFACT)
            except InputFileError:
                continue  # damaged: `triage` says so
            if (artifact.target, artifact.device) == (plan.target, plan.device):
                yield folder
