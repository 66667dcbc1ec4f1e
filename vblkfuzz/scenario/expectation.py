"""The verdict that a run of an input must give. An input with an expectation is a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

VerdictKind = Literal["clean", "violation", "harness_error"]
VERDICT_KINDS: Final[tuple[VerdictKind, ...]] = get_args(VerdictKind)


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected verdict. Empty fields are not compared."""

    verdict: VerdictKind
    rule: str = ""
    """Id of the violated rule, for example ``S1``."""
    signature: str = ""
    """Name of the bug (`oracle.naming`)."""
