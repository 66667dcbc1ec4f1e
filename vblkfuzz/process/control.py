"""Control words of the arena: what the processes exchange besides the semaphores.

The process that holds the turn writes them, the process that gets the turn reads them. The
semaphore in between is the memory barrier. The zygote writes `GENERATION`, and `STATUS` after it
has ended both actors.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

EXECUTION: Final = 0
"""Number of the execution; the guest loads the scenario when it changes."""
STATUS: Final = 1
"""State of the execution, a `Status`."""
STEPS: Final = 2
"""Preemption points passed; set when the execution is done."""
HANDOVERS: Final = 3
"""Hand-overs between processes; set when the execution is done."""
GUEST_OP: Final = 4
"""Operation that the guest starts, plus 1; 0: it continues the current one."""
GUEST_BUDGET: Final = 5
"""Preemption points that the guest may pass in this turn."""
GUEST_TURN: Final = 6
"""Number of the turn, for the guest's events."""
GUEST_USED: Final = 7
"""Preemption points that the guest passed in its turn."""
GUEST_STATE: Final = 8
"""How the guest's turn ended, a `guest.GuestState`, or GUEST_FAILED."""
GENERATION: Final = 9
"""Number of the pair of actors that waits for executions; written by the zygote."""
GENERATION_WANTED: Final = 10
"""Number of the pair that the fuzz process requests. The zygote replaces the actors when it differs
from GENERATION, so an abandoned request cannot be mistaken for a later one."""

WATCHED: Final = 11
"""1: the device notes each line of its own code before it runs (`last_line`)."""
DEVICE_ENDED: Final = 12
"""Wait status (waitpid(2)) of a device process that ended in this execution, else NOT_ENDED."""
NOT_ENDED: Final = 0xFFFF_FFFF

GUEST_FAILED: Final = 99


class Status(IntEnum):
    """State of an execution."""

    RUNNING = 0
    DONE = 1
    FAILED = 2
    """An actor raised an exception; the report area holds the traceback."""
    DIED = 3
    """An actor process ended; the report area says how. No actor is left."""
    FAULT = 4
    """A user's device raised or hung; the report area has a line of `Fault`, then the stack."""
    HUNG = 5
    """It was not the device's code that did not end; the report area has the stack."""
