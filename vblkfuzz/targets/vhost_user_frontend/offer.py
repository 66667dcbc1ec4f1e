"""What the back-end offers: features of the device and of the protocol."""

from __future__ import annotations

from typing import Final

from vblkfuzz.limits import MAX_QUEUES
from vblkfuzz.virtio.features import device_side
from vblkfuzz.virtio.layout import F_RING_RESET
from vblkfuzz.virtio.vhost_user import F_PROTOCOL_FEATURES, ProtocolFeature

PROTOCOL: Final = (
    ProtocolFeature.MQ
    | ProtocolFeature.REPLY_ACK
    | ProtocolFeature.CONFIG
    | ProtocolFeature.INFLIGHT_SHMFD
    | ProtocolFeature.BACKEND_REQ
)
"""Protocol features that are offered."""


def offered(*, read_only: bool, packed: bool) -> int:
    """Return the virtio features that are offered; vhost-user-blk has no reset of one queue."""
    features = device_side(
        queues=MAX_QUEUES, event_idx=True, indirect=True, read_only=read_only, packed=packed
    )
    return features & ~(1 << F_RING_RESET) | 1 << F_PROTOCOL_FEATURES
