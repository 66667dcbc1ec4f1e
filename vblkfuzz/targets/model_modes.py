"""The model in its two modes: inline, or in processes of its own.

`inline` runs guest and device as generators in the calling process. `processes` runs them in two
real processes that share the arena (`process.supervisor`). Both modes run the same code on an
arena of the same layout, so a scenario gives the same trace digest in both.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vblkfuzz.errors import HarnessError
from vblkfuzz.limits import HANG_LIMIT_S
from vblkfuzz.process.actor_error import error_text
from vblkfuzz.process.arena import Arena
from vblkfuzz.process.control import HANDOVERS, STEPS
from vblkfuzz.process.cpu_limit import CpuLimit
from vblkfuzz.process.execution import SharedParts, execute
from vblkfuzz.process.supervisor import Supervisor
from vblkfuzz.scenario.codec import encode
from vblkfuzz.trace.ring import merge
from vblkfuzz.trace.trace import Trace

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.event import Event


class _Model:
    """Common part of both modes."""

    name = "model"
    mode = ""

    def __init__(self, device: str, arena: Arena, device_class: type[VirtioBlk]) -> None:
        self.device = device
        self.arena = arena
        """Shared memory of guest and device."""
        self._device_class = device_class

    def _events(self) -> tuple[Event, ...]:
        return merge((self.arena.guest_ring, self.arena.device_ring))


class InlineModel(_Model):
    """Guest and device in the calling process."""

    mode = "inline"

    def __enter__(self) -> Self:
        """Open the eventfds."""
        self._parts = SharedParts(self.arena)
        self._limit = CpuLimit(HANG_LIMIT_S)
        self._limit.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the eventfds."""
        self._limit.remove()
        self._parts.close()

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario."""
        try:
            with self._limit:
                runner = self._parts.inline_runner
                ran = execute(self._parts, scenario, self._device_class, runner)
        except HarnessError:
            raise
        except (Exception, SystemExit) as error:
            raise HarnessError(f"an actor raised:\n{error_text(error)}") from error
        return Trace(self._events(), ran.steps, tuple(ran.points), tuple(ran.obeyed))


class ProcessesModel(_Model):
    """Guest and device in two processes on one core.

    A hand-over across cores costs 20 times as much.
    """

    mode = "processes"

    def __enter__(self) -> Self:
        """Pin this process to one core and start the actors there."""
        self._supervisor = Supervisor(self.arena, self._device_class)
        self._affinity = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {_core(self._affinity)})
        try:
            self._supervisor.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the actors and undo the pinning."""
        try:
            self._supervisor.stop()
        finally:
            os.sched_setaffinity(0, self._affinity)

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario."""
        self._supervisor.run(encode(scenario))
        control = self.arena.control
        return Trace(self._events(), control[STEPS], handovers=control[HANDOVERS])


def _core(allowed: set[int]) -> int:
    """Return a core for this process; processes with consecutive pids get different cores."""
    return sorted(allowed)[os.getpid() % len(allowed)]
