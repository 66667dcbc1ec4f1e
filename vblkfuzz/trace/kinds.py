"""Event kinds: a row each, and the plain integer that code compares with.

The only place that knows a kind. `Event.kind` holds the number; a rule imports the constant:

    >>> from vblkfuzz.trace.kinds import KINDS, POP
    >>> POP, KINDS[POP].name, KINDS[POP].group
    (40, 'pop', 'Requests')

Numbers are part of stored traces and of their digests: never change one. Their tens say to which
group a kind belongs. A comment above a row says what its meaning leaves out: which fields carry
what. A field that a kind does not use is 0 (`queue`: NO_QUEUE).
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, NamedTuple

from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS, REQUESTS
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.trace.event import actor_name
from vblkfuzz.virtio.ring_error import RING_ERRORS

Form = str | Callable[[int], str]
"""How a number is put into words: a format with one field, or a function."""

_DESCRIPTOR: Final = "h{}"
"""The form of a head that is a descriptor index; it is shown for head 0, too."""

_GROUPS: Final = MappingProxyType(
    {
        0: "Harness",
        1: "Guest",
        2: "Life cycle of the device",
        3: "Notifiers and event loop",
        4: "Requests",
        6: "Drains",
        7: "Machine",
        8: "The device process",
        9: "Test devices",
    }
)
"""Names of the groups, by the tens of a kind's number."""


class Kind(NamedTuple):
    """One kind of event."""

    number: int
    name: str
    """In traces and in `explain`; the constant of this module is the same in capitals."""
    meaning: str
    """For the readers of a trace: docs/trace-legend.md. Words of `flags` are *marked*."""
    flags: tuple[str, ...]
    """What each value of the flag means, in a word or two; an empty word is not shown."""
    value: Form
    """The value in words; empty: the bare number, where it is not 0."""
    head: str
    """The form of the head; empty: the kind has none."""
    note: bool
    """Whether it is about the scenario or the whole process, so that no thread does it."""

    @property
    def group(self) -> str:
        """What kinds of this group are about."""
        return _GROUPS[self.number // 10]


_ROWS: Final[dict[int, Kind]] = {}


def _kind(  # a field of the row each
    number: int,
    meaning: str,
    *,
    flags: tuple[str, ...] = (),
    value: Form = "",
    head: str = "",
    note: bool = False,
) -> int:
    """Add a row; its name is that of the constant."""
    if number in _ROWS:
        raise ValueError(f"event kind {number}: two rows have this number")
    _ROWS[number] = Kind(number, "", meaning, flags, value, head, note)
    return number


def _sectors(value: int) -> str:
    first, more = value & 0xFF, value >> 8
    return f"sector {first}..{first + more}" if more else f"sector {first}"


def _ring_error(value: int) -> str:
    return RING_ERRORS[value].__name__ if value in RING_ERRORS else str(value)


# --- Harness ----------------------------------------------------------------------------------

# flag: code of the operation; head: 1 in the epilogue
OP: Final = _kind(
    1,
    "an operation of the scenario starts; value: its index; *epilogue*: the harness adds it to end "
    "the scenario",
    flags=tuple(spec.name for spec in OPS),
    value="#{}",
    note=True,
)
END: Final = _kind(
    2,
    "everything has settled after the last operation; value: requests in flight",
    value="{} in flight",
    note=True,
)
# limits.MAX_STEPS was reached
STEP_LIMIT: Final = _kind(3, "the device never settled", note=True)
STORES_DELAYED: Final = _kind(
    4,
    "the schedule keeps what this actor has stored in guest memory since its last barrier in its "
    "store buffer; value: how many bytes",
    value="{} bytes",
)
STORES_SEEN: Final = _kind(5, "from here on the others see those stores")

# --- Guest ------------------------------------------------------------------------------------

PUBLISH: Final = _kind(
    10,
    "made a request available; value: avail idx after it; *hostile*: its content breaks the ring "
    "protocol",
    flags=("", "hostile"),
    value="avail {}",
    head=_DESCRIPTOR,
)
KICK: Final = _kind(
    11,
    "notified the device, or would have: *sent*, or *suppressed* by the device; value: avail idx "
    "covered",
    flags=("suppressed", "sent"),
    value="avail {}",
)
# head: id of the used entry
COLLECT: Final = _kind(
    12,
    "took a used entry; value: used idx after it; *foreign*: nothing of ours has that head; "
    "*ioerr*, *unsupp*, *no status*: what the status byte says unless it is OK",
    flags=("", "foreign", "ioerr", "unsupp", "no status"),
    value="used {}",
    head=_DESCRIPTOR,
)
HOSTILE: Final = _kind(
    13, "wrote ring content that virtio forbids, of the kind named", flags=HOSTILE_CONTENTS
)
# value of a begin: ring index that its rings begin with; head of an end: 1 if EVENT_IDX is accepted
DRIVER_INIT: Final = _kind(
    14,
    "sets the device up: *begin*, and the end with (*driver_ok*) or without (*no_driver_ok*) "
    "DRIVER_OK",
    flags=("begin", "driver_ok", "no_driver_ok"),
    value="from {}",
)
# value: sector, and in the high byte how many more
REQUEST: Final = _kind(
    15,
    "what the next line makes available: kind of request, first and last sector. The n-th REQUEST "
    "of a trace, if it is a write, writes the data n",
    flags=REQUESTS,
    value=_sectors,
    head=_DESCRIPTOR,
)
# head: the sector; value: n of the REQUEST whose data it is
SECTOR: Final = _kind(
    16,
    "what the read just collected has found in a sector: the data of that REQUEST, 0 for zeroes; "
    "*mixed*: not the same in the whole sector",
    flags=("", "mixed"),
    value="data {}",
    head="sector {}",
)
# head: config generation, mod 2^16
CONFIG_READ: Final = _kind(
    17,
    "read the capacity, of that config generation",
    value="{} sectors",
    head="generation {}",
)
USED_EVENT: Final = _kind(
    18,
    "wants to be called for the used entry that the value names (EVENT_IDX)",
    value="used {}",
)
SUPPRESS_CALLS: Final = _kind(
    19,
    "wants no calls (*on*), or calls again (*off*); without EVENT_IDX",
    flags=("off", "on"),
)

# --- Life cycle of the device (epoch: resets before this event) -------------------------------

STATUS: Final = _kind(20, "the driver wrote the device status; value: the bits", value="{:#04x}")
RESET_CALL: Final = _kind(
    21, "a reset begins, by the *guest* or of the whole *system*", flags=("guest", "system")
)
# epoch: the one that ended
RESET_RET: Final = _kind(22, "the reset is over, and with it the epoch")
QUEUE_RESET: Final = _kind(23, "one ring was reset (virtio 1.2, 2.6.1)")
START_CALL: Final = _kind(24, "the dataplane starts")
START_RET: Final = _kind(
    25,
    "it is *running*, or it *failed* and kicks are handled in the vCPU from now on",
    flags=("running", "failed"),
)
STOP_CALL: Final = _kind(26, "the dataplane stops")
STOP_RET: Final = _kind(27, "it has stopped")
# value: `RingError.code`
BROKEN: Final = _kind(
    28,
    "the device met ring content it cannot use and needs a reset; value: the rule that was broken",
    value=_ring_error,
)

# --- Notifiers and event loop -----------------------------------------------------------------

# value: AioContext (an ActorId); head: serial of the notifier watched
ATTACH: Final = _kind(
    30, "a queue's handler was added to an event loop; value: whose", value=actor_name
)
DETACH: Final = _kind(31, "it was removed; value: whose", value=actor_name)
# head: serial of the notifier, from 1
NOTIFIER_OPEN: Final = _kind(32, "the queue's host notifier (ioeventfd) was created")
NOTIFIER_CLOSE: Final = _kind(33, "it was closed")
NOTIFICATION: Final = _kind(
    34, "the device asks for kicks (*on*) or suppresses them (*off*)", flags=("off", "on")
)
HANDLER: Final = _kind(
    35,
    "the queue's handler begins; *direct*: called by the vCPU, without a notifier",
    flags=("", "direct"),
)
HANDLER_END: Final = _kind(
    36,
    "it ends; *kicks on*: the driver would kick for the next entry, *kicks off*: it would not",
    flags=("kicks off", "kicks on"),
)
POLL_BEGIN: Final = _kind(37, "the event loop polls the queue from now on")
POLL_END: Final = _kind(38, "it waits for the notifier again")

# --- Requests (request: serial of its pop in this scenario, from 1; epoch: that of its pop) ---

POP: Final = _kind(
    40,
    "the device took a request off the ring; value: avail idx after it",
    value="avail {}",
    head=_DESCRIPTOR,
)
SUBMIT: Final = _kind(41, "the request went to the backend", flags=REQUESTS)
PARK: Final = _kind(42, "the block layer holds the request because it is drained")
UNPARK: Final = _kind(43, "the drain is over, the request goes on")
IO_DONE: Final = _kind(
    44,
    "the backend has ended the request: *ok*, *eio* or *enospc*",
    flags=("ok", "eio", "enospc"),
)
MEMWRITE: Final = _kind(45, "the device wrote data or status of the request into guest memory")
PUSH: Final = _kind(
    46,
    "the request went onto the used ring; value: used idx after it; *ioerr*, *unsupp*: its status",
    flags=("", "ioerr", "unsupp"),
    value="used {}",
    head=_DESCRIPTOR,
)
IRQ: Final = _kind(
    47,
    "the device signalled the guest; *by virtio_notify*: on the way that needs the BQL",
    flags=("", "by virtio_notify"),
)
CANCEL: Final = _kind(48, "a reset dropped the request: it will never be pushed")
RETRY: Final = _kind(
    49,
    "the request waits until the VM continues: it failed (`rerror`, `werror`), or was parked when "
    "the VM stopped",
)

# --- Drains (value of a call or an end: quiesce_counter after it) -----------------------------

DRAIN_CALL: Final = _kind(
    60,
    "a drained section begins; value: how many are open; *poll* waits for requests in flight, "
    "*nopoll* does not",
    flags=("nopoll", "poll"),
    value="counter {}",
)
DRAIN_RET: Final = _kind(
    61,
    "the drain (*poll* or *nopoll*) has returned; value: requests in flight",
    flags=("nopoll", "poll"),
    value="{} in flight",
)
DRAIN_END: Final = _kind(
    62, "a drained section ends; value: how many are still open", value="counter {}"
)
DRAINED_BEGIN: Final = _kind(
    63,
    "the device is told that the first section (*poll* or *nopoll*) begins",
    flags=("nopoll", "poll"),
    value="counter {}",
)
DRAINED_END: Final = _kind(
    64, "the device is told that the last section has ended", value="counter {}"
)

# --- Machine ----------------------------------------------------------------------------------

VM_STOP_CALL: Final = _kind(70, "the VM is being stopped")
VM_STOP_RET: Final = _kind(71, "it has stopped")
VM_CONT: Final = _kind(72, "it runs again")
RESIZE: Final = _kind(73, "the disk has a new capacity; value: in sectors", value="{} sectors")
CONFIG_IRQ: Final = _kind(74, "the guest is told that the configuration changed")
POWER_LOSS: Final = _kind(75, "the disk has lost what was written and not flushed")

# --- The device process: of a real target, or with the own code of a user's device ------------

CRASH: Final = _kind(
    80,
    "it ended by itself; flag: the signal, 0 an exit; value: exit status; the path is a digest of "
    "its last words, on the model of the line that failed",
    value="exit {}",
    note=True,
)
HANG: Final = _kind(
    81,
    "it does not answer the *operator* or the *guest* any more",
    flags=("operator", "guest"),
    note=True,
)

# --- Test devices -----------------------------------------------------------------------------

# value: free. A bug that only the device process can see
PLANTED: Final = _kind(90, "a bug planted to test the fuzzer was reached", value="{}")


KINDS: Final = MappingProxyType(
    {
        number: _ROWS[number]._replace(name=name.lower())
        for name, number in list(globals().items())
        if name.isupper() and isinstance(number, int) and number in _ROWS
    }
)
"""All rows by number, in order."""
