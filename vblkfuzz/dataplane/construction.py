"""Makes the device and its parts; a constructor that cannot be used is to blame, as a method is."""

from __future__ import annotations

from typing import Any, TypeVar

from vblkfuzz.dataplane.wrong_return import WrongValue, code_of
from vblkfuzz.dataplane.wrong_step import was_raised_here

_T = TypeVar("_T")


class WrongConstructor(WrongValue):
    """A class of a device cannot be called, or makes what cannot be used."""

    def __init__(self, made: type, name: str, problem: str) -> None:
        super().__init__(f"{made.__qualname__}.{name}: {problem}")
        methods = (getattr(made, name), made.__init__, made.__new__, type(made).__call__)  # type: ignore[misc]  # to look at
        self.codes = tuple(code for code in map(code_of, methods) if code is not None)


def constructed(
    made: type[_T],
    expected: type,
    last: str,
    *arguments: Any,  # noqa: ANN401  # of any class
    **more: Any,  # noqa: ANN401
) -> _T:
    """Return a new object of a class that may be the user's.

    Args:
        made: the class.
        expected: our class, which it replaces.
        last: the attribute that the constructor of `expected` sets last.
        arguments: those of the constructor.
        more: those with names.

    Raises:
        WrongConstructor: the constructor does not take them, returns something, makes another
            object, or leaves out that of `expected`.
    """
    try:
        found = made(*arguments, **more)
    except TypeError as error:
        if was_raised_here(error):
            raise WrongConstructor(made, "__init__", str(error)) from error
        raise
    if not isinstance(found, expected):
        problem = f"expected a {expected.__name__}, found {type(found).__name__}"
        raise WrongConstructor(made, "__new__", problem)
    if not hasattr(found, last):
        raise WrongConstructor(made, "__init__", "expected a call of super().__init__")
    return found
