"""Former names of devices of the model.

Files and command lines of older versions use them. They are read as the names of today; nothing is
written with them.
"""

from __future__ import annotations

from typing import Final

_NAMES: Final = {"seed": "patch-v4"}
"""Today's name by former name."""


def current_name(device: str) -> str:
    """Return today's name of a device of the model, with its defects (``seed+no_selfkick``).

    The name of a user's class (``file.py:Class``) stays.
    """
    revision, plus, defects = device.partition("+")
    if ":" in device:
        return device
    return f"{_NAMES.get(revision, revision)}{plus}{defects}"
