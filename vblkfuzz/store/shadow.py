"""A crash or hang that ends so many executions that it hides what comes after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARE: Final = 0.1
"""Share of all executions from which on a crash is said to hide others."""
_ENOUGH: Final = 100
"""Executions before a share says anything."""
_ENDS: Final = ("crash", "hang")
"""How the signatures begin after which the device does nothing more."""


def shadow(seen: Mapping[str, int], execs: int) -> str:
    """Say which crash or hang hides other bugs, and what avoids it; empty if there is none.

    Args:
        seen: executions by signature.
        execs: all executions.
    """
    ends = [(count, name) for name, count in seen.items() if name.partition("-")[0] in _ENDS]
    count, name = max(ends, default=(0, ""))
    if execs < _ENOUGH or count < _SHARE * execs:
        return ""
    return (
        f"{name} ended {count / execs:.0%} of all executions; what comes after it is hidden. "
        "To get past it, leave out an operation that leads to it: vblkfuzz fuzz --without OP"
    )
