"""What a method of a device may return, where another value would fail when ours use it.

A condition may be anything that Python takes for true or false, unless it goes into the trace, and
a tuple or list any collection. Ours get it as what it stands for: compiled code takes nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple, get_args

from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.lock import Lock
from vblkfuzz.dataplane.request import Request
from vblkfuzz.scenario.device import Rerror
from vblkfuzz.scenario.op import Op
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.queue import Progress

_SHOWN_BITS: Final = 80
"""Numbers of more bits are not shown."""


class Expected(NamedTuple):
    """Values that can be used."""

    fits: Callable[[Any], bool]
    words: str
    as_used: Callable[[Any], Any] | None = None
    """Makes of one of them what ours use; None: it is that."""

    def problem(self, found: object) -> str:
        """Say that a value does not fit."""
        is_number = isinstance(found, int) and found.bit_length() <= _SHOWN_BITS
        return f"expected {self.words}, found {found if is_number else type(found).__name__}"


def _is(*kinds: type) -> Callable[[object], bool]:
    return lambda found: isinstance(found, kinds)


def _is_below(end: int) -> Callable[[object], bool]:
    return lambda found: isinstance(found, int) and 0 <= found < end


def _is_many(container: type, fits: Callable[[object], bool]) -> Callable[[Any], bool]:
    def fit(found: Any) -> bool:  # noqa: ANN401  # a user may return anything
        return issubclass(type(found), container) and all(map(fits, found))

    return fit


_NONE: Final = type(None)
_STATUS: Final = _is_below(1 << 8)
_BY_TYPE: Final = {
    "int": Expected(_is(int), "a number"),
    "BlkStatus | None": Expected(lambda it: it is None or _STATUS(it), "a BlkStatus or None"),
    "AioContext": Expected(_is(AioContext), "an AioContext"),
    "list[AioContext]": Expected(
        _is_many(Collection, _is(AioContext)), "a list of AioContexts", list
    ),
    "list[Request]": Expected(_is_many(list, _is(Request)), "a list of Requests"),
    "Request | None": Expected(_is(Request, _NONE), "a Request or None"),
    "Chain | None": Expected(_is(Chain, _NONE), "a Chain or None"),
    "Lock | None": Expected(_is(Lock, _NONE), "a Lock or None"),
    "Op | None": Expected(_is(Op, _NONE), "an Op or None"),
    "Progress | None": Expected(_is(Progress, _NONE), "a Progress or None"),
    "Rerror": Expected(get_args(Rerror).__contains__, f"one of {get_args(Rerror)}"),
    "tuple[int, ...]": Expected(
        _is_many(Collection, _is_below(1 << 16)), "a tuple of numbers below 65536", tuple
    ),
    "bool": Expected(lambda _: True, "True or False", bool),
    "None": Expected(lambda _: True, "nothing", lambda _: None),
}
"""By the annotation that our method has."""
_FLAG: Final = Expected(_is(int), "True or False", bool)
_BY_NAME: Final = {
    "host_features": Expected(_is_below(1 << 64), "a number of 64 bits"),
    "needs_bql": _FLAG,
    # One that is always true never lets its loop rest, most often by mistake: a method, a list.
    "poll": Expected(_is(bool), "True or False"),
    "would_be_kicked": _FLAG,
}
"""Where the annotation does not say all of it."""


def expected_of(name: str, ours: Callable[..., Any]) -> Expected | None:
    """Return what is expected of a method or property that replaces ours; None: anything."""
    return _BY_NAME.get(name) or _BY_TYPE.get(str(ours.__annotations__.get("return")))
