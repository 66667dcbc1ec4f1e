"""What running an input is expected to give: the difference between an input and a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

VerdictKind = Literal["clean", "violation", "harness_error"]
VERDICT_KINDS: Final[tuple[VerdictKind, ...]] = get_args(VerdictKind)


@dataclass(frozen=True, slots=True)
class Expectation:
    """The verdict an input is kept for. Empty fields are not compared."""

    verdict: VerdictKind
    rule: str = ""
    """The rule that is broken, ``S1`` to ``L5``."""
    signature: str = ""
    """The bug, as triage names it."""
