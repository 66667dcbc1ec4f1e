"""What a method of a device returned or left behind cannot be used: it is to blame.

A user's method that returns a wrong value is not on the stack any more when the value is used. So
the error names the method, for `process.blame`.
"""

from __future__ import annotations

from inspect import getattr_static, unwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType


class WrongValue(TypeError):
    """A method of a device gave a value that cannot be used."""

    codes: tuple[CodeType, ...]
    """Code of the methods that may have done it, the last one to have a say first."""


class WrongReturn(WrongValue):
    """A method has returned a value, or left one behind, that cannot be used."""

    def __init__(self, device: object, methods: Sequence[str], problem: str) -> None:
        super().__init__(f"{methods[0]}: {problem}")
        found = (code_of(_method(device, name)) for name in methods)
        self.codes = tuple(code for code in found if code is not None)


def _method(device: object, name: str) -> object:
    """Return a method, or the function of a property, which must not be called here."""
    static = getattr_static(device, name, None)
    return static.fget if isinstance(static, property) else getattr(device, name, None)


def code_of(method: Any) -> CodeType | None:  # noqa: ANN401  # a user's class may have anything
    """Return the code of a method, behind decorators; None: it has none."""
    return getattr(unwrap(method), "__code__", None) if callable(method) else None
