"""A device process behind a gate, whose points are its system calls (`gate.calls`)."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from vblkfuzz.gate.core import share_one
from vblkfuzz.gate.filter import Calls
from vblkfuzz.gate.gate import Gate
from vblkfuzz.gate.installation import Installation
from vblkfuzz.gate.start_order import StartOrder
from vblkfuzz.targets.stillness import Stillness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.scenario import Role

_LINE: Final = 64
"""Bytes to read of a wchan."""


class GatedProcess:
    """The gate of one process, and what it has to know."""

    def __init__(
        self, gate: Gate, pids: Sequence[int], has_answer: Callable[[], bool] = lambda: False
    ) -> None:
        """Know what a gate needs.

        Args:
            gate: it; its owner closes it.
            pids: the process, and those that serve it.
            has_answer: whether the process has said what was not read yet.
        """
        self.gate = gate
        self._pids, self._has_answer = pids, has_answer
        self._rest: Stillness | None = None
        self._asker: _Asker | None = None

    def start(self, guest: int) -> None:
        """Begin a scenario of the guest process `guest`."""
        self.free()
        self._rest = rest = Stillness(*self._pids, guest, held=lambda: self.gate.held)
        self._asker = asker = _Asker()
        self.gate.start(lambda: asker.waits and rest.wait(0) and not self._has_answer())

    def watch_locks(self, *, on: bool) -> None:
        """Do nothing: whether waits for locks ask is settled when the process starts."""

    def free(self) -> None:
        """End the scenario."""
        self.gate.free()
        for used in (self._rest, self._asker):
            if used is not None:
                used.close()
        self._rest = self._asker = None


class _Asker:
    """The calling thread, which asks the device and waits for its answers in a poll(2) or alike.

    When an answer has come, it waits for the lock of the interpreter instead, or runs.
    """

    def __init__(self) -> None:
        self._wchan = os.open(f"/proc/self/task/{threading.get_native_id()}/wchan", os.O_RDONLY)

    @property
    def waits(self) -> bool:
        """Whether it waits for an answer."""
        return b"poll" in os.pread(self._wchan, _LINE, 0)

    def close(self) -> None:
        """Close its file."""
        os.close(self._wchan)


class GateDoor:
    """What a process needs to start behind a gate."""

    def __init__(self, calls: Calls) -> None:
        self._installation = Installation(calls)

    def prepare(self) -> None:
        """Install the filter, on one core (`Child`)."""
        share_one()
        self._installation.prepare()

    def open(
        self,
        pid: int,
        told: Callable[[int, bytes], None],
        roles: Sequence[Role | None] = (),
    ) -> Gate:
        """Return the gate of the process, which has started.

        Args:
            pid: it.
            told: as in `Gate`.
            roles: those of its threads, by their order (`StartOrder`); none: by their names.

        Raises:
            NoGate: this machine has none.
        """
        named = StartOrder(pid, roles).role if roles else None
        return Gate(self._installation.listener(), pid, told, named)

    def close(self) -> None:
        """Close what only the process needs."""
        self._installation.close()
