"""The file of a device that an input names: ``on = "device.py:Class"``.

The file is looked for in the folder of the input first, so a corpus can be run from any working
directory, then in the working directory. Modules (``package.module:Class``) are looked for on the
import path. Nothing is imported here.
"""

from __future__ import annotations

from pathlib import Path


def found_in(device: str, *folders: str) -> str:
    """Return the name of a device whose file is in one of the folders, the first that has it.

    Any other name is returned as it is: of a revision, a module, an absolute path, or of a file
    that none of them has.
    """
    place, colon, attribute = device.rpartition(":")
    if colon and place.endswith(".py"):
        for folder in folders:
            path = Path(folder, place)
            if path.is_file():
                return f"{path}:{attribute}"
    return device
