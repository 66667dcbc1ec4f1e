"""What the methods of a user's device return: a wrong value is theirs, wherever it is used.

Ours iterate what a method with steps has returned, or count with it. If that fails, the method is
not on the stack any more. So a method or property of the user's that returns something itself is
wrapped when the class is loaded: not a generator function, whose calls return a generator in any
case, and nothing of a built-in device. So an execution pays for it only where such a method is
called.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.dataplane.wrong_return import WrongReturn, code_of
from vblkfuzz.dataplane.wrong_step import GivenSteps, is_generator
from vblkfuzz.targets.class_check import PARTS, has_steps, in_package, is_function, overridden
from vblkfuzz.targets.expected_return import Expected, expected_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk


_STEPS: Final = "steps (yield POINT, yield from, return NO_STEPS)"


def watch_returns(device: type[VirtioBlk]) -> None:
    """Let the methods of a user's device and its parts raise `WrongValue` for a wrong value."""
    for part in (device, *(getattr(device, name) for name in PARTS)):
        for owner in inspect.getmro(part):
            if not in_package(owner):
                _watch(owner)


def _watch(owner: type) -> None:
    for name, value in [*vars(owner).items()]:
        base = overridden(owner, name)
        if isinstance(value, property) and isinstance(base, property):
            if value.fget and base.fget and (expected := expected_of(name, base.fget)):
                setattr(owner, name, value.getter(_with_value(value.fget, name, expected)))
        elif inspect.isfunction(value) and is_function(base) and not name.startswith("__"):
            if inspect.isgeneratorfunction(value):
                continue
            if has_steps(base):
                setattr(owner, name, _with_steps(value, name))
            elif expected := expected_of(name, base):
                setattr(owner, name, _with_value(value, name, expected))


def _with_steps(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    code = code_of(method) or method.__code__

    @wraps(method)
    def watched(self: object, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # as the method
        found = method(self, *args, **more)
        if is_generator(found):
            return found
        try:
            return GivenSteps(iter(found), code)
        except TypeError:
            problem = f"expected {_STEPS}, found {type(found).__name__}"
            raise WrongReturn(self, (name,), problem) from None

    return watched


def _with_value(method: Callable[..., Any], name: str, expected: Expected) -> Callable[..., Any]:
    as_used = expected.as_used

    @wraps(method)
    def watched(self: object, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # as the method
        found = method(self, *args, **more)
        if expected.fits(found):
            return found if as_used is None else as_used(found)
        raise WrongReturn(self, (name,), expected.problem(found))

    return watched
