"""A device process behind a gate; its points are trace lines or system calls (`gate.calls`)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.gate.core import share_one
from vblkfuzz.gate.filter import Calls
from vblkfuzz.gate.gate import Gate
from vblkfuzz.gate.installation import Installation
from vblkfuzz.gate.shared_core import SharedCore
from vblkfuzz.gate.start_order import StartOrder
from vblkfuzz.gate.thread_files import ThreadFiles
from vblkfuzz.targets.activity.stillness import SPIN_S, Stillness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.scenario import Role


class GatedProcess:
    """The gate of one process, and what it has to know."""

    def __init__(self, gate: Gate, pids: Sequence[int]) -> None:
        """Watch `pids`: the process, and those that serve it; the owner of `gate` closes it."""
        self.gate = gate
        self._pids = pids
        self._rest: Stillness | None = None
        self._asker: _Asker | None = None

    def start(self, guest: int) -> None:
        """Begin a scenario of the guest process `guest`."""
        self.free()
        self._rest = rest = Stillness(*self._pids, guest, held=lambda: self.gate.held)
        self._asker = asker = _Asker()
        spell = _Spell(rest)

        def runs_on() -> bool:
            return spell.is_long(self.gate.held) and asker.waits

        self.gate.start(lambda: asker.sleeps_while(lambda: rest.wait(0)), runs_on)

    def rests(self, patience_s: float) -> bool:
        """Wait until all threads sleep, those that are held as well; False: time is up."""
        return self._rest is not None and self._rest.wait(patience_s)

    def free(self) -> None:
        """End the scenario."""
        self.gate.free()
        for used in (self._rest, self._asker):
            if used is not None:
                used.close()
        self._rest = self._asker = None


class CallGate(GatedProcess):
    """The gate of a process whose system calls are points, waits for locks as well."""

    _core: SharedCore | None = None

    def start(self, guest: int) -> None:
        """Begin a scenario of the guest process `guest`."""
        super().start(guest)
        program, *others = self._pids
        self._core = SharedCore(program, [*others, threading.get_native_id()])

    def free(self) -> None:
        """End the scenario."""
        super().free()
        self.share_no_core()

    def share_no_core(self) -> None:
        """Give each its own cores for the rest of the scenario, as to a main loop that spins."""
        if self._core is not None:
            self._core.leave()
        self._core = None

    def watch_locks(self, *, on: bool) -> None:
        """Do nothing: there are few waits, so they always ask."""


class _Asker:
    """The calling thread, which asks the device and waits for its answers in a poll(2) or alike.

    When an answer has come, it waits for the lock of the interpreter instead, or runs.
    """

    def __init__(self) -> None:
        self._files = ThreadFiles(f"/proc/self/task/{threading.get_native_id()}")

    @property
    def waits(self) -> bool:
        """Whether it waits for an answer."""
        return b"poll" in self._files.where()

    def sleeps_while(self, looks: Callable[[], bool]) -> bool:
        """Whether it has waited all the time of a look at others, which is true."""
        before = self._files.runs()
        if not (self.waits and looks()):
            return False
        return b"poll" in self._files.where() and self._files.runs() == before

    def close(self) -> None:
        """Close its files."""
        self._files.close()


class _Spell:
    """The CPU time of a device since the same threads are held."""

    def __init__(self, rest: Stillness) -> None:
        self._rest = rest
        self._held: frozenset[str] = frozenset()
        self._since = 0.0

    def is_long(self, held: frozenset[str]) -> bool:
        """Whether it is as long as that of a thread that spins (`SPIN_S`)."""
        if held != self._held:
            self._held, self._since = held, self._rest.seconds()
        return self._rest.seconds() > self._since + SPIN_S


class GateDoor:
    """What a process needs to start behind a gate."""

    def __init__(self, calls: Calls) -> None:
        self._installation = Installation(calls)

    def prepare(self) -> None:
        """Install the filter, on one core (`Child`)."""
        share_one()
        self._installation.prepare()

    def open(self, pid: int, told: Callable[[int, bytes], None]) -> Gate:
        """Return the gate of the process `pid`, which has started; `told` is as in `Gate`.

        Raises:
            NoGate: this machine has none.
        """
        return Gate(self._installation.listener(), pid, told, self._roles(pid))

    def _roles(self, pid: int) -> Callable[[int], Role | None] | None:
        """Return what knows the role of a thread of the process; None: its name says it."""
        return None

    def close(self) -> None:
        """Close what only the process needs."""
        self._installation.close()


class CallPoints(NamedTuple):
    """Where a schedule may interrupt the threads of a program."""

    calls: Calls
    roles: Sequence[Role | None]
    """Roles of its threads, in the order of their start (`StartOrder`)."""


class CallDoor(GateDoor):
    """What a process needs to start behind a gate whose points are system calls."""

    def __init__(self, points: CallPoints) -> None:
        super().__init__(points.calls)
        self._points = points

    def _roles(self, pid: int) -> Callable[[int], Role | None]:
        return StartOrder(pid, self._points.roles).role
