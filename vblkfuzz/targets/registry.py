"""Targets by name. All are found by entry point, those of other packages as well.

To add one, see CONTRIBUTING.md. The entry point of another package may name a function instead of a
`TargetKind`; it is called as ``function(device, mode, options)`` and returns a `Target`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.entry_points import Registry
from vblkfuzz.targets.options import NO_OPTIONS
from vblkfuzz.targets.target_kind import TargetKind

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.target import Target

MODEL: Final = "model"
_DEVICE_OF_FUNCTIONS: Final = "patch-v4"
"""Default device of a target that is named by a function."""


def _target_kind(named: object, entry: EntryPoint) -> TargetKind | None:
    """Return the target of an entry point; a function gets a default device and a summary."""
    if isinstance(named, TargetKind):
        return named
    if callable(named):
        summary = entry.dist.metadata["Summary"] if entry.dist else None
        summary = summary or "a target of an installed package"
        return TargetKind(summary, _DEVICE_OF_FUNCTIONS, named, without=frozenset())
    return None


TARGETS: Final = Registry("target", "a TargetKind or a function", _target_kind)


def default_device(target: str) -> str:
    """Return the device that a target runs if the user names none.

    Raises:
        UsageError: there is no such target, or it cannot be imported.
    """
    return TARGETS.find(target).device


def open_target(name: str, device: str, mode: str, options: TargetOptions = NO_OPTIONS) -> Target:
    """Return a target that is not started yet.

    Raises:
        UsageError: there is no such target, device or mode, or the target cannot be imported.
    """
    return TARGETS.find(name).open(device, mode, options)


def quick_target(
    name: str, device: str, mode: str, options: TargetOptions = NO_OPTIONS
) -> Target | None:
    """Return a faster target on which every scenario gives the same trace, not started yet.

    Returns None if there is none, or if `mode` is its mode already.
    """
    kind = TARGETS.find(name)
    if kind.quick_mode in ("", mode):
        return None
    return kind.open(device, kind.quick_mode, options)
