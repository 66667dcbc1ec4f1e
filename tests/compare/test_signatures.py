"""Signatures of one binary only: new, gone, unsteady, of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.triage.unsteady import Unsteady
from vblkfuzz.compare.inputs import Input
from vblkfuzz.compare.signatures import BASE, PATCHED, Signatures
from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.target import Target

INPUT = Input(
    "reset", Scenario(ops=(op("init"), op("drain_begin"), op("publish_kick"), op("reset")))
)
S1 = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"


class Targets:
    """Starts devices whose bug shows in every n-th run; 0: in none."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, *every: int, error: Exception | None = None) -> list[Target]:
        return [
            self._stack.enter_context(Unsteady(each or 10**9, error if each else None))
            for each in every
        ]


@pytest.fixture
def targets() -> Iterator[Targets]:
    with ExitStack() as stack:
        yield Targets(stack)


def test_new(targets: Targets) -> None:
    found = Signatures(targets(0, 1), repeat=4)
    assert S1 in found.add(INPUT)
    one = found.of(PATCHED)[S1]
    assert (one.input, one.shown, one.runs) == ("reset", 4, 4)
    assert found.of(BASE) == {}
    assert found.both == []


def test_gone(targets: Targets) -> None:
    found = Signatures(targets(1, 0), repeat=4)
    found.add(INPUT)
    assert S1 in found.of(BASE)
    assert found.of(PATCHED) == {}


def test_of_both(targets: Targets) -> None:
    found = Signatures(targets(1, 1), repeat=4)
    assert found.add(INPUT) == []
    assert found.candidates == {}
    assert S1 in found.both


def test_a_new_one_is_reported_once(targets: Targets) -> None:
    found = Signatures(targets(0, 1), repeat=4)
    found.add(INPUT)
    assert found.add(INPUT) == []
    assert found.inputs == 2


def test_one_that_does_not_repeat_is_unsteady(targets: Targets) -> None:
    found = Signatures(targets(0, 3), repeat=4)
    for _ in range(3):
        assert found.add(INPUT) == []
    assert found.of(PATCHED) == {}
    one = found.of(PATCHED, steady=False)[S1]
    assert (one.shown, one.runs, one.tests) == (1, 4, 1)


def test_it_is_put_to_the_test_three_times(targets: Targets) -> None:
    found = Signatures(targets(0, 3), repeat=4)
    for _ in range(40):
        found.add(INPUT)
    assert found.of(PATCHED, steady=False)[S1].tests == 3


def test_the_base_shows_it_later(targets: Targets) -> None:
    found = Signatures(targets(12, 1), repeat=4)
    assert S1 in found.add(INPUT)
    for _ in range(10):
        found.add(INPUT)
    assert S1 not in found.candidates
    assert S1 in found.both


def test_the_base_shows_it_in_the_test(targets: Targets) -> None:
    found = Signatures(targets(3, 1), repeat=4)
    assert S1 not in found.add(INPUT)
    assert S1 in found.both


def test_a_run_that_cannot_be_judged(targets: Targets) -> None:
    found = Signatures(targets(0, 2, error=HarnessError("lost")), repeat=4)
    assert found.add(INPUT) == []
    assert [(one.input, one.side, one.error) for one in found.not_judged] == [
        ("reset", PATCHED, "lost")
    ]
