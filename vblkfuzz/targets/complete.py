"""Whether a real target carries out each operation, or says that it has no such operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.scenario.alphabet.ops import OPS

if TYPE_CHECKING:
    from collections.abc import Collection


def check_complete(operator: type, without: Collection[str], others: Collection[str] = ()) -> None:
    """Check the operations of operator, backend and environment; those of the guest have a driver.

    Args:
        operator: the class with a method for each operation, of the operation's name.
        without: as in `TargetKind.without`.
        others: names of operations that another part of the target carries out.

    Raises:
        TypeError: an operation is missing from all three, or is in `without` and has a method.
    """
    for spec in OPS:
        if spec.owner == "guest":
            continue
        place = f"{operator.__module__}: operation {spec.name}"
        carried_out = hasattr(operator, spec.name) or spec.name in others
        if not carried_out and spec.name not in without:
            raise TypeError(
                f"{place}: expected a method {spec.name} of {operator.__name__}, "
                "or the name in the target's WITHOUT"
            )
        if carried_out and spec.name in without:
            raise TypeError(f"{place}: is carried out, so remove it from the target's WITHOUT")
