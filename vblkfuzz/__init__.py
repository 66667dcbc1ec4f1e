"""Coverage-guided, schedule-controlled fuzzing of virtio-blk devices, in several processes.

One input is a `scenario`: what the guest, the operator and the backend do, and where the schedule
differs from the plain order. It runs on a target, which gives a `trace`; the oracles judge the
trace. Read `vblkfuzz.scenario.alphabet` first, then `vblkfuzz.executor`.

For tests of your own: everything in `vblkfuzz.api` can be imported from here. It is loaded when it
is asked for, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz._version import __version__ as __version__

if TYPE_CHECKING:
    from vblkfuzz.api import *  # noqa: F403  # the names are listed once, in api


def __getattr__(name: str) -> object:
    """Load the public API when one of its names is asked for."""
    from importlib import import_module, util

    # The import system asks here for rooms, too, before it looks for them in the folder.
    if name == "__all__" or not (name.startswith("_") or util.find_spec(f"{__name__}.{name}")):
        api = import_module("vblkfuzz.api")
        if name == "__all__":
            return api.__all__
        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
