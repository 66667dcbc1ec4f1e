"""The command that a user has run for each new finding (``--on-finding``).

A shell runs it as it was typed. What is of the finding is in its environment and never in the text
of the command, so no name can be taken for shell code. Commands run one at a time, beside the
campaign, each for a limited time; a failure is said and changes nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vblkfuzz.launch.plan import Message

LIMIT_S: Final = 60.0
"""Seconds for one command."""
_END_S: Final = 5.0
"""Seconds for all that are left when the campaign has ended: who gets SIGTERM leaves within ten."""
_LOG: Final = "on-finding.txt"
_POLL_S: Final = 0.05
_BEGIN: Final = "VBLKFUZZ_"


class FindingHook:
    """Runs the command; a context manager that leaves none behind.

    Args:
        command: for the shell; empty: there is none.
        out: the output folder of the campaign.
        say: is given a line about each command that fails.
        limit_s: see `LIMIT_S`.
    """

    def __init__(
        self, command: str, out: Path, say: Callable[[str], None], limit_s: float = LIMIT_S
    ) -> None:
        self._command, self._out, self._say = command, out, say
        self._limit_s = limit_s
        self._waiting: deque[Message] = deque()
        self._running: tuple[subprocess.Popen[bytes], Message, float] | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        """Wait some seconds for the commands that are left; not if an error ends this."""
        end = time.monotonic() + (0 if failed else _END_S)
        try:
            while not self.idle and time.monotonic() < end:
                self.turn()
                time.sleep(_POLL_S)
        finally:
            left = len(self._waiting)
            if self._running:
                running, message, _limit = self._running
                self._kill(running, message, "the campaign has ended")
            if left:
                self._say(f"--on-finding: {left} more findings were left: the campaign has ended")

    def note(self, message: Message) -> None:
        """Run the command soon, if the message is of a new finding."""
        if self._command and message.kind == "finding":
            self._waiting.append(message)

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits."""
        return not self._running and not self._waiting

    def turn(self) -> None:
        """See what has ended, and start the next one; takes no time."""
        if self._running:
            process, message, limit = self._running
            status = process.poll()
            if status is None and time.monotonic() > limit:
                self._kill(process, message, f"it did not end within {self._limit_s:g} s")
            elif status is not None:
                self._running = None
                if status:
                    self._fail(message, f"it ended with status {status}")
        if self._waiting and not self._running:
            self._start(self._waiting.popleft())

    def _start(self, message: Message) -> None:
        of_finding = {
            "SIGNATURE": message.name,
            "RULE": message.rule,
            "SENTENCE": message.sentence,
            "PATH": os.path.abspath(message.path) if message.path else "",
        }
        more = {_BEGIN + name: value.replace("\0", "") for name, value in of_finding.items()}
        try:
            with (self._out / "log" / _LOG).open("ab") as log:
                process = subprocess.Popen(
                    ["/bin/sh", "-c", self._command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **more},
                    start_new_session=True,  # ctrl-C is for the campaign
                )
        except OSError as error:
            self._fail(message, f"it cannot be run: {error.strerror or error}")
        else:
            self._running = process, message, time.monotonic() + self._limit_s

    def _kill(self, process: subprocess.Popen[bytes], message: Message, why: str) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._running = None
        self._fail(message, f"killed: {why}")

    def _fail(self, message: Message, why: str) -> None:
        self._say(f"--on-finding, of {message.name}: {why}; see {self._out / 'log' / _LOG}")
