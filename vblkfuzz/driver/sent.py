"""A request as the driver remembers it, from its chain to its used entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.driver.request import Segmented


class Sent(NamedTuple):
    """Where a request is in guest memory, and what its answer will show."""

    slot: Slot
    buffers: Segmented
    """As the device sees them: in another shape they are not where those of a plain request are."""
    table: int | None
    """Address of its indirect table; None if its chain is in the ring."""
    area: slice
    """The memory in which the driver has written it."""
    shaped: bool = False
    read: tuple[int, int] | None = None
    """A read whose data is recorded: its first sector, and the number of sectors after it."""
    names: bool = False
    """Whether it is a GET_ID."""
    unit: int = 0
    """The logical unit that it is for."""
    broken: bool = False
    """Whether its chain is none that a device can follow to the end."""
