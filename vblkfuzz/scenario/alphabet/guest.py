"""Operations of the guest: those of a virtio-blk driver, well-behaved or hostile."""

from __future__ import annotations

from typing import Final

from vblkfuzz.limits import MAX_DISK_SECTORS, MAX_QUEUES, MAX_REQUEST_SECTORS
from vblkfuzz.scenario.alphabet.param import Choice, Number
from vblkfuzz.scenario.alphabet.shape import REQUESTS, SHAPE_PICKS, SHAPES
from vblkfuzz.scenario.alphabet.spec import BROKEN, SET_UP, UNKICKED, OpSpec

__all__ = ["BASES", "DECLINES", "FUNCTIONS", "GUEST", "HOSTILE_CONTENTS", "REQUESTS"]

HOSTILE_CONTENTS: Final = (
    "loop",
    "head_out_of_range",
    "next_out_of_range",
    "address_out_of_range",
    "zero_length",
    "huge_length",
    "wrong_direction",
    "short_header",
    "no_status",
    "nested_indirect",
    "indirect_length",
    "avail_idx_jump",
)
"""Ring contents that violate virtio 1.2, section 2.7; see `driver.hostile`."""

DECLINES: Final = (
    "nothing",
    "flush",
    "config_wce",
    "mq",
    "discard",
    "write_zeroes",
    "blk_size",
    "seg_max",
    "size_max",
    "ro",
    "topology",
    "ring_reset",
    "event_idx",
    "indirect",
    "write_cache",
)
"""Feature that `init` declines, by code; `write_cache` is both flush and config_wce."""
CACHE_MODES: Final = ("writethrough", "writeback")
"""Values of the field `writeback` of the configuration, by number (5.2.4)."""

RESET_WAYS: Final = ("status", "function")
"""How the guest resets the device, by code. One that is no PCI function has the first way only."""

HOSTILE_DEEDS: Final = (*HOSTILE_CONTENTS, "head_again")
"""What a driver must not do with a ring: that, or publish a request that is under way already."""

BASES: Final = ("next", "taken", "opposite")
"""Where `set_used_event` counts from, by code: the next used entry; backwards from the last one
taken, so the entry has passed; the entry that is half of all indices away."""

FUNCTIONS: Final = (
    "abort_task",
    "logical_unit_reset",
    "i_t_nexus_reset",
    "abort_task_set",
    "query_task",
)
"""Task management functions of virtio-scsi, by code (virtio 1.2, 5.6.6.2)."""
ABOUT_ONE: Final = frozenset({"abort_task", "query_task"})
"""Those about one request; others are about all of a unit, or of all units."""

_QUEUE: Final = Number("queue", 0, 0, MAX_QUEUES - 1, picks=(0, 0, 0, 0, 1, 1, 2, 3))
_REQUEST: Final = (
    _QUEUE,
    Choice("request", 1, REQUESTS, picks=(*[0] * 5, *[1] * 6, 2, 2, 2, 3, 3, 4, 5, 5, 5, 6)),
    Number(
        "sector",
        3,
        0,
        MAX_DISK_SECTORS - 1,
        picks=(0, 0, 0, 0, 1, 1, 2, 3, 7, 8, 15, 16, 63, 64, 127, 255),
    ),
    Number("sectors", 4, 1, MAX_REQUEST_SECTORS, picks=(0, 0, 0, 1, 2, 3)),
    Choice("shape", 2, SHAPES, picks=(*[0] * 75, *SHAPE_PICKS), quiet=True),
)

GUEST: Final = (
    OpSpec(
        code=0,
        name="init",
        params=(
            Choice("how", 0, ("ok", "no_driver_ok", "no_features"), picks=(*[0] * 10, 1, 2)),
            Choice("decline", 1, DECLINES, picks=(*[0] * 40, *range(1, 15), 14), quiet=True),
        ),
        summary="Set up the device: features, queues, status; new rings, no request outstanding.",
        weight=2,
        sets=SET_UP,
        clears=UNKICKED | BROKEN,
        reach=16,
        control=True,
        plainer="reset",
        path_frame="status",
        qtest=True,
    ),
    OpSpec(
        code=1,
        name="publish",
        params=_REQUEST,
        summary="Make one request available in the ring, without a kick.",
        weight=3,
        needs=SET_UP,
        excludes=BROKEN,
        sets=UNKICKED,
        around=("publish | kick",),
        beside=1,
        qtest=True,
    ),
    OpSpec(
        code=2,
        name="kick",
        params=(_QUEUE,),
        summary="Notify the device if it requests notifications (2.7.10).",
        weight=3,
        needs=SET_UP,
        clears=UNKICKED,
        reach=10,
        asks=1,
        qtest=True,
    ),
    OpSpec(
        code=3,
        name="publish_kick",
        params=_REQUEST,
        summary="Make one request available, then kick.",
        weight=24,
        needs=SET_UP,
        excludes=BROKEN,
        clears=UNKICKED,
        reach=12,
        asks=2,
        qtest=True,
    ),
    OpSpec(
        code=4,
        name="collect",
        params=(_QUEUE,),
        summary="Take all used entries and release their requests.",
        weight=6,
        needs=SET_UP,
        beside=4,
        qtest=True,
    ),
    OpSpec(
        code=5,
        name="reset",
        params=(Choice("way", 0, RESET_WAYS, picks=(*[0] * 7, 1), quiet=True),),
        summary="Write 0 to the status, or reset the PCI function (FLR); the rings are gone.",
        weight=6,
        clears=SET_UP | UNKICKED | BROKEN,
        reach=18,
        control=True,
        path_frame="reset",
        qtest=True,
    ),
    OpSpec(
        code=6,
        name="queue_reset",
        params=(_QUEUE,),
        summary="Reset one queue and set it up again (2.6.1).",
        weight=3,
        needs=SET_UP,
        clears=UNKICKED,
        reach=8,
        control=True,
        plainer="reset",
        path_frame="queue_reset",
        qtest=True,
    ),
    OpSpec(
        code=7,
        name="set_used_event",
        params=(
            _QUEUE,
            Number("ahead", 1, 0, 15, picks=(0, 0, 1, 1, 2, 3, 7, 15)),
            Choice("base", 2, BASES, picks=(*[0] * 8, 1, 2), quiet=True),
        ),
        summary="Request a call only after `ahead` more used entries (EVENT_IDX).",
        weight=2,
        needs=SET_UP,
        beside=1,
        qtest=True,
    ),
    OpSpec(
        code=8,
        name="suppress_calls",
        params=(_QUEUE, Choice("on", 1, ("no", "yes"), picks=(0, 1, 1))),
        summary="Set or clear the no-interrupt flag of the avail ring.",
        weight=2,
        needs=SET_UP,
        beside=1,
        qtest=True,
    ),
    OpSpec(
        code=9,
        name="hostile",
        params=(_QUEUE, Choice("content", 1, HOSTILE_CONTENTS)),
        summary="Publish ring contents that violate the protocol, then kick.",
        weight=1,  # a broken device serves nothing until it is reset
        needs=SET_UP,
        excludes=BROKEN,
        sets=BROKEN,
        reach=7,
    ),
    OpSpec(
        code=27,
        name="inband_kick",
        params=(_QUEUE,),
        summary="Kick without the notifier, whether or not the device requests notifications.",
        weight=3,
        needs=SET_UP,
        clears=UNKICKED,
        beside=1,
        path_frame="direct_kick",
        qtest=True,
    ),
    OpSpec(
        code=28,
        name="read_config",
        summary="Read capacity and config generation (2.5).",
        weight=1,
        needs=SET_UP,
    ),
    OpSpec(
        code=30,
        name="driver_ok",
        summary="Write DRIVER_OK after an init that left it out; kicks came before, perhaps.",
        weight=1,
        needs=SET_UP,
        reach=16,
        control=True,
        path_frame="status",
        qtest=True,
    ),
    OpSpec(
        code=31,
        name="publish_again",
        params=(_QUEUE,),
        summary="Make the oldest request that is under way available once more, then kick.",
        weight=1,
        needs=SET_UP,
        excludes=BROKEN,
        reach=12,
        qtest=True,
    ),
    OpSpec(
        code=32,
        name="stray_kick",
        params=(_QUEUE,),
        summary="Notify the device of a queue in any state, also of one that it does not have.",
        weight=1,
        reach=4,
        beside=1,
        qtest=True,
    ),
    OpSpec(
        code=33,
        name="writeback",
        params=(Choice("mode", 0, CACHE_MODES, picks=(0, 0, 1)),),
        summary="Set the cache mode in the configuration (F_CONFIG_WCE), and read it back.",
        weight=1,
        needs=SET_UP,
        around=(
            "writeback publish_kick:out | publish_kick:in collect",
            "writeback | publish_kick:out power_loss init publish_kick:in collect",
        ),
        reach=4,
        qtest=True,
    ),
    OpSpec(
        code=40,
        name="tmf",
        params=(
            _QUEUE,
            Choice("function", 1, FUNCTIONS, picks=(*[0] * 3, 1, 1, 2, 3, 4)),
            Number("request", 2, 0, 3, picks=(0, 0, 1, 3)),
        ),
        summary="Ask virtio-scsi for a task management function, about a request under way.",
        weight=1,
        needs=SET_UP,
        around=("hold publish_kick tmf | release collect",),
        reach=6,
        control=True,
        qtest=True,
    ),
)
