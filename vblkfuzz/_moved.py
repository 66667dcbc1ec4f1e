"""Modules that were moved and can still be imported by their old names.

Devices that users wrote import parts of these, so a new place must not break them. The old name is
the same module, not a copy: classes and enums are identical under both.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
"""As in typing, which is slow to import: the package itself imports this module."""

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

MOVED = {
    "vblkfuzz.dataplane.revisions.seed": "vblkfuzz.dataplane.revisions.patch_v4",
    "vblkfuzz.virtio.blk": "vblkfuzz.virtio.request.blk",
    "vblkfuzz.virtio.device_queue": "vblkfuzz.virtio.split.device_queue",
    "vblkfuzz.virtio.driver_queue": "vblkfuzz.virtio.split.driver_queue",
    "vblkfuzz.virtio.scsi": "vblkfuzz.virtio.request.scsi",
}
"""The place of each, by its old name."""


class _Alias:
    """Loads the module of a new name under an old one, with a DeprecationWarning."""

    def __init__(self, place: str) -> None:
        self._place = place

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        from importlib import import_module

        module = import_module(self._place)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        import warnings

        assert module.__spec__ is not None
        old = module.__spec__.name
        # The import system has set the spec of the old name.
        module.__spec__ = self._spec
        warnings.warn(f"{old} is now {self._place}", DeprecationWarning, stacklevel=2)


class MovedModules:
    """A finder, asked after all others: only a name that does not exist any more comes here."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in MOVED:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(fullname, _Alias(MOVED[fullname]))  # type: ignore[arg-type]


def install() -> None:
    """Make the old names importable; may be called again."""
    if not any(finder is MovedModules for finder in sys.meta_path):
        sys.meta_path.append(MovedModules)
