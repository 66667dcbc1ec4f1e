"""One operation as a row: its code, its owner, its parameters, and where it makes sense.

The bits below are what a reader of a scenario knows about driver, drains, VM and backend between
two operations. Rows say which of them an operation needs and changes; `mutation.story_state` turns
that into tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vblkfuzz.scenario.alphabet.param import Param

Owner = Literal["guest", "operator", "backend", "environment"]

SET_UP: Final = 1
"""The driver has set the device up."""
UNKICKED: Final = 2
"""Something was published and no kick came since."""
BROKEN: Final = 4
"""Hostile ring contents: the device needs a reset."""
MIRRORING: Final = 8
STOPPED: Final = 16
HOLDING: Final = 32
POLLING: Final = 64
DRAINED: Final = 128
"""One level of drained sections begun by drain_begin: what sets it adds a level, what clears it
needs one and takes one away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpSpec:
    """One operation."""

    code: int
    """Part of every stored file: new operations get the next number, none is given again."""
    name: str
    params: tuple[Param, ...] = ()
    summary: str
    """What it does, in one sentence."""
    owner: Owner = "guest"
    """Who does it; `ops` takes it from the file that the row stands in."""

    weight: int
    """How often a mutation inserts it where it fits, compared with the others."""
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
    frames: tuple[str, ...] = ()
    """What mutations put around other operations: ``before | behind``, words as in
    `mutation.sentence`. The one that comes first among the operations that begin it has the row."""

    reach: int = 3
    """Preemption points that it passes with all that it sets off: what nine in ten of them in a
    campaign's corpus stay below."""
    beside: int = 0
    """How often it is the one that races with an operation on the same queue."""
    asks: int = 0
    """How often it is chosen to make the device ask for kicks and then look at a ring."""
    control: bool = False
    """Whether it changes how requests are served, so that requests race with it."""

    plainer: str = ""
    """Name of an operation that says the same of a bug with less around it."""
    frame: str = ""
    """Name of the `trace.event.Frame` that stands for it in causal paths of real devices."""
    qtest: bool = False
    """Whether exported qtest programs carry it out (`export.qtest_file`)."""
