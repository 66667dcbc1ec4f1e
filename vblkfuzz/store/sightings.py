"""How often a campaign has seen a finding, and when first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sightings:
    """What a campaign's ledger knows of a finding."""

    count: int
    """Executions that showed it; 0: not known."""
    first_exec: int
    """Executions of all workers until it was first seen."""
    first_s: float
    """Seconds until then."""
    started: str
    """When that campaign began, ISO 8601, UTC."""
