"""A handover: the part that the port has in a save or restore.

A VMM saves a device through the connection that the guest's accesses go through. That is in the
guest process, so the rig says what the port has to do, and `targets.real` has it done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Handover(NamedTuple):
    """What is left of an operation when the rig has done its part."""

    connections: Sequence[int] | None
    """None: the port saves the device. Else it goes on on these connections (fds); without one
    it has none, because the device was broken when it was saved."""
    done: Callable[[], object]
    """Called when the port has done it."""
