"""Target: what a scenario runs on. The model is one; real devices follow the same protocol.

A target is used as a context manager: entering starts its processes, leaving ends them all,
whatever happened in between. `run` gives a whole trace or raises a `HarnessError`; it never
returns half a trace.
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
    """As in ``--target``."""
    device: str
    """What device it is, as in ``--device``."""
    mode: str
    """As in ``--mode``."""

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
            HarnessError: there is no whole trace; the target can be used again.
        """
