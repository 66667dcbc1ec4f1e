"""The events that oracles may speak of.

An event is one row of a trace: who did what to which request, and on which causal path. Both
processes write events as fixed records into their own ring in the arena; merged by `turn` they
form one total order, because only one process runs at a time in the deterministic modes.

Field meanings per kind are given at `EventKind`. A field that a kind does not name is 0
(`queue`: NO_QUEUE).
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

NO_QUEUE: Final = 0xFF


class ActorId(IntEnum):
    """Who acts. Threads of the device process, the guest, or the harness itself."""

    GUEST = 0
    VCPU = 1
    """VM exits of the guest, handled by the device under the BQL."""
    MAIN = 2
    """Main loop: operator commands (QMP, block jobs), main-context bottom halves."""
    IO0 = 3
    IO1 = 4
    HARNESS = 5
    """Backend completions, environment changes, scenario bookkeeping."""


class EventKind(IntEnum):
    """What happened. The text after each name says which fields carry what."""

    # Harness
    OP = 1  # value: index of the operation that starts; flag: its code; head: 1 in the epilogue
    END = 2  # everything settled after the epilogue; value: requests in flight
    STEP_LIMIT = 3  # limits.MAX_STEPS reached: the device never settled
    STORES_DELAYED = 4  # the actor's last stores in guest memory are seen later; value: bytes
    STORES_SEEN = 5  # now they are

    # Guest
    PUBLISH = 10  # queue, head; value: avail idx after it; flag: 1 if its content is hostile
    KICK = 11  # queue; value: avail idx covered; flag: 1 sent, 0 suppressed by the device
    COLLECT = 12  # queue, head: id of the used entry; value: used idx after; flag: 1 if foreign,
    # else the status byte: 0 OK, 2 IOERR, 3 UNSUPP, 4 any other
    HOSTILE = 13  # queue; flag: hostile content code. The guest broke the ring protocol
    DRIVER_INIT = 14  # flag: 0 begin, 1 DRIVER_OK written, 2 left without DRIVER_OK; value of a
    # begin: ring index that its rings begin with; head of an end: 1 if EVENT_IDX was accepted
    REQUEST = 15  # queue, head: what the PUBLISH after it makes available; flag: its code in
    # `scenario.ops.REQUESTS`; value: sector, and in the high byte how many more
    SECTOR = 16  # queue; head: sector that the read of the COLLECT before it asked for; value: data
    # found there: n of the n-th REQUEST, which is what a write writes, 0 zeroes; flag: 1 mixed
    CONFIG_READ = 17  # head: config generation, mod 2^16; value: capacity in sectors
    USED_EVENT = 18  # queue; value: used_event, the used entry that deserves a call (EVENT_IDX)
    SUPPRESS_CALLS = 19  # queue; flag: 1 no calls, 0 calls again (without EVENT_IDX)

    # Device life cycle (epoch: resets before this event)
    STATUS = 20  # value: device status written by the driver
    RESET_CALL = 21  # flag: 0 guest, 1 system_reset
    RESET_RET = 22  # epoch: the epoch that ended
    QUEUE_RESET = 23  # queue: one ring was reset (virtio 1.2, 2.6.1)
    START_CALL = 24
    START_RET = 25  # flag: 0 running, 1 failed and disabled (direct kicks)
    STOP_CALL = 26
    STOP_RET = 27
    BROKEN = 28  # value: code of the ring error; the device needs a reset

    # Notifiers and event loop
    ATTACH = 30  # queue; value: AioContext (an ActorId); head: serial of the notifier watched
    DETACH = 31  # queue; value: AioContext
    NOTIFIER_OPEN = 32  # queue: host notifier created and assigned; head: its serial, from 1
    NOTIFIER_CLOSE = 33  # queue: host notifier closed
    NOTIFICATION = 34  # queue; flag: 1 device asks for kicks, 0 it suppresses them
    HANDLER = 35  # queue: handle_vq begins; flag: 1 if kicks come straight from the vCPU
    HANDLER_END = 36  # queue; flag: 1 if the driver would kick for the next entry
    POLL_BEGIN = 37  # queue
    POLL_END = 38  # queue

    # Requests (request: serial of the pop in this scenario, from 1; epoch: epoch of its pop)
    POP = 40  # queue, head, request, epoch; value: last_avail after it
    SUBMIT = 41  # request handed to the backend; flag: its code in `scenario.ops.REQUESTS`
    PARK = 42  # BlockBackend holds the request because it is drained
    UNPARK = 43  # the drain ended, the request goes on
    IO_DONE = 44  # flag: 0 ok, 1 EIO, 2 ENOSPC
    MEMWRITE = 45  # the device wrote the request's data or status into guest memory
    PUSH = 46  # queue, head, request, epoch of the request; value: used idx after; flag: status
    IRQ = 47  # queue; flag: 0 by the guest notifier, 1 by virtio_notify, which needs the BQL
    CANCEL = 48  # a reset dropped the request: it will never be pushed
    RETRY = 49  # the request waits in the retry list until VM_CONT

    # Drains (value: quiesce_counter)
    DRAIN_CALL = 60  # flag: 1 polling, 0 nopoll; value: counter after it
    DRAIN_RET = 61  # flag: 1 polling, 0 nopoll; value: requests in flight
    DRAIN_END = 62  # value: counter after it
    DRAINED_BEGIN = 63  # device callback on 0 -> 1
    DRAINED_END = 64  # device callback on 1 -> 0

    # Machine
    VM_STOP_CALL = 70
    VM_STOP_RET = 71
    VM_CONT = 72
    RESIZE = 73  # value: new capacity in sectors
    CONFIG_IRQ = 74
    POWER_LOSS = 75  # the disk holds again what was flushed last

    # The device process of a real target, seen from outside
    CRASH = 80  # it ended by itself; flag: signal number, 0 an exit; value: exit status
    #            path: digest of its last words, not a causal path
    HANG = 81  # flag: 0 the operator gets no answer, 1 the guest gets none

    # Planted by a test device: a bug that only the device process can see
    PLANTED = 90  # value: free


class Frame(IntEnum):
    """Functions that a causal path names. A path packs the innermost eight, last one lowest."""

    STATUS = 1
    RESET = 2
    SYSTEM_RESET = 3
    QUEUE_RESET = 4
    START = 5
    STOP = 6
    STOP_BH = 7
    CLEANUP_HOST_NOTIFIER = 8
    HOST_NOTIFIER_READ = 9
    DIRECT_KICK = 10
    POLL = 11
    DRAINED_BEGIN = 12
    DRAINED_END = 13
    SET_AIO_CONTEXT = 14
    BLK_DRAIN = 15
    VM_STOP = 16
    VM_CONT = 17
    DMA_RESTART = 18
    COMPLETE = 19
    MIRROR = 20
    RESIZE = 21
    SNAPSHOT = 22
    DETACH = 23
    ATTACH = 24
    RESUME_PARKED = 25


PATH_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF


def path_names(path: int) -> str:
    """Return a causal path as text, outermost first: ``reset > stop > host_notifier_read``."""
    codes = [code for code in path.to_bytes(8, "big") if code]
    return " > ".join(Frame(code).name.lower() for code in codes)


class Event(NamedTuple):
    """One row of a trace; see `EventKind` for the meaning of the fields."""

    turn: int
    kind: int
    actor: int = ActorId.HARNESS
    queue: int = NO_QUEUE
    flag: int = 0
    head: int = 0
    request: int = 0
    epoch: int = 0
    value: int = 0
    path: int = 0


EVENT_RECORD: Final = Struct("<IBBBBHHHHQ")
"""An `Event` as 24 bytes in the trace ring: turn u32, four u8, four u16, path u64."""
