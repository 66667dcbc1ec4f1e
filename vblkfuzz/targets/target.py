"""Target: what a scenario runs on, the model or a real device.

A target is a context manager: entering starts its processes, leaving ends all of them, also after
an error. `run` returns a complete trace or raises a `HarnessError`; it never returns a part of a
trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.trace import Trace


class Target(Protocol):
    """Runs scenarios, one after another."""

    name: str
    """Name of the target, as in ``--target``."""
    device: str
    """Name of the device, as in ``--device``."""
    mode: str
    """Mode, as in ``--mode``."""

    def __enter__(self) -> Self:
        """Start."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; leave no process, fd or file behind."""

    def run(self, scenario: Scenario) -> Trace:
        """Run one scenario from power-on to rest.

        Raises:
            HarnessError: there is no complete trace; the target can be used again.
        """
