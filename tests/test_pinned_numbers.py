"""What stored traces and scenarios rely on, beside `test_pinned`: numbers and the words for them.

A new event kind, frame, parameter or value adds its own here, behind all others. What is here
already changes only if users are told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import pytest

from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.param import Choice, Param
from vblkfuzz.trace.event import ActorId, Frame
from vblkfuzz.trace.kinds import KINDS

REQUESTS = ("in", "out", "flush", "get_id", "discard", "write_zeroes", "unsupported")
CONTENTS = (
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
SHAPES = (
    "plain",
    "split",
    "tiny",
    "long",
    "header_split",
    "header_joined",
    "status_joined",
    "table_moved",
    "odd_length",
    "far_sector",
    "wrapping_sector",
    "huge_segment",
    "unmap",
    "reserved_flag",
    "two_segments",
)
CACHE_MODES = ("writethrough", "writeback")
FUNCTIONS = (
    "abort_task",
    "logical_unit_reset",
    "i_t_nexus_reset",
    "abort_task_set",
    "query_task",
)
TMF_ANSWERS = (
    *("complete", "succeeded", "rejected", "incorrect lun", "bad target", "busy"),
    *("transport failure", "target failure", "nexus failure", "failure"),
    *("unwritten", "unknown", "none"),
)
ANSWERED = (
    *("features", "protocol_features", "queue_num", "config", "vring_base", "inflight"),
    *("mem_table", "set_config", "any"),
)
WAYS = (
    *("right", "late", "error", "short", "long", "huge", "cut", "zeroes", "ones", "more"),
    *("number", "flags", "twice", "file"),
)
GOES = ("guest", "vcpu", "main", "io0", "io1", "next")

MESSAGES = {
    1: "get_features",
    2: "set_features",
    3: "set_owner",
    4: "reset_owner",
    5: "set_mem_table",
    6: "set_log_base",
    7: "set_log_fd",
    8: "set_vring_num",
    9: "set_vring_addr",
    10: "set_vring_base",
    11: "get_vring_base",
    12: "set_vring_kick",
    13: "set_vring_call",
    14: "set_vring_err",
    15: "get_protocol_features",
    16: "set_protocol_features",
    17: "get_queue_num",
    18: "set_vring_enable",
    19: "send_rarp",
    20: "net_set_mtu",
    21: "set_backend_req_fd",
    22: "iotlb_msg",
    23: "set_vring_endian",
    24: "get_config",
    25: "set_config",
    31: "get_inflight_fd",
    32: "set_inflight_fd",
    34: "reset_device",
    35: "vring_kick",
    36: "get_max_mem_slots",
    37: "add_mem_reg",
    38: "rem_mem_reg",
    39: "set_status",
    40: "get_status",
}

EVENT_KINDS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("op", tuple(CODES)),
    2: ("end", ("", "driver waits")),
    3: ("step_limit", ("", "spins")),
    4: ("stores_delayed", ()),
    5: ("stores_seen", ()),
    6: ("held", GOES),
    7: ("goes_on", GOES),
    10: ("publish", ("", "hostile")),
    11: ("kick", ("suppressed", "sent")),
    12: ("collect", ("", "foreign", "ioerr", "unsupp", "no status", "retry", "aborted")),
    13: ("hostile", (*CONTENTS, "head_again")),
    14: ("driver_init", ("begin", "driver_ok", "no_driver_ok")),
    15: ("request", REQUESTS),
    16: ("sector", ("", "mixed", "unwritten")),
    17: ("config_read", ()),
    18: ("used_event", ()),
    19: ("suppress_calls", ("off", "on")),
    20: ("status", ()),
    21: ("reset_call", ("guest", "system", "unplug")),
    22: ("reset_ret", ()),
    23: ("queue_reset", ()),
    24: ("start_call", ()),
    25: ("start_ret", ("running", "failed")),
    26: ("stop_call", ()),
    27: ("stop_ret", ()),
    28: ("broken", ()),
    29: ("status_read", ()),
    30: ("attach", ("", "kicks off")),
    31: ("detach", ()),
    32: ("notifier_open", ()),
    33: ("notifier_close", ()),
    34: ("notification", ("off", "on")),
    35: ("handler", ("", "direct")),
    36: ("handler_end", ("kicks off", "kicks on")),
    37: ("poll_begin", ()),
    38: ("poll_end", ("", "kicks off")),
    39: ("overslept", ("bottom halves", "notifiers", "waits")),
    40: ("pop", ()),
    41: ("submit", REQUESTS),
    42: ("park", ()),
    43: ("unpark", ()),
    44: ("io_done", ("ok", "eio", "enospc")),
    45: ("memwrite", ()),
    46: ("push", ("", "ioerr", "unsupp", "retry", "aborted")),
    47: ("irq", ("", "by virtio_notify")),
    48: ("cancel", ()),
    49: ("retry", ()),
    60: ("drain_call", ("nopoll", "poll")),
    61: ("drain_ret", ("nopoll", "poll")),
    62: ("drain_end", ()),
    63: ("drained_begin", ("nopoll", "poll")),
    64: ("drained_end", ()),
    70: ("vm_stop_call", ()),
    71: ("vm_stop_ret", ()),
    72: ("vm_cont", ()),
    73: ("resize", ()),
    74: ("config_irq", ()),
    75: ("power_loss", ()),
    76: ("saved", ()),
    77: ("restored", ()),
    80: ("crash", ()),
    81: ("hang", ("operator", "guest")),
    90: ("planted", ()),
    110: ("device_id", ("", "unwritten", "cut", "unpadded", "garbled", "refused")),
    111: ("called", ("no", "yes")),
    112: (
        "memory_changed",
        (
            "unused",
            "past buffer",
            "before buffer",
            "header",
            "readable data",
            "indirect table",
            "descriptors",
            "avail ring",
            "collected",
            "after reset",
            "after queue reset",
            "rings after reset",
            "rings after queue reset",
        ),
    ),
    113: ("used_flags", ()),
    114: ("enable_read", ("disabled", "enabled", "in use", "taken", "used")),
    115: ("features", ("", "ring_reset")),
    116: ("shape", SHAPES),
    117: ("writeback", CACHE_MODES),
    118: ("writeback_read", CACHE_MODES),
    120: ("stray_kick", ()),
    121: ("driver_ok", ()),
    122: ("vhost_message", tuple(MESSAGES.get(number, "") for number in range(41))),
    123: ("vhost_connection", ("ended", "made")),
    124: ("vhost_answer", WAYS),
    125: ("vhost_config", ("told", "did", "not")),
    126: ("config_called", ()),
    210: ("tmf", FUNCTIONS),
    211: ("tmf_ended", TMF_ANSWERS),
    212: (
        "scsi_event",
        ("no event", "transport reset", "notification", "change", "unknown", "unwritten"),
    ),
    213: ("events_ready", ()),
    140: ("flushed", ()),
    141: ("disk", ("", "mixed")),
    142: ("resumed", ()),
    143: ("waits", ()),
}
"""Of each number: the name of the event kind, and the word of each flag."""

FRAMES = (
    *("STATUS", "RESET", "SYSTEM_RESET", "QUEUE_RESET", "START"),
    *("STOP", "STOP_BH", "CLEANUP_HOST_NOTIFIER", "HOST_NOTIFIER_READ", "DIRECT_KICK"),
    *("POLL", "DRAINED_BEGIN", "DRAINED_END", "SET_AIO_CONTEXT", "BLK_DRAIN"),
    *("VM_STOP", "VM_CONT", "DMA_RESTART", "COMPLETE", "MIRROR"),
    *("RESIZE", "SNAPSHOT", "DETACH", "ATTACH", "RESUME_PARKED"),
    *("BLOCK_JOB", "REOPEN", "THROTTLE"),
    "REPLUG",
)
"""Names of frames from 1 up."""
ACTORS = ("GUEST", "VCPU", "MAIN", "IO0", "IO1", "HARNESS", "MONITOR", "WORKER")
"""Names of actors from 0 up."""

QUEUE = (0, range(4))
SECTOR = (3, range(256))
SECTORS = (4, range(1, 5))

PARAMETERS: dict[str, tuple[int, Sequence[int | str]]] = {
    "init how": (0, ("ok", "no_driver_ok", "no_features")),
    "init decline": (
        1,
        (
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
        ),
    ),
    "publish queue": QUEUE,
    "publish request": (1, REQUESTS),
    "publish sector": SECTOR,
    "publish sectors": SECTORS,
    "publish shape": (2, SHAPES),
    "kick queue": QUEUE,
    "publish_kick queue": QUEUE,
    "publish_kick request": (1, REQUESTS),
    "publish_kick sector": SECTOR,
    "publish_kick sectors": SECTORS,
    "publish_kick shape": (2, SHAPES),
    "collect queue": QUEUE,
    "reset way": (0, ("status", "function")),
    "queue_reset queue": QUEUE,
    "set_used_event queue": QUEUE,
    "set_used_event ahead": (1, range(16)),
    "set_used_event base": (2, ("next", "taken", "opposite")),
    "suppress_calls queue": QUEUE,
    "suppress_calls on": (1, ("no", "yes")),
    "hostile queue": QUEUE,
    "hostile content": (1, CONTENTS),
    "drain_begin wait": (0, ("poll", "nopoll")),
    "drain_end how": (0, ("finalize", "cancel")),
    "mirror_finish how": (0, ("finalize", "cancel")),
    "save by": (0, ("migration", "snapshot")),
    "restore into": (0, ("same", "new")),
    "block_job kind": (0, ("backup", "commit", "stream")),
    "throttle limits": (0, ("set", "removed")),
    "replug part": (0, ("device", "connection")),
    "resize sectors": (3, range(1, 257)),
    "set_iothread iothread": (0, range(2)),
    "start_fail queue": QUEUE,
    "complete which": (0, ("0", "1", "2", "3", "newest", "all")),
    "complete result": (1, ("ok", "eio", "enospc")),
    "poll_on iothread": (0, range(2)),
    "poll_off iothread": (0, range(2)),
    "inband_kick queue": QUEUE,
    "publish_again queue": QUEUE,
    "stray_kick queue": QUEUE,
    "writeback mode": (0, CACHE_MODES),
    "tmf queue": QUEUE,
    "tmf function": (1, FUNCTIONS),
    "tmf request": (2, range(4)),
    "answer message": (0, ANSWERED),
    "answer how": (1, WAYS),
}
"""Of each parameter of an operation: its argument field, and its values in stored order from 0."""


def problem(pinned: Sequence[object], found: Sequence[object]) -> str:
    """Return what to do about a list that has changed; empty: it has not."""
    new = list(found[len(pinned) :])
    changed = [pair for pair in zip(pinned, found, strict=False) if pair[0] != pair[1]]
    if changed or len(found) < len(pinned):
        old, now = changed[0] if changed else (pinned[len(found)], "none")
        return f"stored files rely on {old!r}, found {now!r}: expected new ones behind all others"
    return f"expected a new line behind all others here, for {new}" if new else ""


def values_of(param: Param) -> Sequence[int | str]:
    return param.values if isinstance(param, Choice) else range(param.low, param.high + 1)


FOUND = {f"{spec.name} {param.name}": param for spec in OPS for param in spec.params}


@pytest.mark.parametrize("number", sorted({*KINDS, *EVENT_KINDS}))
def test_an_event_kind_keeps_its_number_and_words(number: int) -> None:
    assert number in EVENT_KINDS, f"expected a new line here, for {KINDS[number].name}"
    name, words = EVENT_KINDS[number]
    assert number in KINDS, f"stored traces rely on {number}: {name}"
    assert KINDS[number].name == name
    changed = problem(words, KINDS[number].flags)
    assert not changed, changed


@pytest.mark.parametrize(
    ("names", "members", "first"),
    [(FRAMES, Frame, 1), (ACTORS, ActorId, 0)],
    ids=["frames", "actors"],
)
def test_a_name_keeps_its_number(
    names: tuple[str, ...], members: type[IntEnum], first: int
) -> None:
    pinned = [f"{name} = {number}" for number, name in enumerate(names, first)]
    found = [f"{member.name} = {member.value}" for member in members]
    changed = problem(pinned, found)
    assert not changed, changed


@pytest.mark.parametrize("name", dict.fromkeys([*PARAMETERS, *FOUND]))
def test_a_parameter_keeps_its_field_and_values(name: str) -> None:
    assert name in PARAMETERS, f"expected a new line here, for {name}"
    field, values = PARAMETERS[name]
    assert name in FOUND, f"stored files rely on {name}"
    assert FOUND[name].field == field
    changed = problem(values, values_of(FOUND[name]))
    assert not changed, changed


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ("ab", ""),
        ("abc", "expected a new line behind all others here, for ['c']"),
        ("ba", "stored files rely on 'a', found 'b': expected new ones behind all others"),
        ("a", "stored files rely on 'b', found 'none': expected new ones behind all others"),
    ],
)
def test_a_change_is_named(found: str, says: str) -> None:
    assert problem("ab", found) == says
