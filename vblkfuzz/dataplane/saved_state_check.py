"""Checks what a device has saved, and what it has loaded: a user's device may do either wrongly.

A state whose parts cannot be loaded would raise somewhere in the new device, where the method that
made it is no longer on the stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.saved_state import SavedQueue, SavedRequest, SavedState
from vblkfuzz.dataplane.wrong_return import WrongReturn
from vblkfuzz.virtio.layout import F_RING_PACKED, RingLayout
from vblkfuzz.virtio.packed.layout import RingLayout as PackedLayout
from vblkfuzz.virtio.queue import Progress
from vblkfuzz.virtio.request.blk import BlkRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.dataplane.migration import Migration

_U8, _U16, _U32, _U64 = (1 << bits for bits in (8, 16, 32, 64))
_NUMBERS: Final = {"status": _U8, "features": _U64, "generation": _U32}
"""Numbers of a state, and what they stay below."""
_FLAGS: Final = ("broken", "writeback")
_MADE_BY: Final = {"queues": "save_queue", "requests": "save_request", "calls": "pending_calls"}
"""The method that makes a part of the state, unless `save_state` is the device's own."""


def checked_save(device: Migration) -> SavedState:
    """Return what a device saves.

    Raises:
        WrongReturn: it cannot be loaded.
    """
    state: object = device.save_state()
    if not isinstance(state, SavedState):
        raise WrongReturn(device, ("save_state",), _expected("a SavedState", state))
    for part, problem in _problems(state, len(device.ports)):
        methods = ("save_state", *_MADE_BY.get(part.partition("[")[0], "").split())
        raise WrongReturn(device, methods, f"{part}: {problem}")
    return state


def check_loaded(device: Migration) -> None:
    """Check what `load_state` has left in a device.

    Raises:
        WrongReturn: the device cannot go on with it.
    """
    for part, problem in _wrong_numbers(device, ("status", "features"), ("broken",)):
        raise WrongReturn(device, ("load_state",), f"{part}: {problem}")


def _problems(state: SavedState, queues: int) -> Iterator[tuple[str, str]]:
    """Yield parts of a state, and what is wrong with them."""
    yield from _wrong_numbers(state, _NUMBERS, _FLAGS)
    for name in ("queues", "requests", "calls"):
        if not isinstance(getattr(state, name), tuple | list):
            yield name, _expected("a tuple", getattr(state, name))
    if len(state.queues) != queues:
        yield "queues", f"expected {queues}, found {len(state.queues)}"
    for number, queue in enumerate(state.queues):
        if problem := _wrong_queue(queue, packed=bool(state.features >> F_RING_PACKED & 1)):
            yield f"queues[{number}]", problem
    for number, request in enumerate(state.requests):
        if problem := _wrong_request(request, queues):
            yield f"requests[{number}]", problem
    for number, call in enumerate(state.calls):
        if not _is_below(call, queues):
            yield f"calls[{number}]", f"expected the index of a queue, found {call!r}"


def _wrong_numbers(
    holder: object, numbers: dict[str, int] | tuple[str, ...], flags: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Yield attributes that are no numbers or flags, and what is wrong with them."""
    for name in numbers:
        if not _is_below(getattr(holder, name), _NUMBERS[name]):
            most = _NUMBERS[name] - 1
            yield name, f"expected 0 to {most:#x}, found {getattr(holder, name)!r}"
    for name in flags:
        if not _is_below(getattr(holder, name), 2):
            yield name, f"expected True or False, found {getattr(holder, name)!r}"


def _wrong_queue(queue: object, *, packed: bool) -> str:
    if not isinstance(queue, SavedQueue):
        return _expected("a SavedQueue", queue)
    layout: object = queue.layout
    if layout is not None and not isinstance(layout, PackedLayout if packed else RingLayout):
        form = "packed" if packed else "split"
        return f"layout: {_expected(f'the RingLayout of a {form} ring or None', layout)}"
    if not _is_below(queue.last_avail, _U16):
        return f"last_avail: expected 0 to 0xffff, found {queue.last_avail!r}"
    return _wrong_progress(queue.progress) if packed and layout is not None else ""


def _wrong_progress(progress: object) -> str:
    if not isinstance(progress, Progress):
        return f"progress: {_expected('a Progress', progress)}"
    for name in ("avail", "used", "used_idx"):
        if not _is_below(getattr(progress, name), _U16):
            found = getattr(progress, name)
            return f"progress.{name}: expected 0 to 0xffff, found {found!r}"
    if not _are_lengths(progress.lengths):
        return f"progress.lengths: expected pairs of numbers, found {progress.lengths!r}"
    return ""


def _are_lengths(lengths: object) -> bool:
    """Whether they are ids, each with a number of descriptors."""
    return isinstance(lengths, tuple) and all(
        isinstance(pair, tuple) and len(pair) == 2 and all(_is_below(one, _U16) for one in pair)
        for pair in lengths
    )


def _wrong_request(request: object, queues: int) -> str:
    if not isinstance(request, SavedRequest):
        return _expected("a SavedRequest", request)
    if not _is_below(request.queue, queues):
        return f"queue: expected the index of a queue, found {request.queue!r}"
    blk: object = request.blk
    if not isinstance(blk, BlkRequest):
        return f"blk: {_expected('a BlkRequest', blk)}"
    for name, end in (("head", _U16), ("serial", _U64), ("epoch", _U64), ("length", _U32)):
        if not _is_below(getattr(request, name), end):
            return f"{name}: expected a number, found {getattr(request, name)!r}"
    return ""


def _is_below(value: object, end: int) -> bool:
    return isinstance(value, int) and 0 <= value < end


def _expected(what: str, found: object) -> str:
    return f"expected {what}, found {type(found).__name__}"
