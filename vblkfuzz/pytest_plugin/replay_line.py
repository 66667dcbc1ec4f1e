"""The command that a failed scenario test prints; it runs in the folder where pytest was run."""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import TYPE_CHECKING, Final

from vblkfuzz.triage.case import replay_command
from vblkfuzz.triage.shell_word import shell_word

if TYPE_CHECKING:
    from vblkfuzz.triage.outcome import Outcome

_PATH: Final = "PYTHONPATH"


def replay_line(outcome: Outcome) -> str:
    """Return the shell command that gives an outcome again.

    pytest finds the module of a device on paths of its own (``pythonpath``, the folders of tests).
    The command gets them by PYTHONPATH.
    """
    folder = _import_folder(outcome.setup.device)
    if not folder:
        return replay_command(outcome)
    before = f'":${_PATH}"' if os.environ.get(_PATH) else ""
    return f"{_PATH}={shell_word(folder)}{before} {replay_command(outcome)}"


def _import_folder(device: str) -> str:
    """Return the folder on the import path from which a device's module came.

    Empty: the device is no module, or every Python finds it.
    """
    place, colon, _ = device.rpartition(":")
    package = sys.modules.get(place.partition(".")[0]) if colon else None
    file = getattr(package, "__file__", None)
    if place.endswith(".py") or file is None:
        return ""
    folder = os.path.dirname(os.path.abspath(file))
    if os.path.basename(file) == "__init__.py":
        folder = os.path.dirname(folder)
    return "" if folder in _everywhere() else os.path.relpath(folder)


def _everywhere() -> set[str]:
    """Return folders on the import path of every Python of this environment."""
    given = filter(None, os.environ.get(_PATH, "").split(os.pathsep))
    return {*sysconfig.get_paths().values(), *map(os.path.abspath, given)}
