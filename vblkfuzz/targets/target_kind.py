"""A target's entry: summary, default device and the function that opens it.

The file of a target ends in a `TargetKind`, and an entry point names it:

    TARGET: Final = TargetKind(
        summary="what it is",
        device="my-device",
        open=open_my_target,
        without=frozenset({"power_loss"}),
    )

    [project.entry-points."vblkfuzz.targets"]
    mine = "my_package.my_module:TARGET"

`vblkfuzz list targets` imports that file, so slow imports belong inside the function `open`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.target import Target

Open: TypeAlias = "Callable[[str, str, TargetOptions], Target]"
"""Takes device (as in ``--device``), mode (as in ``--mode``) and options; returns a target that is
not started yet. Raises UsageError for an unknown device or mode."""


@dataclass(frozen=True, slots=True)
class TargetKind:
    """One kind of target."""

    summary: str
    """One line for `vblkfuzz list targets`."""
    device: str
    """Default of ``--device``."""
    open: Open
    """Makes the target."""
    without: frozenset[str]
    """Names of the operations that such a device does not have: in a scenario they do nothing. Its
    conformance suite checks that it carries out all others."""
    ignores: frozenset[str] = frozenset()
    """Names of the device fields that have no effect there, on purpose."""
    interrupted: bool = False
    """Whether schedules interrupt the threads of such a device, unless that is declined."""
    quick_mode: str = ""
    """Faster mode that gives the same trace for every scenario; empty: there is none."""

    def left_out(self, scenario: Scenario) -> list[str]:
        """Return the operations of a scenario that do nothing here, each name once, in order."""
        names = [operation.name for operation in scenario.ops]
        return [name for name in dict.fromkeys(names) if name in self.without]
