"""All operations of all owners, by code."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.alphabet.backend import BACKEND
from vblkfuzz.scenario.alphabet.environment import ENVIRONMENT
from vblkfuzz.scenario.alphabet.guest import GUEST
from vblkfuzz.scenario.alphabet.operator import OPERATOR
from vblkfuzz.scenario.alphabet.spec import DRAINED, ENDLESS, SAVED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vblkfuzz.scenario.alphabet.spec import OpSpec, Owner

_BY_OWNER: Final[Mapping[Owner, tuple[OpSpec, ...]]] = MappingProxyType(
    {"guest": GUEST, "operator": OPERATOR, "backend": BACKEND, "environment": ENVIRONMENT}
)

_NO_END: Final = (
    "expected end=, the operation that clears what it sets "
    "(or its bit in ENDLESS of alphabet/spec.py)"
)
_ABOVE: Final = (
    "a bit that it names is not below DRAINED, which must stay the highest in alphabet/spec.py"
)


def in_order(rows: list[OpSpec]) -> tuple[OpSpec, ...]:
    """Return the rows sorted by code.

    Raises:
        ValueError: two rows have the same code or name, a code is missing, an operation has no end
            and should, or a bit is not below DRAINED.
    """
    ordered = sorted(rows, key=lambda spec: spec.code)
    for code, spec in enumerate(ordered):
        if spec.code != code:
            raise ValueError(f"operation {spec.name}: expected code {code}, found {spec.code}")
        if spec.sets & ~ENDLESS and not spec.end:
            raise ValueError(f"alphabet/{spec.owner}.py: operation {spec.name}: {_NO_END}")
        if (spec.needs | spec.excludes | spec.sets | spec.clears) >= 2 * DRAINED:
            raise ValueError(f"alphabet/{spec.owner}.py: operation {spec.name}: {_ABOVE}")
    names = [spec.name for spec in ordered]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"operation {twice[0]}: two rows have this name")
    return tuple(ordered)


OPS: Final = in_order(
    [replace(spec, owner=owner) for owner, rows in _BY_OWNER.items() for spec in rows]
)

CODES: Final = {spec.name: spec.code for spec in OPS}

PUBLISHES: Final = frozenset((CODES["publish"], CODES["publish_kick"]))
"""Codes of the operations that make a well-formed request available."""

NOT_WHILE_SAVED = frozenset(spec.code for spec in OPS if spec.excludes & SAVED)
"""Codes of the operations that do nothing while the VM is saved: its disk and its run state belong
to another one then."""
