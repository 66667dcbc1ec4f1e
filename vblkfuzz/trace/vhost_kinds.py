"""Event kinds of a connection on which a front-end is under test: a part of `trace.kinds`."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

from vblkfuzz.trace.kind import kind


class About(IntFlag):
    """Bits of the head of a VHOST_MESSAGE."""

    ASKS_FOR_REPLY = 1
    MALFORMED = 2
    """Its payload has another length, or its files are not those that it needs."""


_NAMES: Final = {
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

# head: `About`; length: low half of the features of SET_FEATURES and
# SET_PROTOCOL_FEATURES
VHOST_MESSAGE: Final = kind(
    122,
    "the front-end under test sent a message; value: what it says of the ring, what the back-end "
    "answers to get_vring_base, the number of an inflight area, or whether a file or all of a ring "
    "is there",
    flags=tuple(_NAMES.get(number, "") for number in range(max(_NAMES) + 1)),
    value="{}",
    hides_head=True,
)
VHOST_CONNECTION: Final = kind(
    123,
    "the connection between front-end and back-end *ended*, or another one was *made*",
    flags=("ended", "made"),
)
