"""What `bench detect` compares: devices and searches as its options name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL: Final = "all"
"""Stands for all defects."""


def devices_of(
    defects: Sequence[str] | None, devices: Sequence[str] | None, short: Sequence[str]
) -> tuple[str, ...]:
    """Return the devices that options name: defects are planted in the reference, one at a time.

    Args:
        defects: names, or `ALL` among them; None: `short`, or all if no device is named either.
        devices: as in ``--device`` of `vblkfuzz fuzz`.
        short: defects of the short form; empty: it is not wanted.

    Raises:
        UsageError: there is no such defect or device.
    """
    from vblkfuzz.dataplane.defects import DEFECTS
    from vblkfuzz.targets.device_class import defective, device_class

    names = defects or short or ([] if devices else [ALL])
    if ALL in names:
        names = tuple(DEFECTS)
    planted = [defective("reference", (name,)) for name in names]
    for device in devices or ():
        device_class(device)  # one that is none is reported before the first trial
    return tuple(dict.fromkeys((*planted, *(devices or ()))))


def searches_of(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the searches that options name, in the order of tables; None: all.

    Raises:
        UsageError: there is no such search.
    """
    from vblkfuzz.bench.searches.registry import SEARCHES

    for name in names or ():
        if name not in SEARCHES:
            known = ", ".join(SEARCHES)
            raise UsageError(f"search {name}: expected {known}{did_you_mean(name, SEARCHES)}")
    return tuple(name for name in SEARCHES if name in (names or SEARCHES))
