"""Event kinds of a connection on which a front-end is under test: a part of `trace.kinds`."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

from vblkfuzz.scenario.alphabet.backend import WAYS
from vblkfuzz.trace.kind import kind
from vblkfuzz.virtio.vhost_user import Request


class About(IntFlag):
    """Bits of the head of a VHOST_MESSAGE."""

    ASKS_FOR_REPLY = 1
    MALFORMED = 2
    """Its payload has another length, or its files are not those that it needs."""


class Base(IntFlag):
    """Bits of the length of a VHOST_MESSAGE about a base (GET_VRING_BASE, SET_VRING_BASE)."""

    PACKED = 1 << 16
    """The ring is packed: below is the place of the next descriptor to return."""


_WORDS: Final = {int(word): word.name.lower() for word in Request}

# head: `About`; length: the low half of the features of SET_FEATURES and SET_PROTOCOL_FEATURES, or
# `Base` and a place of a packed ring
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
VHOST_ANSWER: Final = kind(
    124,
    "the back-end answered a message of the front-end in another way than it should, or late; "
    "value: the message",
    flags=WAYS,
    value=lambda number: _WORDS.get(number, str(number)),
)
VHOST_CONFIG: Final = kind(
    125,
    "the back-end *told* the front-end that the configuration has changed, which *did* or did "
    "*not* carry that out",
    flags=("told", "did", "not"),
    value="{} sectors",
)
CONFIG_CALLED: Final = kind(
    126, "the driver found that the device has told of a change of its configuration"
)
