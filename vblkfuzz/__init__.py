"""Coverage-guided, schedule-controlled fuzzing of virtio-blk devices, in several processes.

One input is a `scenario`: what the guest, the operator and the backend do, and where the schedule
differs from the default order. It runs on a target, which records a `trace`, and the oracles judge
the trace. Read `vblkfuzz.scenario.alphabet` first, then `vblkfuzz.executor`.

For your own tests, all names of `vblkfuzz.api` can be imported from here. The API is loaded at the
first use of one of its names, so that importing the package costs almost nothing.
"""

from __future__ import annotations

from vblkfuzz import _moved
from vblkfuzz._version import __version__ as __version__

TYPE_CHECKING = False
"""As in typing, which is slow to import: the command must handle ctrl-C early (`cli.signals`)."""

if TYPE_CHECKING:
    from vblkfuzz.api import *  # noqa: F403  # the names are listed once, in api


_moved.install()


def __getattr__(name: str) -> object:
    """Load the public API at the first use of one of its names."""
    from importlib import import_module, util

    # The import system also calls this for rooms, before it searches the folder for them.
    if name == "__all__" or not (name.startswith("_") or util.find_spec(f"{__name__}.{name}")):
        api = import_module("vblkfuzz.api")
        if name == "__all__":
            return api.__all__
        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
