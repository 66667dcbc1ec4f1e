"""What the methods of a user's device return: a wrong value is theirs, wherever it is used.

Ours iterate what a method with steps has returned, or count with it. If that fails, the method is
not on the stack any more. So a method of the user's that returns something itself is wrapped when
the class is loaded: not a generator function, whose calls return a generator in any case, and
nothing of a built-in device. So an execution pays for it only where such a method is called.
"""

from __future__ import annotations

import inspect
from functools import wraps
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vblkfuzz.dataplane.wrong_return import WrongReturn, code_of
from vblkfuzz.dataplane.wrong_step import GivenSteps
from vblkfuzz.targets.class_check import PARTS, has_steps, in_package, overridden

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk


class _Expected(NamedTuple):
    kinds: tuple[type, ...]
    words: str


_STEPS: Final = "steps (yield POINT, yield from, return NO_STEPS)"
_VALUES: Final = {
    "int": _Expected((int,), "a number"),
    "BlkStatus | None": _Expected((int, type(None)), "a BlkStatus or None"),
}
"""By the annotation that our method has."""


def watch_returns(device: type[VirtioBlk]) -> None:
    """Let the methods of a user's device and its parts raise `WrongValue` for a wrong value."""
    for part in (device, *(getattr(device, name) for name in PARTS)):
        for owner in inspect.getmro(part):
            if not in_package(owner):
                _watch(owner)


def _watch(owner: type) -> None:
    for name, value in [*vars(owner).items()]:
        base = overridden(owner, name)
        if inspect.isfunction(value) and inspect.isfunction(base):
            if inspect.isgeneratorfunction(value):
                continue
            if has_steps(base):
                setattr(owner, name, _with_steps(value, name))
            elif expected := _VALUES.get(str(base.__annotations__.get("return"))):
                setattr(owner, name, _with_value(value, name, expected))


def _with_steps(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    code = code_of(method) or method.__code__

    @wraps(method)
    def watched(self: object, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # as the method
        found = method(self, *args, **more)
        if isinstance(found, GeneratorType):
            return found
        try:
            return GivenSteps(iter(found), code)
        except TypeError:
            raise WrongReturn(self, (name,), _problem(_STEPS, found)) from None

    return watched


def _with_value(method: Callable[..., Any], name: str, expected: _Expected) -> Callable[..., Any]:
    @wraps(method)
    def watched(self: object, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # as the method
        found = method(self, *args, **more)
        if isinstance(found, expected.kinds):
            return found
        raise WrongReturn(self, (name,), _problem(expected.words, found))

    return watched


def _problem(words: str, found: object) -> str:
    return f"expected {words}, found {type(found).__name__}"
