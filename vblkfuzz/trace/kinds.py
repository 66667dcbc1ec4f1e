"""Event kinds: a row for each, and the plain integer that code compares with.

All facts about a kind are in its row. `Event.kind` is the number; a rule imports the constant:

    >>> from vblkfuzz.trace.kinds import KINDS, POP
    >>> POP, KINDS[POP].name, KINDS[POP].group
    (40, 'pop', 'Requests')

Numbers are part of stored traces and of their digests: never change one. The tens digit of a number
is the group of the kind: 10 to 19 and then 110 to 119 are events of the guest. More rows are in
the files `*_kinds`. A comment above a row describes fields that its meaning leaves out. A field
that a kind does not use is 0 (`queue`: NO_QUEUE).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from vblkfuzz.scenario.alphabet.guest import CACHE_MODES, HOSTILE_DEEDS, REQUESTS
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.alphabet.shape import SHAPES
from vblkfuzz.trace import form, order_kinds, schedule_kinds, scsi_kinds, vhost_kinds
from vblkfuzz.trace.ending import WORDS as ENDING_WORDS
from vblkfuzz.trace.event import actor_name, data_name
from vblkfuzz.trace.kind import ROWS, kind, table_place
from vblkfuzz.trace.place import Place

# --- Harness ----------------------------------------------------------------------------------
# flag: code of the operation; head: `probe.EPILOGUE`, `probe.PROBE`
OP: Final = kind(
    1,
    "an operation of the scenario starts; value: its index; *epilogue*: the harness adds it to end "
    "the scenario; *probe*: to see whether the device still works",
    flags=tuple(spec.name for spec in OPS),
    value="#{}",
    note=True,
    hides_head=True,
)
END: Final = kind(
    2,
    "the device has settled after the last operation; *driver waits*: for the "
    "answer to a register write; value: requests in flight",
    flags=("", "driver waits"),
    value="{} in flight",
    note=True,
)
STEP_LIMIT: Final = kind(
    3,
    "the device did not settle (`limits.MAX_STEPS`); *spins*: a thread runs on with nothing to do",
    flags=("", "spins"),
    note=True,
)

# --- Guest ------------------------------------------------------------------------------------
PUBLISH: Final = kind(
    10,
    "made a request available; value: avail idx after it; *hostile*: its content breaks the ring "
    "protocol",
    flags=("", "hostile"),
    value="avail {}",
    head=form.DESCRIPTOR,
)
KICK: Final = kind(
    11,
    "the kick of a publish: *sent*, or *suppressed* by the device; value: avail idx that it covers",
    flags=("suppressed", "sent"),
    value="avail {}",
)
# head: id of the used entry
COLLECT: Final = kind(
    12,
    "took a used entry; value: used idx after it, and length of the entry; *foreign*: the driver "
    "has no request with that head; *ioerr*, *unsupp*, *no status*: the status byte, unless it is "
    "OK; *retry*: virtio-scsi has done nothing and asks for the request again; *aborted*: a TMF "
    "has ended it",
    flags=ENDING_WORDS,
    value="used {}",
    head=form.DESCRIPTOR,
    length=form.size,
)
HOSTILE: Final = kind(
    13,
    "did with the ring what virtio forbids: wrote the named content, or published a request again "
    "that was under way",
    flags=HOSTILE_DEEDS,
)
# value of a begin: first index; of an end, 1 for: head EVENT_IDX, length packed, value IN_ORDER
DRIVER_INIT: Final = kind(
    14,
    "set-up of the device: its *begin*, and its end with (*driver_ok*) or without (*no_driver_ok*) "
    "DRIVER_OK",
    flags=("begin", "driver_ok", "no_driver_ok"),
    value="from {}",
    hides_head=True,
)
# value: first sector in the low byte, number of further sectors in the high byte
REQUEST: Final = kind(
    15,
    "the request that the next event makes available: its type, first and last sector. If the n-th "
    "REQUEST of a trace is a write, it writes the data n",
    flags=REQUESTS,
    value=form.sectors,
    head=form.DESCRIPTOR,
)
# head: the sector; value: n of the REQUEST whose data it is
SECTOR: Final = kind(
    16,
    "content of one sector of the read just collected: the data of the REQUEST with this number, 0 "
    "for zeroes, untouched if the device did not write it; *mixed*: other bytes are not what that "
    "request writes there; *unwritten*: the read failed and its used entry announces bytes of it",
    flags=("", "mixed", "unwritten"),
    value=data_name,
    head="sector {}",
)
# head: config generation, mod 2^16
CONFIG_READ: Final = kind(
    17, "read capacity and config generation", value="{} sectors", head="generation {}"
)
USED_EVENT: Final = kind(18, "asked for a call at this used idx (EVENT_IDX)", value="used {}")
SUPPRESS_CALLS: Final = kind(
    19,
    "suppressed calls (*on*) or enabled them again (*off*); without EVENT_IDX",
    flags=("off", "on"),
)
# head: digest of the id that the device is known to have, 0 if it is not known
DEVICE_ID: Final = kind(
    110,
    "device id in the answer to the GET_ID just collected, as a digest; *unwritten*: the device "
    "wrote no byte of it, *cut*: not all bytes, *unpadded*: nothing behind its NUL, *garbled*: "
    "other bytes there; *refused*: it ended with UNSUPP",
    flags=("", "unwritten", "cut", "unpadded", "garbled", "refused"),
    value="id {:#06x}",
    head="known {:#06x}",
)
CALLED: Final = kind(111, "was it called since it looked last: *yes*, *no*", flags=("no", "yes"))
# flag: `place.Place`; head: of the request, 0 if the place is not of one
MEMORY_CHANGED: Final = kind(
    112,
    "the driver found memory changed that the device must not write: *unused* memory; *past "
    "buffer* or *before buffer* that the device may write; *header*, *readable data*, *indirect "
    "table*, *descriptors* or *avail ring*, which it may only read; memory of a request that was "
    "*collected*, *after reset* or *after queue reset*; *rings after reset* or *rings after queue "
    "reset*; value: offset of the first changed byte; beside a buffer, the bytes in between",
    flags=tuple(place.words for place in Place),
    value="offset {}",
    head=form.DESCRIPTOR,
)
USED_FLAGS: Final = kind(
    113,
    "the driver found flags in the used ring that must not be there: with EVENT_IDX they must be "
    "0, else 0 or 1 (NO_NOTIFY); value: the flags",
    value="{:#06x}",
)
ENABLE_READ: Final = kind(
    114,
    "read queue_enable, after a reset of the device or of the queue: *disabled* or *enabled*; "
    "after the reset of another queue only if that has disabled it. *in use*, *taken*, *used*: the "
    "operator read how many requests of the queue the device counts as such; value: the count",
    flags=("disabled", "enabled", "in use", "taken", "used"),
)
# value, head: the feature bits below 16, those of the block device (5.2.3)
FEATURES: Final = kind(
    115,
    "the feature bits below 16 that the driver has accepted (9: flush, 11: config_wce, 12: mq, 13: "
    "discard, 14: write_zeroes); *ring_reset*: and bit 40; head: those that the device offers; "
    "length: the bits from 16 up that it offers",
    flags=("", "ring_reset"),
    value="{:#06x}",
    head="offered {:#06x}",
    length="offered {:#x} << 16",
)
SHAPE: Final = kind(116, "the next REQUEST has this shape instead of the plain one", flags=SHAPES)
WRITEBACK: Final = kind(
    117, "sets the cache mode of the disk, *writethrough* or *writeback*", flags=CACHE_MODES
)
WRITEBACK_READ: Final = kind(
    118,
    "read the cache mode after setting it to *writethrough* (0) or *writeback* (1); value: what it "
    "read",
    flags=CACHE_MODES,
    value="is {}",
)

# --- Life cycle of the device (epoch: resets before this event) -------------------------------
STATUS: Final = kind(20, "the driver wrote the device status; value: the bits", value="{:#04x}")
RESET_CALL: Final = kind(
    21, "a reset begins, by *guest*, *system* or *unplug*", flags=("guest", "system", "unplug")
)
# epoch: the one that ended
RESET_RET: Final = kind(22, "the reset has ended, and with it the epoch")
QUEUE_RESET: Final = kind(23, "one ring was reset (virtio 1.2, 2.6.1)")
START_CALL: Final = kind(24, "a start of the dataplane begins")
START_RET: Final = kind(
    25,
    "the dataplane is *running*, or its start *failed* and the vCPU handles kicks from now on",
    flags=("running", "failed"),
)
STOP_CALL: Final = kind(26, "a stop of the dataplane begins")
STOP_RET: Final = kind(27, "the dataplane has stopped")
# value: `RingError.code`
BROKEN: Final = kind(
    28,
    "the device found invalid ring content and needs a reset; value: the error",
    value=form.ring_error,
)
# head: the bits that the driver wrote last
STATUS_READ: Final = kind(
    29,
    "the driver read the device status; value: the bits",
    value="{:#04x}",
    head="wrote {:#04x}",
)
STRAY_KICK: Final = kind(
    120,
    "the driver notified the device of a queue without asking whether it is set up, or there: such "
    "a kick must be ignored",
)
DRIVER_OK: Final = kind(121, "the driver added DRIVER_OK, which its set-up had left out")

# --- Notifiers and event loop -----------------------------------------------------------------
# value: AioContext (an ActorId); head: serial of the notifier watched
ATTACH: Final = kind(
    30,
    "the queue's handler was added to an event loop; *kicks off*: the ring does not ask for the "
    "kick of the next entry; value: its thread",
    flags=("", "kicks off"),
    value=actor_name,
    hides_head=True,
)
DETACH: Final = kind(
    31, "the queue's handler was removed from an event loop; value: its thread", value=actor_name
)
# head: serial of the notifier, from 1
NOTIFIER_OPEN: Final = kind(
    32, "the queue's host notifier (ioeventfd) was created", hides_head=True
)
NOTIFIER_CLOSE: Final = kind(33, "the queue's host notifier was closed")
NOTIFICATION: Final = kind(
    34, "the device enables kicks (*on*) or suppresses them (*off*)", flags=("off", "on")
)
HANDLER: Final = kind(
    35,
    "the queue's handler begins; *direct*: called by the vCPU, without a notifier",
    flags=("", "direct"),
)
HANDLER_END: Final = kind(
    36,
    "the queue's handler ends; the driver would (*kicks on*) or would not (*kicks off*) kick for "
    "the next entry",
    flags=("kicks off", "kicks on"),
)
POLL_BEGIN: Final = kind(37, "the event loop polls the queue from now on")
POLL_END: Final = kind(
    38,
    "the event loop waits for the queue's notifier again; *kicks off*: the ring does not ask for "
    "the kick of the next entry",
    flags=("", "kicks off"),
)
OVERSLEPT: Final = kind(
    39,
    "the event loop slept when all had settled, although these waited for it: *bottom halves* not "
    "notified, *notifiers* not watched, ended *waits* not kicked; value: how many",
    flags=("bottom halves", "notifiers", "waits"),
    value="{}",
)

# --- Requests (request: serial of its pop in this scenario, from 1; epoch: that of its pop) ---
POP: Final = kind(
    40,
    "the device took a request from the avail ring; value: avail idx after it",
    value="avail {}",
    head=form.DESCRIPTOR,
)
SUBMIT: Final = kind(
    41, "the request was submitted to the backend", flags=REQUESTS, hides_head=True
)
PARK: Final = kind(42, "the block layer holds the request because it is drained", hides_head=True)
UNPARK: Final = kind(43, "the parked request goes on after the end of the drain", hides_head=True)
IO_DONE: Final = kind(
    44,
    "the backend has ended the request: *ok*, *eio* or *enospc*",
    flags=("ok", "eio", "enospc"),
    hides_head=True,
)
MEMWRITE: Final = kind(
    45, "the device wrote data or status of the request into guest memory", hides_head=True
)
PUSH: Final = kind(
    46,
    "the device put the request on the used ring; value: used idx after it, and length of the "
    "entry; *ioerr*, *unsupp*, *retry*, *aborted*: its status",
    flags=("", "ioerr", "unsupp", "retry", "aborted"),
    value="used {}",
    head=form.DESCRIPTOR,
    length=form.size,
)
IRQ: Final = kind(
    47,
    "the device signalled the guest; *by virtio_notify*: by the function that needs the BQL",
    flags=("", "by virtio_notify"),
)
CANCEL: Final = kind(
    48,
    "the device dropped the request, as a reset or a broken device may: it will never be pushed",
)
RETRY: Final = kind(
    49,
    "the request waits until the VM continues: it failed, or was parked when the VM stopped",
    hides_head=True,
)
# request: 0, or that of a write which is flushed without a request for it, in mode writethrough
FLUSHED: Final = kind(
    140,
    "the backend was flushed: what was written before, or what the request wrote, outlasts a loss "
    "of power",
)
# head: the sector; value: n of the REQUEST whose data it is
DISK: Final = kind(
    141,
    "content of one sector of the disk when all has settled: the data of the REQUEST with this "
    "number, 0 for zeroes; *mixed*: other bytes are not what it writes there. Sectors without this "
    "event are zero, and no request of the scenario writes them",
    flags=("", "mixed"),
    value="data {}",
    head="sector {}",
)
RESUMED: Final = kind(142, "the restored device goes on with the request", hides_head=True)

# --- Drains (value of a call or an end: quiesce_counter after it) -----------------------------
DRAIN_CALL: Final = kind(
    60,
    "a drained section begins; value: how many are open; *poll* waits for requests in flight, "
    "*nopoll* does not",
    flags=("nopoll", "poll"),
    value="counter {}",
)
DRAIN_RET: Final = kind(
    61,
    "the drain (*poll* or *nopoll*) has returned; value: requests in flight",
    flags=("nopoll", "poll"),
    value="{} in flight",
)
DRAIN_END: Final = kind(
    62, "a drained section ends; value: how many are still open", value="counter {}"
)
DRAINED_BEGIN: Final = kind(
    63,
    "the first section (*poll* or *nopoll*) begins: drained_begin of the device is called",
    flags=("nopoll", "poll"),
    value="counter {}",
)
DRAINED_END: Final = kind(
    64, "the last section has ended: drained_end of the device is called", value="counter {}"
)

# --- Machine ----------------------------------------------------------------------------------
VM_STOP_CALL: Final = kind(70, "a stop of the VM begins")
VM_STOP_RET: Final = kind(71, "the VM has stopped")
VM_CONT: Final = kind(72, "the VM is continued")
RESIZE: Final = kind(73, "the disk has a new capacity; value: in sectors", value="{} sectors")
CONFIG_IRQ: Final = kind(
    74, "an interrupt for a change of the configuration, or because the device needs a reset"
)
POWER_LOSS: Final = kind(75, "the disk has lost writes that were not flushed")
SAVED: Final = kind(76, "the state of the stopped VM was saved, and the disk given away")
RESTORED: Final = kind(77, "a new device takes the saved state and the disk; the old one is gone")

# --- The device process: of a real target, or with the own code of a user's device ------------
CRASH: Final = kind(
    80,
    "the device process ended by itself; flag: the signal, 0 if it exited; value: exit status; "
    "path: a digest of the place that failed",
    value="exit {}",
    note=True,
)
HANG: Final = kind(
    81,
    "the device process no longer answers the *operator* or the *guest*",
    flags=("operator", "guest"),
    note=True,
)

# --- Test devices -----------------------------------------------------------------------------
PLANTED: Final = kind(90, "a test device has reached its planted bug", value="{}")

_PARTS: Final = (order_kinds, schedule_kinds, scsi_kinds, vhost_kinds)
_ALL: Final = {name: each for part in _PARTS for name, each in vars(part).items()} | globals()
_NAMES: Final = {
    number: name
    for name, number in _ALL.items()
    if name.isupper() and isinstance(number, int) and number in ROWS
}
KINDS: Final = MappingProxyType(
    {
        number: ROWS[number]._replace(name=_NAMES[number].lower())
        for number in sorted(ROWS, key=table_place)
    }
)
"""All rows by number: group by group, in it by number."""
