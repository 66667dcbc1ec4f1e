"""Fields of the device that a campaign asks for: all inputs have them, or one is told."""

from __future__ import annotations

from tests.campaign.conftest import Fuzz
from vblkfuzz.campaign.fields import other_fields
from vblkfuzz.launch.plan import WorkerPlan
from vblkfuzz.scenario.codec import decode
from vblkfuzz.targets.model import model


def test_all_inputs_of_a_campaign_have_them(fuzz: Fuzz) -> None:
    options = "--in-order", "--ring", "packed", "--runs", "40", "--seed", "3", "--mode", "inline"
    ended = fuzz("--device", "reference", "--workers", "1", *options)
    assert (ended.status, ended.summary["execs"]) == (0, 40)
    devices = [decode(path.read_bytes()).device for path in (ended.out / "corpus").iterdir()]
    drawn = [one for one in devices if one.in_order and one.ring == "packed"]
    assert len(drawn) >= len(devices) - 1 > 10  # libFuzzer's first input is not drawn


class Old:
    """A started target whose device cannot."""

    in_order = False


def test_a_device_that_has_another_one_is_told() -> None:
    plan = WorkerPlan(0, "reference", "inline", 1, "", fields={"in_order": True, "ring": "split"})
    said = "the device has in_order=False, whatever the campaign asks for"
    assert other_fields(Old(), plan) == said  # type: ignore[arg-type]  # as far as it is asked
    with model("reference", "inline") as target:
        assert other_fields(target, plan) == ""
