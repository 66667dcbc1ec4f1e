"""The exceptions that cross rooms, and the exit codes they end in.

    VblkfuzzError
    |-- UsageError          the user's input cannot be used        -> exit 2
    |   |-- InputFileError  ... it is a file: names file, place, expectation
    |   `-- DeviceClassError  ... it is a device class: a line for each method that cannot work
    `-- HarnessError        we could not judge                     -> exit 125
        |-- ActorDied       an actor process ended by itself
        |-- ActorHung       an execution did not end in time       -> exit 70
        |-- NotReproduced   an input does not show what it was kept for
        |-- ZygoteLost      nobody is left to start actors; the target cannot be used again
        |-- DeviceUnavailable  a real device cannot be started
        |-- DeviceLost      a real device process ended or stopped answering
        `-- TraceOverflow   events were dropped, a verdict would be a guess

Errors of the ring protocol (`virtio.chain.RingError`) are not here: they are the guest's doing,
and the device turns them into a broken device. A rule violation is a value, never an exception.
"""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit codes of the command line. Fixed: other people's scripts rely on them."""

    CLEAN = 0
    USAGE = 2
    TIMEOUT = 70
    INTERRUPTED = 72
    VIOLATION = 77
    HARNESS = 125
    USER_STOP = 130


class VblkfuzzError(Exception):
    """Base of all errors that the command line turns into one line and an exit code."""

    exit_status = ExitStatus.HARNESS

    @property
    def lines(self) -> tuple[str, ...]:
        """What to print, a line each."""
        return (str(self),)


class UsageError(VblkfuzzError):
    """What the user asked for cannot be done; the message says what to do instead."""

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


class HarnessError(VblkfuzzError):
    """The harness failed, so there is no verdict. Never reported as a finding."""


class ActorDied(HarnessError):
    """A guest or device process ended while an execution was running."""

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
    """The zygote has ended or does not answer, so there will be no more actors."""


class DeviceUnavailable(HarnessError):
    """A real device cannot be started; the message says what to install or to change."""


class DeviceLost(HarnessError):
    """A real device's connection ended. Its target makes a finding of it, or a harness error."""

    def __init__(self, message: str, *, guest_waits: bool = False) -> None:
        super().__init__(message)
        self.guest_waits = guest_waits
        """It was the guest that got no answer, not the operator."""


class TraceOverflow(HarnessError):
    """A trace ring was full and events were dropped."""
