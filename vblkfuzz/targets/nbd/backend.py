"""The operations of a scenario's backend, carried out by the NBD server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.targets.nbd.server import Order

if TYPE_CHECKING:
    from vblkfuzz.targets.nbd.process import NbdProcess

_RELEASE: Final = op("release")
_COMPLETE: Final = CODES["complete"]
ORDERS: Final = {
    CODES["hold"]: Order.HOLD,
    CODES["release"]: Order.RELEASE,
    CODES["complete"]: Order.END,
    CODES["flush"]: Order.FLUSH,
}
"""By code of the operation."""
BACKEND_OPS: Final = tuple(OPS[code].name for code in ORDERS)
"""Names of these operations."""


class NbdBackend:
    """The backend of one scenario after another."""

    def __init__(self, nbd: NbdProcess) -> None:
        self._nbd = nbd
        self._holding = False

    def note_start(self) -> None:
        """Note that the server begins a scenario (`Order.START`): it holds nothing."""
        self._holding = False

    def perform(self, operation: Op) -> bool:
        """Carry out one of the backend's operations; return False for any other.

        Raises:
            ActorDied: the server has ended.
        """
        order = ORDERS.get(operation.code)
        if order is None:
            return False
        if order in (Order.HOLD, Order.RELEASE):
            self._holding = order == Order.HOLD
        complete = operation.code == _COMPLETE
        self._nbd.order(order, *((operation.a, operation.b) if complete else (0, 0)))
        return True

    def release(self) -> None:
        """Do what the operation `release` does."""
        self.perform(_RELEASE)

    @property
    def blocked(self) -> bool:
        """Whether it holds requests or would hold the next one."""
        return self._holding or self._nbd.counters.held > 0

    @property
    def quiet(self) -> bool:
        """Whether every request that has arrived is answered."""
        counters = self._nbd.counters
        return counters.arrived == counters.ended

    def unfinished(self) -> Op | None:
        """The operation that ends the holding of requests; None if none are held."""
        return _RELEASE if self._holding else None

    def let_off(self) -> bool:
        """End the held flushes, because a drained section closes; return whether there were any.

        A flush of the guest cannot be told from one of the mirror job, so neither is held
        (`targets.qsd.operator`).
        """
        if not self.blocked:
            return False
        counters = self._nbd.counters
        ended = counters.ended
        self._nbd.order(Order.LET_OFF)
        return counters.ended != ended
