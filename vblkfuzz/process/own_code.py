"""Own code: which lines are those of a user's device, and not ours below or around them.

What a device raises is a finding, what we raise is a fault of the harness. A traceback tells: it
passes through code of the device, or it does not. Of a device that is built in, nothing is its own.
"""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

_PACKAGE: Final = f"{Path(__file__).resolve().parent.parent}/"
_COMPILED: Final = "vblkfuzz/"
"""Begin of the name of a file in code that was compiled: it does not know where it is installed."""
_PYTHON: Final = f"{sysconfig.get_path('stdlib')}/"
_INSTALLED: Final = ("/site-packages/", "/dist-packages/")


class OwnCode:
    """The code of one device class: its files, those beside them, and what is not installed."""

    def __init__(self, device: type) -> None:
        self._files = {file for file in map(_absolute, _files(device)) if not _is_built_in(file)}
        folders = {str(Path(file).parent) for file in self._files if file[0] != "<"}
        self._folders = tuple(f"{folder.rstrip('/')}/" for folder in folders)
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether there is any: not with a built-in device."""
        return bool(self._files)

    def has(self, code: CodeType) -> bool:
        """Whether code is the device's own."""
        file = code.co_filename
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._is_own(_absolute(file))
        return known

    def has_file(self, file: str) -> bool:
        """Whether the code in a file is the device's own."""
        return self._is_own(_absolute(file))

    def _is_own(self, file: str) -> bool:
        if file in self._files:
            return True
        if file[0] == "<" or _is_built_in(file):
            return False
        # What an environment below the device's folder has installed is not the device's either.
        inside = [file[len(folder) - 1 :] for folder in self._folders if file.startswith(folder)]
        return not any(part in (inside or [file])[0] for part in _INSTALLED)

    def frames(self, frame: FrameType | None) -> Iterator[FrameType]:
        """Yield those of a stack that run code of the device, innermost first."""
        while frame is not None:
            if self.has(frame.f_code):
                yield frame
            frame = frame.f_back


def _absolute(file: str) -> str:
    if file.startswith(_COMPILED):
        return os.path.join(_PACKAGE, file[len(_COMPILED) :])
    return file if file.startswith("<") else os.path.abspath(file)


def _is_built_in(file: str) -> bool:
    """Whether a file is of vblkfuzz, or of Python itself."""
    if file.startswith(_PACKAGE):
        return True
    return file.startswith(_PYTHON) and not any(part in file for part in _INSTALLED)


def _files(device: type) -> Iterator[str]:
    """Yield the files of a class and its bases: of their modules, and of their functions."""
    for base in device.__mro__:
        file = getattr(sys.modules.get(base.__module__), "__file__", None)
        # Not by the place of the file: a PyInstaller bundle has another one for Python's modules.
        if file and base.__module__ not in sys.stdlib_module_names:
            yield file
        for value in vars(base).values():
            code = getattr(inspect.unwrap(_function(value)), "__code__", None)
            if code is not None:
                yield code.co_filename


def _function(value: Any) -> Any:  # noqa: ANN401 -- whatever a class has
    """Return what a property or a class method calls, or the value itself."""
    return getattr(value, "fget", None) or getattr(value, "__func__", value)
