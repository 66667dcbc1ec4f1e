"""An operation in the sentence of a violation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.scenario.alphabet.ops import OPS

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event


def operation_of(start: Event) -> str:
    """Return an operation in words: its index, or its name if the harness has added it.

    Args:
        start: the OP with which it begins.

    >>> from vblkfuzz.trace.event import Event
    >>> from vblkfuzz.trace.kinds import OP
    >>> operation_of(Event(9, OP, value=3))
    'operation 3'
    >>> operation_of(Event(9, OP, flag=11, head=1))
    'operation drain_end of the epilogue'
    """
    if not start.head:
        return f"operation {start.value}"
    name = OPS[start.flag].name if start.flag < len(OPS) else f"{start.value}"
    return f"operation {name} of the epilogue"
