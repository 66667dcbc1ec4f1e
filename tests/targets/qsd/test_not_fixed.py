"""Exports that may leave their IOThread: each scenario begins with one that has not left it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.ends import processes
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.rig import QsdRig
from vblkfuzz.targets.qsd.variant import Variant, variant_of
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.kinds import COLLECT
from vblkfuzz.trace.probe import without_probe

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
COLLECTS, RESIZE = op("collect"), op("resize", sectors=9)
SECTION = (op("drain_begin"), WRITE, op("drain_end"))
FREE = DeviceConfig(fixed_iothread=False)


@pytest.mark.parametrize(
    ("iothreads", "fixed", "wanted", "expected"),
    [
        (1, True, None, Variant(True, True)),
        (2, False, None, Variant(True, False)),
        (0, False, None, Variant(False, True)),
        (0, False, True, Variant(True, False)),
        (1, False, False, Variant(False, True)),
    ],
)
def test_the_variant_of_a_scenario(
    iothreads: int, fixed: bool, wanted: bool | None, expected: Variant
) -> None:
    config = DeviceConfig(iothreads=iothreads, fixed_iothread=fixed)
    options = TargetOptions(iothread=wanted)
    assert variant_of(Scenario(device=config), options) == expected


@pytest.fixture(scope="module")
def rig() -> QsdRig:
    return QsdRig(TargetOptions())


@pytest.fixture(scope="module")
def target(rig: QsdRig) -> Iterator[RealTarget]:
    with RealTarget("qsd", "vhost-user-blk", rig, rig.port) as target:
        yield target


def run(target: RealTarget, device: DeviceConfig, *ops: Op) -> Execution:
    return run_scenario(target, Scenario(device, (op("init"), *ops)))


def collected(execution: Execution) -> int:
    events = without_probe(execution.trace.events)
    return sum(event.kind == COLLECT for event in events)


@pytest.mark.realdevice
@NEEDS_QSD
class TestReal:
    @pytest.mark.parametrize("ops", [(WRITE,), SECTION, (op("snapshot"), WRITE)])
    def test_requests_are_served(self, target: RealTarget, ops: tuple[Op, ...]) -> None:
        """Also after an export has left its IOThread, and by the next connection."""
        execution = run(target, FREE, *ops, COLLECTS, READ, COLLECTS)
        names = {one.signature for one in execution.verdict.violations}
        assert not names - {"l6-drained"}  # QEMU 7.2, once the export is in the main loop
        assert "data_read_back" in execution.verdict.situations
        assert collected(execution) == 2

    @pytest.mark.parametrize(
        ("device", "ops", "anew"),
        [
            (FREE, SECTION, True),
            (FREE, (op("snapshot"),), True),
            (FREE, (RESIZE,), True),
            (FREE, (WRITE, op("poll_on"), op("hold"), READ), False),
            (DeviceConfig(), SECTION, False),
            (DeviceConfig(iothreads=0, fixed_iothread=False), SECTION, False),
        ],
    )
    def test_an_export_that_may_have_left_gets_a_new_daemon(
        self, target: RealTarget, rig: QsdRig, device: DeviceConfig, ops: tuple[Op, ...], anew: bool
    ) -> None:
        run(target, device, WRITE)
        before = rig.processes
        run(target, device, *ops)
        run(target, device, WRITE)
        assert rig.processes - before == anew

    def test_only_exports_may_leave(self, target: RealTarget) -> None:
        """The IOThread of a probe is fixed: it stands for that thread."""
        run(target, FREE, WRITE)
        fixed = [
            [word for word in process.cmdline() if "fixed-iothread=on" in word]
            for process in processes("qemu-storage")
        ]
        assert any(len(words) == 1 and "id=probe-io," in words[0] for words in fixed)

    def test_a_resize_with_a_held_request(self, target: RealTarget) -> None:
        """QEMU 7.2 hangs in some runs, with an AioContext locked for ever (gdb)."""
        ops = (op("hold"), WRITE, RESIZE, op("release"), COLLECTS)
        names = {one.signature for one in run(target, FREE, *ops).verdict.violations}
        assert not names - {"hang-operator-aio_co_enter"}
