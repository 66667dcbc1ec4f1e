"""Feature bits of a virtio-blk device, by name (virtio 1.2, 5.2.3 and 6).

`device_side` are those that a device offers and that the driver can use. The driver accepts all of
them, unless the scenario declines one.

Next: `driver.features` accepts them, `dataplane.device_state` offers them.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Final

from vblkfuzz.virtio.layout import (
    F_EVENT_IDX,
    F_IN_ORDER,
    F_INDIRECT_DESC,
    F_RING_PACKED,
    F_RING_RESET,
    F_VERSION_1,
)
from vblkfuzz.virtio.request.blk import (
    F_BLK_SIZE,
    F_CONFIG_WCE,
    F_DISCARD,
    F_FLUSH,
    F_MQ,
    F_RO,
    F_SEG_MAX,
    F_SIZE_MAX,
    F_TOPOLOGY,
    F_WRITE_ZEROES,
)

FEATURES: Final = MappingProxyType(
    {
        "flush": F_FLUSH,
        "config_wce": F_CONFIG_WCE,
        "mq": F_MQ,
        "discard": F_DISCARD,
        "write_zeroes": F_WRITE_ZEROES,
        "blk_size": F_BLK_SIZE,
        "seg_max": F_SEG_MAX,
        "size_max": F_SIZE_MAX,
        "ro": F_RO,
        "topology": F_TOPOLOGY,
        "ring_reset": F_RING_RESET,
        "event_idx": F_EVENT_IDX,
        "indirect": F_INDIRECT_DESC,
    }
)
"""Number of the bit, by name: all that a driver may decline."""

_ALWAYS: Final = (
    1 << F_VERSION_1
    | 1 << F_RING_RESET
    | 1 << F_FLUSH
    | 1 << F_CONFIG_WCE
    | 1 << F_DISCARD
    | 1 << F_WRITE_ZEROES
    | 1 << F_BLK_SIZE
    | 1 << F_SEG_MAX
    | 1 << F_SIZE_MAX
    | 1 << F_TOPOLOGY
)


_RINGS: Final = (
    1 << F_VERSION_1
    | 1 << F_RING_RESET
    | 1 << F_EVENT_IDX
    | 1 << F_INDIRECT_DESC
    | 1 << F_RING_PACKED
    | 1 << F_IN_ORDER
)
"""Features of rings and transport, the same for each kind of device."""


def scsi_side(blk_side: int) -> int:
    """Return the features of a virtio-scsi device, given those of a virtio-blk device like it.

    Of its own features (5.6.3) the driver uses none. F_MQ stands for several queues, which
    virtio-scsi has without a feature.
    """
    return blk_side & (_RINGS | 1 << F_MQ)


def on_the_wire(features: int) -> int:
    """Return what a driver of virtio-scsi writes for features of `scsi_side`."""
    return features & _RINGS


@lru_cache(maxsize=64)
def device_side(
    *,
    queues: int,
    event_idx: bool,
    indirect: bool,
    read_only: bool,
    packed: bool = False,
    in_order: bool = False,
) -> int:
    """Return the feature bits of a device with these properties (QEMU: virtio_blk_get_features)."""
    return (
        _ALWAYS
        | (queues > 1) << F_MQ
        | event_idx << F_EVENT_IDX
        | indirect << F_INDIRECT_DESC
        | read_only << F_RO
        | packed << F_RING_PACKED
        | in_order << F_IN_ORDER
    )
