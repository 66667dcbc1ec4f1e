"""A daemon that hangs: its name says where."""

from __future__ import annotations

import pytest

from tests.conformance.leftovers import nothing_left
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd import operator
from vblkfuzz.targets.qsd.operator import Operator
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.recorder import Recorder

IN_FLIGHT = (op("init"), op("hold"), op("publish_kick"), op("snapshot"), op("release"))


async def ends(self: Operator, operation: Op, recorder: Recorder) -> None:
    """Tell the daemon to quit, with a request in flight in its IOThread."""
    await self._qmp.attempt("quit")


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_deadlock_is_named_by_the_functions_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU 7.2 holds the lock of the AioContext while it waits for the export's requests."""
    methods = list(operator._METHODS)
    methods[CODES["snapshot"]] = ends
    monkeypatch.setattr(operator, "_METHODS", tuple(methods))
    scenario = Scenario(device=DeviceConfig(iothreads=1), ops=IN_FLIGHT)
    with nothing_left(), qsd_target("vhost-user-blk", "processes", TargetOptions()) as target:
        found = [run_scenario(target, scenario) for _ in range(2)]
    for execution in found:
        (violation,) = execution.verdict.violations
        assert violation.rule == "HANG"
        assert violation.signature == "hang-operator-vhost_user_server_stop-aio_co_enter"
        assert "another thread waits in aio_co_enter" in violation.sentence
        assert "  in vhost_user_server_stop\n" in execution.trace.report
