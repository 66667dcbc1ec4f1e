"""Findings that wait until the store has them: they are counted after that.

A finding that is counted is then not lost with its node. If the store is too slow, the finding is
counted without it: it is in the output folder, and goes up later.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from vblkfuzz.campaign.exchange_thread import COUNT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.campaign.exchange_thread import ExchangeThread
    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Finding


class HeldFindings:
    """Findings of one campaign that are not counted yet.

    Args:
        exchange: that of the campaign; None: there is no store, and none is held.
        count: called with a finding, its message and whether the store had it before.
    """

    def __init__(
        self, exchange: ExchangeThread | None, count: Callable[[Finding, Message, bool], None]
    ) -> None:
        self._exchange = exchange
        self._count = count
        self._held: dict[str, tuple[Finding, Message, float]] = {}

    @property
    def signatures(self) -> frozenset[str]:
        """Those that are held."""
        return frozenset(self._held)

    def add(self, finding: Finding, message: Message) -> None:
        """Hold a finding that is saved in the output folder."""
        assert self._exchange
        self._held[message.name] = (finding, message, time.monotonic() + COUNT_S)
        self._exchange.publish()

    def count(self, *, whatever: bool = False) -> None:
        """Count those that the store has; `whatever`: all."""
        for signature, (finding, message, until) in [*self._held.items()]:
            assert self._exchange
            first = self._exchange.is_first(Path(message.path))
            if first is not None or whatever or time.monotonic() >= until:
                del self._held[signature]
                self._count(finding, message, first is False)
