"""What the methods of a user's device return: a wrong value is theirs, wherever it is used.

Ours iterate what a method with steps has returned, or count with it. If that fails, the method is
not on the stack any more. So a method of the user's that returns something itself is wrapped when
the class is loaded: not a generator function, whose calls return a generator in any case, and
nothing of a built-in device. So an execution pays for it only where such a method is called.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vblkfuzz.dataplane.wrong_return import WrongReturn
from vblkfuzz.targets.class_check import PARTS, has_steps, in_package, overridden

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk


class _Expected(NamedTuple):
    kinds: tuple[type, ...]
    """Empty: anything that can be iterated."""
    words: str


_STEPS: Final = _Expected((), "steps (yield POINT, yield from, return NO_STEPS)")
_VALUES: Final = {
    "int": _Expected((int,), "a number"),
    "BlkStatus | None": _Expected((int, type(None)), "a BlkStatus or None"),
}
"""By the annotation that our method has."""


def watch_returns(device: type[VirtioBlk]) -> None:
    """Let the methods of a user's device and its parts raise `WrongReturn` for a wrong value."""
    for part in (device, *(getattr(device, name) for name in PARTS)):
        for owner in inspect.getmro(part):
            if not in_package(owner):
                _watch(owner)


def _watch(owner: type) -> None:
    for name, value in [*vars(owner).items()]:
        base = overridden(owner, name)
        if inspect.isfunction(value) and inspect.isfunction(base):
            said = str(base.__annotations__.get("return"))
            expected = _STEPS if has_steps(base) else _VALUES.get(said)
            if expected and not inspect.isgeneratorfunction(value):
                setattr(owner, name, _watched(value, name, expected))


def _watched(method: Callable[..., Any], name: str, expected: _Expected) -> Callable[..., Any]:
    kinds = expected.kinds

    @wraps(method)
    def watched(self: object, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # as the method
        found = method(self, *args, **more)
        if isinstance(found, kinds) if kinds else hasattr(found, "__iter__"):
            return found
        problem = f"expected {expected.words}, found {type(found).__name__}"
        raise WrongReturn(self, (name,), problem)

    return watched
