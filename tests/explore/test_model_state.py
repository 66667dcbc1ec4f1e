"""The fingerprint of a state: equal for equal states, different for what goes on differently."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import pytest

from tests.pure_build import states_compared
from vblkfuzz.explore import model_state
from vblkfuzz.explore.branches import Branches
from vblkfuzz.explore.model_state import fingerprint
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel


class Part:
    def __init__(self, value: object) -> None:
        self.value = value


class Slotted:
    __slots__ = ("__hidden", "left", "value")

    def __init__(self, value: object) -> None:
        self.value = value
        self.__hidden = value


def counting(to: int, start: int = 0) -> Iterator[int]:
    for number in range(start, to):
        found = [number]
        yield number
        for each in (1, 2, 3):
            yield each + len(found)
        found.append(number)


def advanced(iterator: Iterator[Any], steps: int) -> Iterator[Any]:
    for _ in range(steps):
        next(iterator)
    return iterator


def nested(inner: Iterator[int]) -> Iterator[int]:
    yield from inner


def closure(value: object) -> object:
    return lambda: value


def shared() -> list[Part]:
    part = Part(1)
    return [part, part]


UNLIKE = [
    (Part(1), Part(2)),
    (Slotted(1), Slotted(2)),
    ([1, 2], [2, 1]),
    ((1,), [1]),
    (deque([1]), deque([2])),
    ({1: 2}, {1: 3}),
    ({1: 2, 3: 4}, {3: 4, 1: 2}),
    ({1, 2}, {1, 3}),
    (bytes(100), bytes(101)),
    (bytearray(40), bytearray(39) + b"x"),
    (slice(1, 2), slice(1, 3)),
    (shared(), [Part(1), Part(1)]),
    (closure(1), closure(2)),
    (partial(max, 1), partial(max, 2)),
    (Part(1).__init__, Part(2).__init__),  # type: ignore[misc]  # a bound method
    (counting(9), advanced(counting(9), 1)),
    (advanced(counting(9), 2), advanced(counting(9), 3)),
    (advanced(counting(9), 1), advanced(counting(9), 5)),
    (advanced(counting(9, 1), 1), advanced(counting(9, 2), 1)),
    (advanced(counting(2), 1), advanced(counting(1), 1)),
    (advanced(nested(counting(9)), 2), advanced(nested(counting(9)), 3)),
    (advanced(iter([1, 2, 3]), 1), advanced(iter([1, 2, 3]), 2)),
    (advanced(enumerate("abc"), 1), advanced(enumerate("abc"), 2)),
]


@pytest.mark.parametrize(("one", "two"), UNLIKE)
def test_what_differs_has_another_fingerprint(one: object, two: object) -> None:
    assert fingerprint(one) != fingerprint(two)
    assert fingerprint(one) == fingerprint(one)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Part([Part(1), {"a": (1, 2.0, None)}]),
        lambda: Slotted(b"x" * 99),
        lambda: advanced(counting(5), 6),
        lambda: advanced(nested(counting(5)), 6),
        lambda: (closure(3), shared(), {3, 1, 2}, memoryview(b"abc"), slice(1, 2)),
    ],
)
def test_what_is_alike_has_one_fingerprint(make: Any) -> None:  # noqa: ANN401
    assert fingerprint(make()) == fingerprint(make())


def test_what_is_not_known_is_unlike_anything() -> None:
    unknown = iter("a".encode, b"")
    assert fingerprint(unknown) != fingerprint(unknown)


@states_compared
@pytest.mark.parametrize("device", ["reference", "patch-v4", "qemu-10.2"])
def test_nothing_in_a_model_is_unknown(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unlike = count()
    monkeypatch.setattr(model_state, "_unlike", unlike)
    words = "init hold publish_kick drain_begin reset poll_on stop"
    with model(device, "inline") as target:
        assert isinstance(target, InlineModel)
        branches = Branches(target, DeviceConfig(queues=2, iothreads=2, polling=True), 1)
        starts = [()]
        for end in range(1, 8):
            story = tuple(map(op, words.split()[:end]))
            starts = branches.explore(story, starts[:3], judged=False).onward  # type: ignore[assignment]
    assert next(unlike) == 0
