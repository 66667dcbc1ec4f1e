"""Witnesses: what a target can observe of a device.

The device process of the model records every event itself. A real device is observed from outside,
which shows less. So each trace lists the witnesses of its target, and `oracle.judge` applies only
rules whose witnesses are all present. A witness must be exact: a target that can only estimate an
event does not have its witness. docs/real-devices.md lists the witnesses of each target.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Final


class Witness(IntFlag):
    """A kind of observation."""

    GUEST = 1
    """Actions of the driver and the operator: publish, kick, collect, reset, drain."""
    MEMORY = 2
    """Writes of the device: used entries of all rings, including old ones (PUSH), and buffers that
    the driver has taken back (MEMWRITE). If the dequeue of a PUSH was not observed, a POP is
    inserted before it."""
    POP = 4
    """Each dequeue, at its time: a POP has its true place among the other events."""
    REST = 8
    """END only if the device is known to be idle, STEP_LIMIT only if it is known never to settle;
    neither because a time limit expired."""
    DISK = 16
    """Content of the disk: it began with zeroes, only requests of this trace have changed it, and
    each PUSH names its own request and, by its flag, the status. Guest reads show the content."""
    PROCESS = 32
    """Whether the device process lives and answers: CRASH, HANG. A trace of the model has it if it
    ends in one of these."""
    DEVICE = 64
    """Every event of the device process, recorded by itself (the model)."""
    PROBE = 128
    """Whether the device still works after the scenario: the guest has tried (`trace.probe`)."""
    MESSAGES = 256
    """Each message of a vhost-user front-end under test, in order (`trace.vhost_kinds`)."""
    CONTROL = 512
    """Answers in the control queue, which virtio-scsi has."""


MODEL: Final = ~(Witness.PROCESS | Witness.PROBE | Witness.MESSAGES | Witness.CONTROL)
"""Witnesses of the model: all but these. PROCESS is added if the own code of a user's device has
failed; any other death or silence of a process is a harness fault."""
