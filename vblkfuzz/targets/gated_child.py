"""A device process that may be behind a gate whose points are system calls."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.gate.start_order import StartOrder
from vblkfuzz.targets.child import Child
from vblkfuzz.targets.gated import CallGate, GateDoor, check
from vblkfuzz.targets.hold import Holds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.gate.filter import Calls
    from vblkfuzz.scenario.scenario import Role
    from vblkfuzz.targets.coverage.coverage import Coverage


class CallPoints(NamedTuple):
    """Where a schedule may interrupt the threads of a program."""

    calls: Calls
    roles: Sequence[Role | None]
    """Roles of its threads, in the order of their start (`StartOrder`)."""


class GatedChild(Child):
    """A running device process, behind a gate or not."""

    def __init__(
        self,
        command: Sequence[str],
        fds: Sequence[int],
        points: CallPoints | None,
        coverage: Coverage | None = None,
    ) -> None:
        """Start it; `command`, `fds` and `coverage` as in `Child`.

        Args:
            command: the program and its arguments.
            fds: files to inherit.
            points: where its threads can be interrupted; None: it has no gate.
            coverage: where it is noted what it reaches of its code; None: it is not.

        Raises:
            DeviceUnavailable: the command cannot be executed.
            NoGate: this machine has none.
        """
        self.holds = Holds()
        """What the schedule did to its threads."""
        self.gated: CallGate | None = None
        """Its gate, once it is watched; None: it runs as it likes."""
        self._gate = None
        with ExitStack() as stack:
            if points is None:
                super().__init__(command, fds, coverage)
                return
            door = stack.enter_context(closing(GateDoor(points.calls)))
            super().__init__(command, fds, coverage, door.prepare)
            roles = StartOrder(self.pid, points.roles)
            self._gate = door.open(self.pid, self.holds.feed, roles.role)

    def watch(self, *others: int) -> None:
        """Let a schedule interrupt its threads, if there is a gate; `others` serve the process."""
        if self._gate is not None:
            self.gated = CallGate(self._gate, (self.pid, *others))

    def held(self) -> frozenset[str]:
        """Return the ids of the threads that a schedule holds."""
        return self._gate.held if self._gate else frozenset()

    def check_gate(self) -> None:
        """Check that its gate has not failed.

        Raises:
            HarnessError: it has, and the process was ended.
        """
        check(self._gate)

    def end(self) -> None:
        """Kill it with all that it has started, and reap it."""
        super().end()
        if self.gated is not None:
            self.gated.free()
        if self._gate is not None:
            self._gate.close()
