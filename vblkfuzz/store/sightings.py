"""How often campaigns saw a finding, and when first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sightings:
    """The record of a finding in a ledger."""

    count: int
    """Executions that showed it, over all campaigns; 0: not recorded."""
    first_exec: int
    """Executions of all workers until it was first seen."""
    first_s: float
    """Seconds until then."""
    started: str
    """Start of the campaign that saw it first, ISO 8601, UTC."""
