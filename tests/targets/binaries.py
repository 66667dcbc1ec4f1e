"""The QEMUs that tests run on: the one on PATH, and those that an environment variable names.

`VBLKFUZZ_QEMU_BINARIES` and `VBLKFUZZ_QSD_BINARIES` are lists of paths, with the separator of PATH.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.targets.binary import version_of

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

Find = Callable[[str], str]
"""Returns the path of a usable binary: `find_qemu`, `find_qsd`."""


def named(variable: str) -> list[str]:
    """Return the paths that a variable lists."""
    return [path for path in os.environ.get(variable, "").split(os.pathsep) if path]


def each(variable: str, find: Find) -> list[ParameterSet]:
    """Return a parameter for each binary, by its version; if there is none, one that is skipped.

    Raises:
        DeviceUnavailable: a binary that the variable names cannot be used.
    """
    found = [find(path) for path in named(variable)]
    try:
        found.insert(0, find(""))
    except DeviceUnavailable as problem:
        if not found:
            return [pytest.param("", id="none", marks=pytest.mark.skip(reason=str(problem)))]
    builds = {os.path.realpath(path): path for path in reversed(found)}
    different = list(reversed(builds.values()))
    names = ids([version_of(path) for path in different])
    return [pytest.param(path, id=name) for path, name in zip(different, names, strict=True)]


def ids(versions: Sequence[str]) -> list[str]:
    """Return versions with a number added to a second build of one.

    >>> ids(["7.2.22", "10.0.13", "7.2.22"])
    ['7.2.22', '10.0.13', '7.2.22-2']
    """
    seen = [versions[:place].count(version) for place, version in enumerate(versions)]
    return [
        f"{version}-{count + 1}" if count else version
        for version, count in zip(versions, seen, strict=True)
    ]
