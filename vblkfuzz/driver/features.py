"""Which features the driver accepts (virtio 1.2, 2.2), and how a trace says so.

The driver accepts what the device offers and it knows, except what the operation `init` declines.
What the driver does with a feature that it has not accepted is in docs/decisions/0012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.alphabet.guest import DECLINES
from vblkfuzz.virtio.features import FEATURES, device_side, scsi_side
from vblkfuzz.virtio.layout import F_EVENT_IDX, F_IN_ORDER, F_RING_PACKED, F_RING_RESET

if TYPE_CHECKING:
    from vblkfuzz.scenario.device import DeviceConfig

_PAIRS: Final = {"nothing": (), "write_cache": ("flush", "config_wce")}
_DECLINED: Final = tuple(
    sum(1 << FEATURES[feature] for feature in _PAIRS.get(name, (name,))) for name in DECLINES
)
"""Feature bits by code of a decline."""
_LOW: Final = 0xFFFF
"""The feature bits of the block device; those of rings and transport are above."""
_ABOVE: Final = 0xFFFF_FFFF
"""As many of them as an event has room for: up to bit 47; virtio 1.2 has 41."""


def accepted(offered: int, decline: int, *, packed: bool = False) -> int:
    """Return the feature bits that the driver accepts.

    Args:
        offered: the feature bits that the device offers.
        decline: a position in `DECLINES`.
        packed: whether the driver uses packed rings if it can.
    """
    return offered & ~_DECLINED[decline] & ~((not packed) << F_RING_PACKED)


def scenario_features(config: DeviceConfig) -> int:
    """Return the features of a scenario's device. A real device may offer more of them."""
    features = device_side(
        queues=config.queues,
        event_idx=config.event_idx,
        indirect=config.indirect,
        read_only=config.read_only,
        packed=config.ring == "packed",
        in_order=config.in_order,
    )
    return scsi_side(features) if config.kind == "scsi" else features


def rings(features: int) -> dict[str, int]:
    """Return the fields of the end of a DRIVER_INIT: what was negotiated of the rings."""
    return {
        "head": features >> F_EVENT_IDX & 1,
        "length": features >> F_RING_PACKED & 1,
        "value": features >> F_IN_ORDER & 1,
    }


def fields(offered: int, features: int) -> dict[str, int]:
    """Return the fields of the event FEATURES."""
    return {
        "flag": features >> F_RING_RESET & 1,
        "head": offered & _LOW,
        "length": offered >> 16 & _ABOVE,
        "value": features & _LOW,
    }
