"""Where the exports of a daemon run: in the main loop or in an IOThread, and whether they stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.options import TargetOptions


class Variant(NamedTuple):
    """One kind of daemon; the rig keeps one of each kind that scenarios have needed."""

    iothread: bool
    """The exports start in an IOThread."""
    fixed: bool
    """They stay there. If not, an export leaves the IOThread for the main loop when a job on its
    disk ends, or in a block_resize, and never returns. Without an IOThread they cannot leave."""
    serial: bool = False
    """Its threads go on one at a time, by a schedule (`targets.gated`)."""


def variant_of(scenario: Scenario, options: TargetOptions) -> Variant:
    """Return the variant for a scenario.

    Args:
        scenario: the scenario.
        options: whether exports run in an IOThread, and whether threads go on one at a time, unless
            the scenario decides.
    """
    config, wanted = scenario.device, options.iothread
    iothread = config.iothreads > 0 if wanted is None else wanted
    return Variant(iothread, not iothread or config.fixed_iothread, options.is_serial(scenario))
