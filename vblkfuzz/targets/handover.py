"""A handover: the part that the port has in a save, a restore, or a replaced device.

The guest process has the connection to the device, through which a VMM saves a vhost-user back-end.
So the rig says what the port has to do, and `targets.real` has it done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


def _nothing() -> None:
    """What is left to do, as a rule."""


class Handover(NamedTuple):
    """What is left of an operation when the rig has done its part."""

    connections: Sequence[int] | None
    """None: the port saves the device. Else it goes on on these connections (fds); without one
    it has none, because the device was broken when it was saved."""
    done: Callable[[], Handover | None] = _nothing
    """Called when the port has done it; returns what the port has to do next."""
    new: bool = False
    """Whether these connections lead to another device, in its power-on state."""
