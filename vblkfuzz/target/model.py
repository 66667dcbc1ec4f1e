"""Target `model`: our dataplane, inline or in processes of its own.

`inline` runs guest and device as generators in the calling process. `processes` runs them in two
real processes that share the arena (`process.workers`). Both run the same code on the same arena,
so the same scenario gives the same trace digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.process.arena import Arena
from vblkfuzz.process.execution import Bench, execute
from vblkfuzz.target.device_class import device_class
from vblkfuzz.trace.ring import merge
from vblkfuzz.trace.trace import Trace

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.target.target import Target

MODES: Final = ("processes", "inline")


class InlineModel:
    """Guest and device in the calling process."""

    name = "model"
    mode = "inline"

    def __init__(self, device: str, arena: Arena | None = None) -> None:
        self.device = device
        self._device_class = device_class(device)
        self.arena = arena or Arena()

    def __enter__(self) -> Self:
        """Open the eventfds."""
        self._bench = Bench(self.arena)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the eventfds."""
        self._bench.close()

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario."""
        steps = execute(self._bench, scenario, self._device_class, self._bench.inline_runner)
        return Trace(merge((self.arena.guest_ring, self.arena.device_ring)), steps)


def model(device: str, mode: str, arena: Arena | None = None) -> Target:
    """Return the model in a mode."""
    return InlineModel(device, arena)
