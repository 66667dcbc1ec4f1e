"""One operation as a row: its code, its owner, its parameters, and the state it needs.

The bits below describe driver, drains, VM and backend between two operations, as far as the
operations before determine them. A row states which bits its operation needs and changes;
`mutation.story_state` derives tables from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vblkfuzz.scenario.alphabet.param import Param

Owner = Literal["guest", "operator", "backend", "environment"]

SET_UP: Final = 1
"""The driver has set the device up."""
UNKICKED: Final = 2
"""A request was published and no kick followed yet."""
BROKEN: Final = 4
"""Hostile ring contents were published: the device needs a reset."""
MIRRORING: Final = 8
STOPPED: Final = 16
HOLDING: Final = 32
POLLING: Final = 64
SAVED: Final = 128
DRAINED: Final = 256
"""Depth of drained sections begun by drain_begin. An operation that sets this bit adds a level; one
that clears it needs a level and removes it. The depth takes two bits, the highest of all. A new bit
goes before it: it gets the number that DRAINED has now, and DRAINED gets twice that."""

ENDLESS: Final = SET_UP | UNKICKED | BROKEN
"""Bits that no operation has to clear. An operation that sets another one names its `end`."""
AT_REST: Final = ENDLESS | POLLING
"""Bits that may still be set after a scenario and its epilogue. The epilogue clears all others: see
`Operator.unfinished` and `Machine.unfinished` in `dataplane`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpSpec:
    """One operation."""

    code: int
    """Part of every stored file. A new operation gets the next number; no number is reused."""
    name: str
    params: tuple[Param, ...] = ()
    summary: str
    """Effect of the operation, in one sentence."""
    owner: Owner = "guest"
    """The part that executes it. `ops` sets it, from the file of the row."""

    weight: int
    """Relative frequency with which mutations insert it where it fits."""
    needs: int = 0
    """Bits that must all be set before it."""
    excludes: int = 0
    """Bits that must all be clear before it."""
    sets: int = 0
    """Bits that are set after it."""
    clears: int = 0
    """Bits that are clear after it."""
    end: str = ""
    """Name of the operation that ends what this one begins."""
    around: tuple[str, ...] = ()
    """Operations that mutations put around other operations: ``before | after``, words as in
    `mutation.sentence`. They stand in the row of the first of them that begins something."""

    reach: int = 3
    """Preemption points passed by the operation and all its effects: the 90th percentile in a
    campaign's corpus."""
    beside: int = 0
    """Relative frequency with which it is chosen to race with an operation on the same queue."""
    asks: int = 0
    """Relative frequency with which it is chosen to make the device request kicks and then read a
    ring."""
    control: bool = False
    """Whether it changes how requests are served, so that requests race with it."""

    plainer: str = ""
    """Name of a simpler operation that often shows the same bug."""
    path_frame: str = ""
    """Name of the `trace.event.Frame` that stands for it in causal paths of real devices."""
    qtest: bool = False
    """Whether exported qtest programs can execute it (`export.qtest_file`)."""
