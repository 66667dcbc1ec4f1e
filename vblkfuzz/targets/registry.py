"""Which targets there are, by name: our own, and what installed packages register.

A package adds a target by an entry point of the group `GROUP`; the object it names is called as
``factory(device, mode, options)`` and returns a `Target`. Ours are made the same way. Nothing of a
target is imported before the user names it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from vblkfuzz.errors import UsageError
from vblkfuzz.targets.options import NO_OPTIONS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.target import Target

GROUP: Final = "vblkfuzz.targets"
MODEL: Final = "model"
_MODEL_DEVICE: Final = "seed"


class TargetEntry(NamedTuple):
    """What is known of a target before it is imported."""

    name: str
    summary: str
    source: str
    """The object that makes it: ``package.module:factory``."""


_OURS: Final = (
    TargetEntry(
        MODEL,
        "virtio-blk dataplane after QEMU, in Python",
        "vblkfuzz.targets.registry:model_target",
    ),
    TargetEntry(
        "qemu",
        "virtio-blk-pci of a real qemu-system-x86_64, under qtest and QMP",
        "vblkfuzz.targets.qemu.target:qemu_target",
    ),
    TargetEntry(
        "qsd",
        "vhost-user-blk export of a real qemu-storage-daemon, on an NBD disk of ours",
        "vblkfuzz.targets.qsd.target:qsd_target",
    ),
    TargetEntry(
        "vhost-user",
        "any vhost-user-blk back-end, by socket or by command",
        "vblkfuzz.targets.vhost_user.target:vhost_user_target",
    ),
)
_DEVICES: Final = {
    "qemu": "virtio-blk-pci",
    "qsd": "vhost-user-blk",
    "vhost-user": "vhost-user-blk",
}
"""The one device of each real target of ours."""


def target_entries() -> list[TargetEntry]:
    """Return all targets, ours first, then by name."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return [*_OURS, *(TargetEntry(entry.name, _summary(entry), entry.value) for entry in found)]


def _summary(entry: EntryPoint) -> str:
    said = entry.dist.metadata["Summary"] if entry.dist else None
    return said or "a target of an installed package"


def default_device(target: str) -> str:
    """Return the device that a target runs if the user names none."""
    return _DEVICES.get(target, _MODEL_DEVICE)


def check_target(name: str) -> None:
    """Raise UsageError if there is no such target."""
    known = [entry.name for entry in target_entries()]
    if name not in known:
        raise UsageError(f"target {name}: expected one of {', '.join(known)}")


def open_target(name: str, device: str, mode: str, options: TargetOptions = NO_OPTIONS) -> Target:
    """Return a target that is not started yet.

    Raises:
        UsageError: no such target, device or mode, or the target's package cannot be imported.
    """
    for entry in _OURS:
        if entry.name == name:
            module, _, attribute = entry.source.partition(":")
            factory: Any = getattr(import_module(module), attribute)
            break
    else:
        check_target(name)
        factory = _loaded(next(iter(entry_points(group=GROUP, name=name))))
    return cast("Target", factory(device, mode, options))


def _loaded(entry: EntryPoint) -> Any:  # noqa: ANN401 -- somebody else's object
    try:
        return entry.load()
    except Exception as error:
        raise UsageError(f"target {entry.name}: {entry.value} fails: {error!r}") from error


def model_target(device: str, mode: str, options: TargetOptions) -> Target:
    """Return the model; it has no options."""
    from vblkfuzz.targets.model import model

    return model(device, mode)


def quick_target(name: str, device: str, mode: str) -> Target | None:
    """Return a faster target on which every scenario gives the same trace, not started yet.

    None: there is none, or it is the one asked for.
    """
    if name == MODEL and mode == "processes":
        return open_target(name, device, "inline")
    return None
