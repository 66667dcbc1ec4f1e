"""Statuses, used lengths and the device id of a real daemon are judged by what the guest finds."""

from __future__ import annotations

import pytest

from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.rig import QsdRig
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.vhost.port import VhostUserPort

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]

INIT, LOOK = op("init"), op("collect")
GET_ID = op("publish_kick", request="get_id")
ANSWERS = (op("publish_kick", request="in", sectors=2), op("publish_kick", request="unsupported"))
BEYOND = op("publish_kick", request="in", sector=250)


class WrongId(VhostUserPort):
    """Takes the disk for another one."""

    def known_id(self) -> int:
        return super().known_id() ^ 1


def signatures(rig: QsdRig, met: set[str]) -> list[str]:
    ops = (INIT, GET_ID, *ANSWERS, LOOK, BEYOND, LOOK, op("reset"), INIT, GET_ID, LOOK)
    with RealTarget("qsd", "vhost-user-blk", rig, rig.port) as target:
        verdict = run_scenario(target, Scenario(ops=ops)).verdict
    assert met <= verdict.situations
    return [one.signature for one in verdict.violations]


def test_what_the_guest_is_told_is_right() -> None:
    lengths = {"length_of_read", "length_of_failed"}
    statuses = {"failure_told", "unsupported_told"}
    assert signatures(QsdRig(TargetOptions()), {*lengths, *statuses, "id_read_after_reset"}) == []


def test_its_id_is_the_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vblkfuzz.targets.qsd.rig.VhostUserPort", WrongId)
    assert signatures(QsdRig(TargetOptions()), {"id_read"}) == ["s23-wrong"]
