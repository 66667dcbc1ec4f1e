"""A device process that may be behind a gate: it owns the gate, from its start to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from vblkfuzz.errors import HarnessError
from vblkfuzz.targets.child import Child
from vblkfuzz.targets.gated import GatedProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.gate.gate import Gate
    from vblkfuzz.targets.coverage.coverage import Coverage
    from vblkfuzz.targets.gated import GateDoor

Gated = TypeVar("Gated", bound=GatedProcess)


class GatedChild(Child, Generic[Gated]):
    """A running device process, behind a gate or not."""

    def __init__(
        self,
        command: Sequence[str],
        fds: Sequence[int],
        coverage: Coverage,
        door: GateDoor | None,
        told: Callable[[int, bytes], None],
    ) -> None:
        """Start it; `command`, `fds` and `coverage` as in `Child`.

        Args:
            command: the program and its arguments.
            fds: files to inherit.
            coverage: where it is noted what it reaches of its code.
            door: to its gate, which is opened and then closed here; None: it has no gate.
            told: as in `Gate`.

        Raises:
            DeviceUnavailable: the command cannot be executed.
            NoGate: this machine has none.
        """
        self.gated: Gated | None = None
        """Its gate, once it is watched; None: it runs as it likes."""
        self._gate: Gate | None = None
        try:
            super().__init__(command, fds, coverage, door.prepare if door else None)
            if door:
                self._open(door, told)
        finally:
            if door:
                door.close()

    def _open(self, door: GateDoor, told: Callable[[int, bytes], None]) -> None:
        try:
            self._gate = door.open(self.pid, told)
        except BaseException:
            super().end()
            raise

    def watch(self, behind: Callable[[Gate], Gated]) -> None:
        """Let a schedule interrupt its threads, if there is a gate.

        Args:
            behind: returns what knows its kind of process behind a gate.
        """
        if self._gate is not None:
            self.gated = behind(self._gate)

    def held(self) -> frozenset[str]:
        """Return the ids of the threads that a schedule holds."""
        return self._gate.held if self._gate else frozenset()

    def check_gate(self) -> None:
        """Check that its gate has not failed.

        Raises:
            HarnessError: it has, and the process was ended.
        """
        if self._gate is not None and self._gate.failure:
            failure = self._gate.failure
            raise HarnessError(f"the gate has failed, and its process was ended\n{failure}")

    def end(self) -> None:
        """Kill it with all that it has started, and reap it."""
        super().end()
        if self.gated is not None:
            self.gated.free()
        if self._gate is not None:
            self._gate.close()
