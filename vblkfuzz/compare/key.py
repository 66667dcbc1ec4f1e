"""What is compared: a place in the guest's view."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """A place in the guest's view of an execution."""

    kind: str
    """Of the differences of one kind in a scenario, the later ones may follow from the first."""
    number: int
    """Which of several with the same text."""
    what: str
    """What it is, for people."""
