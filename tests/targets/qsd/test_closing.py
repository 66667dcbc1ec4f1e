"""A drained section that ends while the backend holds: what is seen does not depend on the clock.

QEMU ends a long section in two steps (`targets.qsd.operator`), and an IOThread may dequeue between
them or after. Held flushes of the second step would make that visible, in one run of three.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.outline import outline
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]

REPEATS = 30
SECTIONS = [(op("mirror_begin"), op("mirror_finish")), (op("drain_begin"), op("drain_end"))]


@pytest.fixture(scope="module")
def target() -> Iterator[RealTarget]:
    with qsd_target("vhost-user-blk", "processes", TargetOptions()) as target:
        yield target


@pytest.mark.parametrize("after", ["flush", "complete", "release", "drain_begin", "reset"])
@pytest.mark.parametrize("request_kind", ["out", "in", "flush", "write_zeroes"])
@pytest.mark.parametrize(("begin", "end"), SECTIONS)
def test_what_is_seen_after_it_is_always_the_same(
    target: RealTarget, begin: Op, end: Op, request_kind: str, after: str
) -> None:
    publish = op("publish_kick", request=request_kind)
    ops = (op("init"), begin, op("hold"), publish, end, op(after), op("release"))
    for event_idx in (False, True):
        scenario = Scenario(DeviceConfig(iothreads=1, event_idx=event_idx), ops)
        seen = {outline(run_scenario(target, scenario)) for _ in range(REPEATS)}
        assert len(seen) == 1
