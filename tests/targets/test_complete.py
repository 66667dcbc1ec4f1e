"""An operation that a real target forgot is reported, and so is one that it has after all."""

from __future__ import annotations

import pytest

from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.targets.complete import check_complete

ALL = frozenset(spec.name for spec in OPS if spec.owner != "guest")


class Operator:
    def stop(self) -> None:
        pass


def test_each_operation_is_somewhere() -> None:
    check_complete(Operator, ALL - {"stop", "hold"}, ["hold"])


def test_a_forgotten_one() -> None:
    with pytest.raises(
        TypeError, match=r"test_complete: operation cont: expected a method cont of Operator, or "
    ):
        check_complete(Operator, ALL - {"stop", "cont"})


@pytest.mark.parametrize("name", ["stop", "hold"])
def test_one_that_is_carried_out_after_all(name: str) -> None:
    with pytest.raises(TypeError, match=rf"operation {name}: is carried out, so remove it from"):
        check_complete(Operator, (ALL - {"stop", "hold"}) | {name}, ["hold"])
