"""All defects by name, family by family: ``vblkfuzz list defects``.

Every other file of this package is a family and has a tuple `FAMILY`. They are imported when a
defect is looked up: most devices have none, and a worker would instrument them all at its start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vblkfuzz.dataplane.defects.defect import Defect

_PACKAGE: Final = __name__.rpartition(".")[0]
_NO_FAMILY: Final = frozenset({"defect", "plant", "registry"})


def _written() -> list[Defect]:
    """Return all defects, ordered by file name and then by place in the file."""
    path = import_module(_PACKAGE).__path__
    names = sorted(module.name for module in iter_modules(path) if module.name not in _NO_FAMILY)
    return [defect for name in names for defect in _family(name)]


def _family(name: str) -> tuple[Defect, ...]:
    module = import_module(f"{_PACKAGE}.{name}")
    if not hasattr(module, "FAMILY"):
        raise TypeError(f"{module.__file__}: expected FAMILY = (Defect(...), ...), found none")
    family: tuple[Defect, ...] = module.FAMILY
    return family


def by_name(defects: list[Defect]) -> dict[str, Defect]:
    """Return defects by name.

    Raises:
        ValueError: two of them have the same name.
    """
    found: dict[str, Defect] = {}
    for defect in defects:
        if defect.name in found:
            raise ValueError(f"defect {defect.name}: two defects have this name")
        found[defect.name] = defect
    return found


class _Defects(Mapping[str, "Defect"]):
    """All defects by name."""

    @cached_property
    def _by_name(self) -> dict[str, Defect]:
        return by_name(_written())

    def __getitem__(self, name: str) -> Defect:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


DEFECTS: Final[Mapping[str, Defect]] = _Defects()
