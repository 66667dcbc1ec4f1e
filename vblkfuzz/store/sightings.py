"""How often campaigns saw a finding, and when first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sightings:
    """The record of a finding in a ledger."""

    count: int
    """Executions that showed it, over all campaigns; 0: not recorded."""
    first_exec: int
    """Executions of all workers until it was first seen; 0: not recorded."""
    first_s: float
    """Seconds until then."""
    started: str
    """Start of the campaign that saw it first, ISO 8601, UTC."""
    earlier_execs: int = 0
    """Executions of the campaigns in the folder before that one."""
    earlier_s: float = 0.0
    """Seconds that these ran."""
