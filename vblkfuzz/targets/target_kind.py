"""What a target says of itself before it runs: its file ends in one, named by an entry point.

    TARGET: Final = TargetKind(summary="what it is", device="my-device", open=open_my_target)

    [project.entry-points."vblkfuzz.targets"]
    mine = "my_package.my_module:TARGET"

`vblkfuzz list targets` imports that file: let it import what is heavy inside of `open`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.target import Target

Open: TypeAlias = "Callable[[str, str, TargetOptions], Target]"
"""From device (as in ``--device``), mode (as in ``--mode``) and options to a target that is not
started yet. Raises UsageError for a device or mode that there is not."""


@dataclass(frozen=True, slots=True)
class TargetKind:
    """One kind of target."""

    summary: str
    """One line for `vblkfuzz list targets`."""
    device: str
    """The device that runs if the user names none."""
    open: Open
    """Makes one."""
    quick_mode: str = ""
    """Mode in which every scenario gives the same trace as in the others, faster; empty: none."""
