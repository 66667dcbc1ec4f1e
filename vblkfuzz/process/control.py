"""Control words of the arena: what processes tell each other beside the semaphores.

Written by whoever holds the turn, read by whoever gets it; the semaphore between the two is the
barrier. The zygote writes `STATUS`, but only when it has ended both actors, and `GENERATION`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

EXECUTION: Final = 0
"""Number of the execution; a guest that sees a new one loads the scenario."""
STATUS: Final = 1
"""How the execution goes, a `Status`."""
STEPS: Final = 2
"""Preemption points passed, set when it is done."""
HANDOVERS: Final = 3
"""Hand-overs between processes, set when it is done."""
GUEST_OP: Final = 4
"""Operation the guest starts, plus 1; 0: it goes on."""
GUEST_BUDGET: Final = 5
GUEST_TURN: Final = 6
GUEST_USED: Final = 7
GUEST_STATE: Final = 8
"""How the guest's turn ended, a `guest.GuestState`, or GUEST_FAILED."""
GENERATION: Final = 9
"""Number of the pair of actors that waits for executions; written by the zygote."""
GENERATION_WANTED: Final = 10
"""Number of the pair that the fuzz process wants. The zygote replaces the actors when the two
differ, so a request that was given up half-way cannot be taken for a later one."""

WATCHED: Final = 11
"""1: the device notes each line of its own code before it runs (`last_line`)."""
DEVICE_ENDED: Final = 12
"""Wait status (waitpid(2)) of a device process that ended in this execution, else NOT_ENDED."""
NOT_ENDED: Final = 0xFFFF_FFFF

GUEST_FAILED: Final = 99


class Status(IntEnum):
    """How an execution goes or ended."""

    RUNNING = 0
    DONE = 1
    FAILED = 2
    """An actor raised; the report area says what."""
    DIED = 3
    """An actor process ended; the report area says how. There are no actors."""
    FAULT = 4
    """A user's device raised or hung; the report area has a line of `Fault`, then the stack."""
    HUNG = 5
    """It was not the device's code that did not end; the report area has the stack."""
