"""Statuses, used lengths and the device id of a real daemon are judged by what the guest finds."""

from __future__ import annotations

import pytest

from tests.targets.outcomes import ALL_MET, signatures
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.vhost.port import VhostUserPort

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]


class WrongId(VhostUserPort):
    """Takes the disk for another one."""

    def known_id(self) -> int:
        return super().known_id() ^ 1


def test_what_the_guest_is_told_is_right() -> None:
    target = qsd_target("vhost-user-blk", "processes", TargetOptions())
    assert signatures(target, ALL_MET) == []


def test_its_id_is_the_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vblkfuzz.targets.qsd.rig.VhostUserPort", WrongId)
    target = qsd_target("vhost-user-blk", "processes", TargetOptions())
    assert signatures(target, frozenset({"id_read"})) == ["s23-wrong"]
