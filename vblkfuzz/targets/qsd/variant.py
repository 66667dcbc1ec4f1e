"""Where the exports of a daemon run: in the main loop or in an IOThread, and whether they stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vblkfuzz.scenario.device import DeviceConfig


class Variant(NamedTuple):
    """One kind of daemon; the rig keeps one of each kind that scenarios have needed."""

    iothread: bool
    """The exports start in an IOThread."""
    fixed: bool
    """They stay there. If not, an export leaves the IOThread for the main loop when a job on its
    disk ends, or in a block_resize, and never returns. Without an IOThread they cannot leave."""


def variant_of(config: DeviceConfig, wanted: bool | None) -> Variant:
    """Return the variant for a scenario.

    Args:
        config: the device of the scenario.
        wanted: whether exports run in an IOThread whatever the scenario says; None: as it says.
    """
    iothread = config.iothreads > 0 if wanted is None else wanted
    return Variant(iothread, not iothread or config.fixed_iothread)
