"""Event kinds as plain ints, for the loops of the rules.

The rules run on every execution. Reading a member of an `IntEnum` class and comparing it costs
several times as much as comparing two ints, so each kind that a rule asks for is a constant here.
Meanings: `vblkfuzz.trace.event.EventKind`.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.trace.event import EventKind

OP: Final = int(EventKind.OP)
END: Final = int(EventKind.END)
STEP_LIMIT: Final = int(EventKind.STEP_LIMIT)

PUBLISH: Final = int(EventKind.PUBLISH)
KICK: Final = int(EventKind.KICK)
COLLECT: Final = int(EventKind.COLLECT)
HOSTILE: Final = int(EventKind.HOSTILE)
DRIVER_INIT: Final = int(EventKind.DRIVER_INIT)
REQUEST: Final = int(EventKind.REQUEST)
SECTOR: Final = int(EventKind.SECTOR)
CONFIG_READ: Final = int(EventKind.CONFIG_READ)
USED_EVENT: Final = int(EventKind.USED_EVENT)
SUPPRESS_CALLS: Final = int(EventKind.SUPPRESS_CALLS)

STATUS: Final = int(EventKind.STATUS)
RESET_CALL: Final = int(EventKind.RESET_CALL)
RESET_RET: Final = int(EventKind.RESET_RET)
QUEUE_RESET: Final = int(EventKind.QUEUE_RESET)
START_CALL: Final = int(EventKind.START_CALL)
START_RET: Final = int(EventKind.START_RET)
STOP_CALL: Final = int(EventKind.STOP_CALL)
STOP_RET: Final = int(EventKind.STOP_RET)
BROKEN: Final = int(EventKind.BROKEN)

ATTACH: Final = int(EventKind.ATTACH)
DETACH: Final = int(EventKind.DETACH)
NOTIFIER_OPEN: Final = int(EventKind.NOTIFIER_OPEN)
NOTIFIER_CLOSE: Final = int(EventKind.NOTIFIER_CLOSE)
NOTIFICATION: Final = int(EventKind.NOTIFICATION)
HANDLER: Final = int(EventKind.HANDLER)
HANDLER_END: Final = int(EventKind.HANDLER_END)
POLL_BEGIN: Final = int(EventKind.POLL_BEGIN)
POLL_END: Final = int(EventKind.POLL_END)

POP: Final = int(EventKind.POP)
SUBMIT: Final = int(EventKind.SUBMIT)
PARK: Final = int(EventKind.PARK)
UNPARK: Final = int(EventKind.UNPARK)
IO_DONE: Final = int(EventKind.IO_DONE)
MEMWRITE: Final = int(EventKind.MEMWRITE)
PUSH: Final = int(EventKind.PUSH)
IRQ: Final = int(EventKind.IRQ)
CANCEL: Final = int(EventKind.CANCEL)
RETRY: Final = int(EventKind.RETRY)

DRAIN_CALL: Final = int(EventKind.DRAIN_CALL)
DRAIN_RET: Final = int(EventKind.DRAIN_RET)
DRAIN_END: Final = int(EventKind.DRAIN_END)
DRAINED_BEGIN: Final = int(EventKind.DRAINED_BEGIN)
DRAINED_END: Final = int(EventKind.DRAINED_END)

VM_STOP_CALL: Final = int(EventKind.VM_STOP_CALL)
VM_STOP_RET: Final = int(EventKind.VM_STOP_RET)
VM_CONT: Final = int(EventKind.VM_CONT)
RESIZE: Final = int(EventKind.RESIZE)
CONFIG_IRQ: Final = int(EventKind.CONFIG_IRQ)
POWER_LOSS: Final = int(EventKind.POWER_LOSS)

CRASH: Final = int(EventKind.CRASH)
HANG: Final = int(EventKind.HANG)
