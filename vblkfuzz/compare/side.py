"""A side of a comparison: a binary, a command or a revision, and the target that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import UsageError
from vblkfuzz.targets.binary import version_of
from vblkfuzz.targets.registry import MODEL, default_device, open_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.target import Target

Set = Callable[["TargetOptions", str], "TargetOptions"]
_SETS: Final[dict[str, Set]] = {
    "qemu": lambda options, name: replace(options, qemu_binary=name),
    "qsd": lambda options, name: replace(options, qsd_binary=name),
    "vhost-user": lambda options, name: replace(options, vhost_user_command=name),
    "vhost-user-frontend": lambda options, name: replace(options, qemu_binary=name),
}
"""Sets the device of a side, by target."""


class Side(NamedTuple):
    """One of the devices that are compared."""

    name: str
    """As the user gave it."""
    version: str
    """As the binary says; empty: it does not."""
    open: Callable[[], Target]
    """Makes its target, not started yet."""


def sides(target: str, names: Sequence[str], options: TargetOptions) -> list[Side]:
    """Return the sides of a comparison.

    Args:
        target: name of the target, the same for all.
        names: binaries of `qemu`, `qsd` or `vhost-user-frontend`, commands of `vhost-user`,
            devices of the model.
        options: the other options of the target.

    Raises:
        UsageError: there is no such target, or it has no binaries; a side has no name.
    """
    if not all(names):
        raise UsageError("expected the name of a binary, found an empty one")
    if target == MODEL:
        return [Side(name, "", partial(open_target, MODEL, name, "inline")) for name in names]
    if target not in _SETS:
        known = ", ".join((*_SETS, MODEL))
        raise UsageError(f"target {target}: expected one that runs a binary: {known}")
    return [_side(target, name, options) for name in names]


def _side(target: str, name: str, options: TargetOptions) -> Side:
    version = "" if target == "vhost-user" else version_of(name)
    its = _SETS[target](options, name)
    opened = partial(open_target, target, default_device(target), "processes", its)
    return Side(name, version, opened)
