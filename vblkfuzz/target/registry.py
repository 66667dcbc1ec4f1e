"""Which targets there are, by name: the model, and what installed packages register.

A package adds a target by an entry point of the group `GROUP`; the object it names is called as
``factory(device, mode)`` and returns a `Target`. Nothing of a package is imported before the user
names its target.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from vblkfuzz.target.target import Target

GROUP: Final = "vblkfuzz.targets"
MODEL: Final = "model"


class TargetEntry(NamedTuple):
    """What is known of a target before it is imported."""

    name: str
    summary: str
    source: str
    """The object that makes it: ``package.module:factory``."""


def target_entries() -> list[TargetEntry]:
    """Return all targets, the model first, then by name."""
    model = TargetEntry(
        MODEL, "virtio-blk dataplane after QEMU, in Python", "vblkfuzz.target.model:model"
    )
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return [model, *(TargetEntry(entry.name, _summary(entry), entry.value) for entry in found)]


def _summary(entry: EntryPoint) -> str:
    said = entry.dist.metadata["Summary"] if entry.dist else None
    return said or "a target of an installed package"


def open_target(name: str, device: str, mode: str) -> Target:
    """Return a target that is not started yet.

    Raises:
        UsageError: no such target, device or mode, or the target's package cannot be imported.
    """
    if name == MODEL:
        from vblkfuzz.target.model import model

        return model(device, mode)
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        known = ", ".join(entry.name for entry in target_entries())
        raise UsageError(f"target {name}: expected one of {known}")
    try:
        factory = found[0].load()
    except Exception as error:
        raise UsageError(f"target {name}: {found[0].value} fails: {error!r}") from error
    return cast("Target", factory(device, mode))


def quick_target(name: str, device: str, mode: str) -> Target | None:
    """Return a faster target on which every scenario gives the same trace, not started yet.

    None: there is none, or it is the one asked for.
    """
    if name == MODEL and mode == "processes":
        return open_target(name, device, "inline")
    return None
