"""All defects by name, family by family: ``vblkfuzz list defects``.

Every other file of this package is a family and has a tuple `FAMILY`.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from vblkfuzz.dataplane.defects.defect import Defect

_PACKAGE: Final = __name__.rpartition(".")[0]
_NO_FAMILY: Final = frozenset({"defect", "plant", "registry"})


def _written() -> list[Defect]:
    """Return all defects, ordered by file name and then by place in the file."""
    path = import_module(_PACKAGE).__path__
    names = sorted(module.name for module in iter_modules(path) if module.name not in _NO_FAMILY)
    return [defect for name in names for defect in import_module(f"{_PACKAGE}.{name}").FAMILY]


DEFECTS: Final[dict[str, Defect]] = {defect.name: defect for defect in _written()}
