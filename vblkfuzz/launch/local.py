"""The orchestrator's handle of a worker: its process on this machine, its arena, its messages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from vblkfuzz.errors import ExitStatus
from vblkfuzz.launch.bounded_log import bound
from vblkfuzz.launch.lines import Lines
from vblkfuzz.launch.memory_kills import memory_kills
from vblkfuzz.launch.plan import Message, Stat
from vblkfuzz.limits import MAX_MESSAGE_BYTES, STUCK_LIMIT_S
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.patience import Patience

if TYPE_CHECKING:
    from vblkfuzz.launch.plan import WorkerPlan

_READ_BYTES: Final = 1 << 16
"""Bytes of one read: what a pipe holds."""
_READS: Final = 16
"""Most reads in a row: a device that writes to the pipe without end keeps nobody from the others.
They empty the pipe of a worker that has ended."""
_UNEXPECTED: Final = (
    ExitStatus.HARNESS.name,
    ExitStatus.INTERRUPTED.name,
    ExitStatus.USER_STOP.name,
)
"""What a worker says at its end that could run no input, or got a signal: it is not done."""


class WorkerProcess:
    """Starts a worker, reads its messages, ends it.

    The arena belongs to the orchestrator and outlives the worker process: counters continue over
    restarts, and the input that killed a worker can still be read (`arena.flight`).
    """

    def __init__(self, plan: WorkerPlan) -> None:
        self.plan = plan
        self.done = False
        """The worker has sent `done`, and not because of a signal or an error."""
        self.dropped = 0
        """Lines on the pipe that were no messages."""
        self.log_problem = ""
        """Why there is no log; empty: there is one."""
        self.verdicts_before = 0
        """Value of `verdicts` at the last start."""
        self.stuck = False
        """The process was killed by `end_if_stuck`."""
        self._execs = 0
        self._patience: Patience
        self._memory_fd = os.memfd_create("vblkfuzz-worker", os.MFD_CLOEXEC)
        self.arena = Arena.over(self._memory_fd)
        self._memory_kills = 0
        self._lines = Lines(MAX_MESSAGE_BYTES)
        self._process: subprocess.Popen[bytes] | None = None
        self.messages_fd = -1

    def start(self) -> None:
        """Start the process, for the first time or again after it ended.

        Raises:
            OSError: the process cannot be created.
        """
        self.done = self.stuck = False
        self._patience = Patience(STUCK_LIMIT_S)
        self._lines = Lines(MAX_MESSAGE_BYTES)  # drop the unfinished message of a killed worker
        self.verdicts_before = self.verdicts
        self.arena.flight.write(b"")
        self._memory_kills = memory_kills()
        messages_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        try:
            self._spawn(write_fd)
        except OSError:
            os.close(messages_fd)
            raise
        finally:
            os.close(write_fd)
        os.set_blocking(messages_fd, False)
        self.messages_fd = messages_fd

    def _spawn(self, write_fd: int) -> None:
        plan = self.plan
        arguments = [plan.to_json(), str(self._memory_fd), str(write_fd), str(os.getpid())]
        self._note(f"worker {plan.index} starts, seed {plan.seed}")
        with self._output() as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vblkfuzz.campaign.worker", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(self._memory_fd, write_fd),
                start_new_session=True,  # ctrl-C is for the orchestrator
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )

    def _output(self) -> BinaryIO:
        """Open the log. A worker without one works as well."""
        try:
            return self.log.open("ab")
        except OSError as error:
            self.log_problem = f"{self.log}: {error.strerror or error}"
            return Path(os.devnull).open("ab")

    def read(self) -> list[Message]:
        """Return the complete messages received since the last call; does not wait.

        It also keeps the log small.
        """
        with suppress(OSError):  # the log is for people
            bound(self.log)
        messages = []
        for _ in range(_READS):
            try:
                data = os.read(self.messages_fd, _READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                break
            messages += self._messages_in(data)
        if any(one.kind == "done" and one.name not in _UNEXPECTED for one in messages):
            self.done = True
        return messages

    def _messages_in(self, data: bytes) -> list[Message]:
        """Return the messages that `data` completes; drop and count what is none."""
        messages, dropped = [], self._lines.dropped
        for line in self._lines.feed(data):
            try:
                messages.append(Message.from_line(line))
            except ValueError:
                self.dropped += 1
        self.dropped += self._lines.dropped - dropped
        return messages

    @property
    def log(self) -> Path:
        """File that receives stdout and stderr of the process."""
        return Path(self.plan.out) / "log" / f"worker-{self.plan.index}.log"

    @property
    def verdicts(self) -> int:
        """Executions with a verdict, over all restarts."""
        return self.statistic(Stat.EXECS) - self.statistic(Stat.HARNESS_ERRORS)

    def statistic(self, stat: int) -> int:
        """A counter of this worker (`Stat`), over all its restarts."""
        return self.arena.statistics[stat]

    @property
    def exit_code(self) -> int | None:
        """Exit status of the process as in `Popen`; None if it runs or was not started."""
        return self._process.poll() if self._process else None

    @property
    def runs(self) -> bool:
        """Whether the process was started and its end was not noticed yet."""
        return self.messages_fd >= 0

    @property
    def lacked_memory(self) -> bool:
        """Whether the system has killed a process for lack of memory since the last start."""
        return memory_kills() > self._memory_kills

    def end_if_stuck(self) -> None:
        """Kill the process if it finished no execution for STUCK_LIMIT_S; call this regularly."""
        execs = self.statistic(Stat.EXECS)
        if execs != self._execs:
            self._execs, self._patience = execs, Patience(STUCK_LIMIT_S)
        elif self._process and self._patience.over and not self.stuck:
            self.stuck = True
            self._process.kill()

    def give_up(self) -> None:
        """Kill the process, which has run nothing yet, and do not expect anything of it."""
        if self._process:
            self.done = True
            self._process.kill()

    def interrupt(self) -> None:
        """Send SIGTERM: the worker ends after the running execution."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)

    def signal_group(self, number: int) -> None:
        """Send a signal to the worker and all its actors, if it runs."""
        if self._process and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def finish(self, timeout_s: float) -> None:
        """Wait up to `timeout_s` seconds for the end, then kill the process.

        Its children end with it (`process.parent_death`).
        """
        if self._process is None:
            return
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close_messages(self) -> None:
        """Close the pipe of a process that has ended."""
        if self.messages_fd >= 0:
            os.close(self.messages_fd)
            self.messages_fd = -1
            self._note(f"worker {self.plan.index} ended with exit status {self.exit_code}")

    def _note(self, text: str) -> None:
        """Write a line with the time to the log; what libFuzzer prints there has none."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        # The log is for people: a full disk ends no campaign.
        with suppress(OSError), self.log.open("a", encoding="utf-8") as output:
            output.write(f"--- {now} {text}\n")

    def close(self) -> None:
        """Free the arena."""
        self.close_messages()
        os.close(self._memory_fd)
