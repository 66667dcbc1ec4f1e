"""Witnesses: how a target knows what it writes into a trace.

The model's device process tells everything itself. A real device is watched from outside, and what
is seen there is less: a target says in each trace which witnesses it has, and `oracle.judge` asks
only the rules whose witnesses are all there. A witness that is not exact is no witness.
Which target has which: docs/real-devices.md.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Final


class Witness(IntFlag):
    """One way to see what a device does."""

    GUEST = 1
    """What the driver and the operator do themselves: publish, kick, collect, reset, drain."""
    MEMORY = 2
    """What the device writes: used entries of all rings, old ones too (PUSH), and buffers that
    the driver has taken back (MEMWRITE). A PUSH whose dequeue nobody saw has a POP put before."""
    POP = 4
    """Each dequeue, when it happens: POP is between the events that it happened between."""
    REST = 8
    """END is written only when the device is known to be idle, STEP_LIMIT when it is known to turn
    for ever; neither because time was up."""
    DISK = 16
    """The disk began with zeroes, nothing but the requests of this trace has changed it, and each
    PUSH is that of the request it names and says (flag) how it ended. Guest reads show the rest."""
    PROCESS = 32
    """That the device process lives and answers: CRASH, HANG. A trace of the model has it where it
    ends in one of these."""
    DEVICE = 64
    """Every event of the device process, written by itself (the model)."""


MODEL: Final = ~Witness.PROCESS
"""A trace of the model: everything. Where the own code of a user's device has failed, PROCESS too;
any other process that is dead or silent is a fault of the harness."""
