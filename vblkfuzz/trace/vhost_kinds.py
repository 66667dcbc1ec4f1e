"""Event kinds of a connection on which a front-end is under test: a part of `trace.kinds`."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

from vblkfuzz.trace.kind import kind


class About(IntFlag):
    """Bits of the head of a VHOST_MESSAGE."""

    ASKS_FOR_REPLY = 1
    MALFORMED = 2
    """Its payload has another length, or its files are not those that it needs."""


class Word(IntEnum):
    """Messages of a front-end, with the protocol's numbers: the flag of a VHOST_MESSAGE."""

    GET_FEATURES = 1
    SET_FEATURES = 2
    SET_OWNER = 3
    RESET_OWNER = 4
    SET_MEM_TABLE = 5
    SET_LOG_BASE = 6
    SET_LOG_FD = 7
    SET_VRING_NUM = 8
    SET_VRING_ADDR = 9
    SET_VRING_BASE = 10
    GET_VRING_BASE = 11
    SET_VRING_KICK = 12
    SET_VRING_CALL = 13
    SET_VRING_ERR = 14
    GET_PROTOCOL_FEATURES = 15
    SET_PROTOCOL_FEATURES = 16
    GET_QUEUE_NUM = 17
    SET_VRING_ENABLE = 18
    SEND_RARP = 19
    NET_SET_MTU = 20
    SET_BACKEND_REQ_FD = 21
    IOTLB_MSG = 22
    SET_VRING_ENDIAN = 23
    GET_CONFIG = 24
    SET_CONFIG = 25
    GET_INFLIGHT_FD = 31
    SET_INFLIGHT_FD = 32
    RESET_DEVICE = 34
    VRING_KICK = 35
    GET_MAX_MEM_SLOTS = 36
    ADD_MEM_REG = 37
    REM_MEM_REG = 38
    SET_STATUS = 39
    GET_STATUS = 40


_WORDS: Final = {int(word): word.name.lower() for word in Word}

# head: `About`; length: the low half of the features of SET_FEATURES and SET_PROTOCOL_FEATURES
VHOST_MESSAGE: Final = kind(
    122,
    "the front-end under test sent a message; value: what it says of the ring, what the back-end "
    "answers to get_vring_base, the number of an inflight area, or whether a file or all of a ring "
    "is there",
    flags=tuple(_WORDS.get(number, "") for number in range(max(_WORDS) + 1)),
    value="{}",
    hides_head=True,
)
VHOST_CONNECTION: Final = kind(
    123,
    "the connection between front-end and back-end *ended*, or another one was *made*",
    flags=("ended", "made"),
)
