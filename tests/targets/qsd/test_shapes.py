"""Features and request shapes of a real daemon."""

from __future__ import annotations

import pytest

from tests.targets.qsd.binary import NEEDS_QSD
from tests.targets.shapes import USED, accepted, cache_modes, read_only_answers, wrong_answers
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.virtio.blk import F_CONFIG_WCE, F_FLUSH

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]


def target() -> RealTarget:
    return qsd_target("vhost-user-blk", "processes", TargetOptions())


@pytest.mark.parametrize("indirect", [False, True])
def test_each_shape_is_answered_as_its_row_says(indirect: bool) -> None:
    with target() as real:
        assert list(wrong_answers(real, indirect=indirect)) == []


def test_the_features_that_requests_need_are_accepted() -> None:
    with target() as real:
        assert accepted(real) & USED == USED
        assert accepted(real, "write_cache") & USED == USED & ~(1 << F_FLUSH | 1 << F_CONFIG_WCE)


def test_the_cache_mode_is_read_back() -> None:
    with target() as real:
        assert cache_modes(real) == [0, 1, 0, 0]


@pytest.mark.parametrize("section", ["drain_begin", "mirror_begin"])
def test_a_read_only_disk_refuses_writes(section: str) -> None:
    with target() as real:
        for flags, situations in read_only_answers(real, section):
            assert sorted(flags) == [0, 0, 2, 2, 2]
            assert "write_to_read_only_disk" in situations
