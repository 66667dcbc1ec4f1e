"""A start of the device that fails at a queue: QEMU gets no file descriptor for its ioeventfd.

A limit on the number of open files (prlimit, RLIMIT_NOFILE) is the only means. It is in place only
where a start may come: while the guest runs, and during `cont`. QEMU opens files during other
operations, too, and they must not fail.

After a failed start QEMU goes on without ioeventfds: the vCPU handles each kick itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vblkfuzz.targets.qemu.process import QemuProcess


class StartFailure:
    """At most one start fails: the next one after `arm`."""

    def __init__(self) -> None:
        self._queue: int | None = None
        """Queue at which the next start fails; None: it does not."""
        self._limited: QemuProcess | None = None
        """The process with the limit."""
        self._failed = 0
        """Starts of that process that had failed before."""
        self.happened = False
        """Whether a start has failed. QEMU 10.0 and 11.1 do not recover from that by a reset."""

    def arm(self, queue: int) -> None:
        """Let the next start fail at a queue."""
        self._queue = queue

    def limit(self, qemu: QemuProcess) -> None:
        """Put the limit in place, if a start is to fail; call `lift` before any other operation."""
        if self._queue is not None and self._limited is None:
            self._limited, self._failed = qemu, qemu.failed_starts()
            qemu.limit_files(qemu.opened_first + self._queue)

    def note(self) -> None:
        """If the start has failed, lift the limit for good."""
        if self._limited is not None and self._limited.failed_starts() > self._failed:
            self.happened = True
            self.disarm()

    def lift(self) -> None:
        """Lift the limit for an operation; `limit` puts it in place again, if it is needed."""
        self.note()
        self._lift()

    def _lift(self) -> None:
        if self._limited is not None:
            self._limited.limit_files(None)
            self._limited = None

    def disarm(self) -> None:
        """Lift the limit for good."""
        self._queue = None
        self._lift()
