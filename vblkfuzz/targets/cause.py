"""The causal path of what is observed of a real device now.

Causes cannot be observed from outside. The path is that of the current operation, with one
exception: in a stopped VM nothing is in flight, so a request that the backend answers there was let
go by the end of a drained section after the stop, however late the backend answers it.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import DRAIN_END, VM_CONT, VM_STOP_RET

_PATHS: Final = tuple(int(Frame[spec.path_frame.upper()]) if spec.path_frame else 0 for spec in OPS)
"""Causal path of what happens during an operation, by code."""
_BACKEND: Final = frozenset(spec.code for spec in OPS if spec.owner == "backend")


class Cause:
    """What the operations so far tell of the cause."""

    def __init__(self) -> None:
        self._code = 0
        self._stopped = False
        self._let_go = False
        """Whether the outermost drained section has ended since the VM stopped."""

    def operation(self, code: int) -> None:
        """Note the current operation."""
        self._code = code

    def tell(self, kind: int, depth: int) -> None:
        """Note an event of the operator.

        Args:
            kind: its kind.
            depth: of a DRAIN_END, the number of drained sections that are still open.
        """
        if kind in (VM_STOP_RET, VM_CONT):
            self._stopped, self._let_go = kind == VM_STOP_RET, False
        elif kind == DRAIN_END and not depth:
            self._let_go = self._stopped

    @property
    def path(self) -> int:
        """Path of what is observed now."""
        late = self._let_go and self._code in _BACKEND
        return int(Frame.DRAINED_END) if late else _PATHS[self._code]
