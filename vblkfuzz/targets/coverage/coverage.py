"""Coverage of device processes: what of their own code they reach.

A rig has a `Coverage` and passes it to each process that it starts. It is off until `begin`, which
comes before the start of the target. The watcher of a device notes functions: it comes from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import EDGE_MAP_BYTES
from vblkfuzz.targets.coverage.edges import EdgeMap
from vblkfuzz.targets.coverage.reached import Reached
from vblkfuzz.targets.fatal_signal import Watcher, watchers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vblkfuzz.process.nursery import Nursery

FUNCTIONS, EDGES = "functions", "edges"
KINDS: Final = (FUNCTIONS, EDGES)
"""As in ``--coverage``: of any program, by breakpoints; of a program that was built for it."""
_NO_PROCESS: Final = "no device process was started here"
_NO_RUN_TIME: Final = "the device writes no edges: it was built without them (docs/coverage.md)"


class Coverage:
    """What the device processes of a target reach."""

    def __init__(self) -> None:
        self.reached: Reached | None = None
        """The functions reached; None: they are not watched."""
        self.edges: EdgeMap | None = None
        """The edges of the last execution; None: the device is not asked for them."""
        self._watchers: Nursery | None = None

    def begin(self, kind: str) -> None:
        """Note from now on what new processes reach.

        Args:
            kind: one of `KINDS`.
        """
        if kind == FUNCTIONS:
            self.reached = Reached()
        else:
            self.edges = EdgeMap(EDGE_MAP_BYTES)

    def watcher(self) -> Watcher:
        """Return a new watcher, which notes the functions that a device reaches, if asked to.

        The first one should come early (`process.nursery`).
        """
        self._watchers = self._watchers or watchers(self.reached)
        return Watcher(self._watchers)

    def close(self) -> None:
        """End what forks the watchers; call it when all devices have ended."""
        if self._watchers is not None:
            self._watchers.stop()
            self._watchers = None

    @property
    def fds(self) -> tuple[int, ...]:
        """Fds that a device process inherits."""
        return (self.edges.fd,) if self.edges else ()

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that a device process gets."""
        return {EdgeMap.VARIABLE: str(self.edges.fd)} if self.edges else {}

    @property
    def problem(self) -> str:
        """Why there is none although a device process runs; empty: there is some."""
        if self.reached:
            return self.reached.problem or ("" if self.reached.total else _NO_PROCESS)
        return _NO_RUN_TIME if self.edges and not self.edges.is_used else ""
