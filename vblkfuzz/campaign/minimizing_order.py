"""What the orchestrator and the minimizer of a campaign send each other, a line of JSON each."""

from __future__ import annotations

import json
import os
import select
import time
from dataclasses import asdict, dataclass
from typing import Final

from vblkfuzz.store.reduction import Reduction

TRIES: Final = 2000
"""Most candidates of a finding, over all searches. On the model few findings need 1000."""
_READ_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Order:
    """An order to the minimizer: a finding, or how the one at work goes on."""

    finding: str = ""
    """Folder of the finding; empty: the one at work."""
    seconds: float = 0
    """Limit (seconds) of a search at full speed; 0: no limit, in a share of the time."""

    def to_line(self) -> bytes:
        """Return the order as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of the minimizer to an order with a finding."""

    reduction: Reduction | None = None
    problem: str = ""
    """Why there is no reduction, in a few words."""

    def to_line(self) -> bytes:
        """Return the answer as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @staticmethod
    def from_line(line: bytes) -> Answer:
        """Return the answer in the output of `to_line`."""
        values = json.loads(line)
        reduction = values["reduction"]
        return Answer(Reduction(**reduction) if reduction else None, values["problem"])


class Orders:
    """The minimizer's end of the pipe of orders."""

    def __init__(self, fd: int) -> None:
        self.ended = False
        """Whether no order will come any more: stop."""
        self._fd = fd
        self._partial = b""
        self._waiting: list[Order] = []

    def next(self) -> Order | None:
        """Wait for the next order and return it; None: no more will come."""
        while not self._waiting and not self.ended:
            self._read(None)
        return self._waiting.pop(0) if self._waiting and not self.ended else None

    def pause(self, seconds: float) -> Order | None:
        """Wait so long, or until an order comes or no more will; return that order."""
        deadline = time.monotonic() + seconds
        self._read(0)
        while not self._waiting and not self.ended and time.monotonic() < deadline:
            self._read(max(0.0, deadline - time.monotonic()))
        return self._waiting.pop(0) if self._waiting else None

    def _read(self, timeout: float | None) -> None:
        if not select.select([self._fd], [], [], timeout)[0]:
            return
        data = os.read(self._fd, _READ_BYTES)
        self.ended = not data
        *lines, self._partial = (self._partial + data).split(b"\n")
        self._waiting += [Order(**json.loads(line)) for line in lines]
