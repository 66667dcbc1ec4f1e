"""Which modules of the package a compiled build compiles, by room.

Those that run in each execution. The others stay Python: revisions and defects, as users' devices
do, and what looks at generators and frames of users' devices (`wrong_step` and the like).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

ROOMS: Final[dict[str, tuple[str, ...]]] = {
    "virtio": ("*.py", "packed/*.py", "request/*.py", "split/*.py"),
    "trace": ("*.py",),
    "schedule": ("*.py", "policies/*.py"),
    "driver": ("*.py",),
    "dataplane": ("*.py", "revisions/reference.py"),
    "oracle": ("*.py", "rules/*.py", "naming/*.py"),
    "process": ("execution.py", "guest.py", "mailbox.py"),
    "feedback": ("region.py",),
    "explore": ("watched.py",),
}
"""Room, and which of its files are compiled."""

PYTHON: Final = frozenset(
    {
        # They derive from exceptions of Python, which mypyc cannot compile, and look at generators.
        "dataplane/construction.py",
        "dataplane/wrong_return.py",
        "dataplane/wrong_step.py",
        # mypyc looks for the name `slice`, the type of a field, in the module.
        "driver/sent.py",
        # Users make its values, of whatever type: that is looked at when they are used.
        "dataplane/saved_state.py",
        "dataplane/saved_state_check.py",
        # It renames the code of a function.
        "oracle/naming/raised.py",
    }
)
"""Files of those rooms that are not compiled."""

OPEN: Final = frozenset(
    {
        "AioContext",
        "BlockBackend",
        "DeviceQueue",
        "DeviceState",
        "Lifecycle",
        "Migration",
        "Operator",
        "QueuePort",
        "Reference",
        "VirtioBlk",
    }
)
"""Classes that revisions, defects and users' devices derive from. Of a hierarchy it must be all:
a compiled class below an open one that is not open itself would run its constructor twice."""


def compiled_files(package: Path) -> list[str]:
    """Return the files to compile, relative to the package, in a fixed order.

    Raises:
        FileNotFoundError: a pattern of `ROOMS` matches nothing.
    """
    found: set[str] = set()
    for room, patterns in ROOMS.items():
        for pattern in patterns:
            files = {str(file.relative_to(package)) for file in (package / room).glob(pattern)}
            if not files:
                raise FileNotFoundError(f"tools/compiled/modules.py: no file {room}/{pattern}")
            found |= {file for file in files if not file.endswith("__init__.py")}
    return sorted(found - PYTHON)
