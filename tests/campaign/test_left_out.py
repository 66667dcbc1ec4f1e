"""Operations that a campaign leaves out of its inputs."""

from __future__ import annotations

import pytest

from vblkfuzz.campaign.left_out import begun_by, decoded
from vblkfuzz.scenario.alphabet.ops import OPS as ALPHABET
from vblkfuzz.scenario.alphabet.spec import OpSpec
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario

OPS = (op("init"), op("stop"), op("publish_kick"), op("stop"), op("reset"))
STEERED = Scenario(ops=OPS, schedule=(Deviation(1, 0, Go.MAIN), Deviation(4, 2, Go.VCPU)))


def test_the_others_stay_with_their_deviations() -> None:
    scenario, data = decoded(encode(STEERED), ["stop", "kick"])
    assert scenario.ops == (op("init"), op("publish_kick"), op("reset"))
    assert scenario.schedule == (Deviation(2, 2, Go.VCPU),)
    assert decode(data) == scenario


def test_an_input_without_them_is_as_it_was() -> None:
    data = encode(STEERED) + b"rest"
    assert decoded(data, ["kick"]) == (STEERED, data)


@pytest.mark.parametrize("begin", [spec for spec in ALPHABET if spec.end], ids=lambda one: one.name)
def test_what_an_operation_ends_goes_with_it(begin: OpSpec) -> None:
    """Else the epilogue would carry it out all the same."""
    assert begun_by([begin.end])[begin.name] == begin.end
    assert begun_by([begin.name, begin.end]) == {}


def test_an_operation_that_ends_nothing_goes_alone() -> None:
    assert begun_by(["save", "publish", "reset"]) == {}
