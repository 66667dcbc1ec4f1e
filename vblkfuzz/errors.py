"""The exceptions that cross rooms, and the exit codes they end in.

    VblkfuzzError
    |-- UsageError          the user's input cannot be used        -> exit 2
    |   |-- InputFileError  the input is a file; names file, place, expected, found
    |   `-- DeviceClassError  the input is a device class; a line for each method that cannot work
    |-- OutputLost          stdout cannot be written              -> exit 125, or 141
    `-- HarnessError        there is no verdict                    -> exit 125
        |-- ActorDied       an actor process ended during an execution
        |-- ActorHung       an execution did not end in time       -> exit 70
        |-- NotReproduced   an input does not show the bug that it was kept for
        |-- ZygoteLost      no actors can be started; the target cannot be used again
        |-- DeviceUnavailable  a real device cannot be started
        |-- DeviceLost      a real device process ended or stopped answering
        `-- TraceOverflow   events were dropped, so the trace cannot be judged

`Stopped` is no VblkfuzzError: a signal asks for the end.

Errors of the ring protocol (`virtio.ring_error.RingError`) are not here: the guest causes them,
and the device handles them by becoming broken. A rule violation is a value, never an exception.
"""

from __future__ import annotations

import errno
from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit codes of the command line. They are fixed, because users' scripts depend on them."""

    CLEAN = 0
    MISSING = 1
    USAGE = 2
    TIMEOUT = 70
    INTERRUPTED = 72
    VIOLATION = 77
    HARNESS = 125
    USER_STOP = 130


class VblkfuzzError(Exception):
    """Base of all errors that the command line reports in one line, with an exit code."""

    exit_status = ExitStatus.HARNESS

    @property
    def lines(self) -> tuple[str, ...]:
        """What to print, a line each."""
        return (str(self),)


class UsageError(VblkfuzzError):
    """A request of the user cannot be carried out; the message says what to do instead."""

    exit_status = ExitStatus.USAGE


class InputFileError(UsageError):
    """A file cannot be used as input.

    Prints as one line: ``file: place: expected ..., found ...``.
    """

    def __init__(self, path: str, place: str, problem: str) -> None:
        super().__init__(f"{path}: {place}: {problem}" if place else f"{path}: {problem}")
        self.path = path
        self.place = place
        self.problem = problem


class DeviceClassError(UsageError):
    """Methods or attributes of a user's device class cannot work."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self._problems = problems

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each of them."""
        return self._problems


_SIGPIPE_STATUS = 128 + 13
"""Status of a program that SIGPIPE ended, as shells report it: the other codes are verdicts."""


class OutputLost(VblkfuzzError):
    """A write to stdout failed."""

    def __init__(self, error: OSError) -> None:
        self.reason = error.strerror or str(error)
        super().__init__(f"standard output: cannot be written: {self.reason}")
        self.reader_left = error.errno == errno.EPIPE
        """Whether it was a pipe whose reader had enough: nothing is said then."""

    @property
    def status(self) -> int:
        """The exit status of the process."""
        return _SIGPIPE_STATUS if self.reader_left else int(self.exit_status)


class HarnessError(VblkfuzzError):
    """The harness failed, so there is no verdict. It is never reported as a finding."""

    of_input: bool = True
    """Whether the input that ran may have to do with it; not if somebody has killed a process."""

    @property
    def sentence(self) -> str:
        """The error without the traceback of an actor, whose last line says what happened."""
        return str(self).rstrip().rpartition("\n")[2]


class ActorDied(HarnessError):
    """A guest or device process ended during an execution."""

    def __init__(self, message: str, device_ended: int | None = None) -> None:
        super().__init__(message)
        self.device_ended = device_ended
        """How the device process ended (negative: by a signal), if it was that and it alone."""


class ActorHung(HarnessError):
    """An execution did not end in time (`limits.ANSWER_LIMIT_S`; inline `HANG_LIMIT_S`)."""

    exit_status = ExitStatus.TIMEOUT


class NotReproduced(HarnessError):
    """An input does not show the bug that it is to be minimized or bisected for."""


class ZygoteLost(HarnessError):
    """The zygote has ended or does not answer, so no actors can be started."""


class DeviceUnavailable(HarnessError):
    """A real device cannot be started; the message says what to install or change."""


class DeviceLost(HarnessError):
    """The connection to a real device ended. The target reports a finding or a harness error."""

    def __init__(self, message: str, *, guest_waits: bool = False) -> None:
        super().__init__(message)
        self.guest_waits = guest_waits
        """Whether the guest got no answer; else it was the operator."""


class ProtocolViolated(DeviceLost):
    """A real device broke the protocol of its connection. The target reports a finding."""


class TraceOverflow(HarnessError):
    """A trace ring was full and events were dropped."""


class Stopped(BaseException):
    """A signal asks for the end; not a KeyboardInterrupt, of which click makes an exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def too_many_files(error: BaseException) -> str:
    """Return what to do about an error of a limit of open files; empty: it is another error.

    Such an error is no bug of this program. One worker on a real QEMU has 500 files open.
    """
    if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
        return ""
    return f"{error.strerror}: allow more, for example: ulimit -n 1024"
