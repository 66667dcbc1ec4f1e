"""A device fails the same way each time, by a finding or a harness error, and others run on."""

from __future__ import annotations

import pytest

from tests.process.faulty import FATAL, GOOD, Faulty
from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model

SHORT_S = 0.2
"""Processor time after which an execution hangs, where a hang is wanted: it takes all of that."""


def check_finding(
    mode: str, device: type[Faulty], scenario: Scenario = FATAL, times: int = 3
) -> tuple[Violation, Execution]:
    """The device fails the same way each time, and runs between; return how."""
    with model("faulty", mode, device_class=device) as target:
        right = target.run(GOOD).digest
        found = []
        for _ in range(times):
            execution = run_scenario(target, scenario)
            found.append(execution.trace.digest)
            assert target.run(GOOD).digest == right
        assert len(set(found)) == 1
    (violation,) = execution.verdict.violations
    return violation, execution


def check_error(
    mode: str, device: type[Reference], error: type[HarnessError], why: str, times: int = 3
) -> None:
    with model("faulty", mode, device_class=device) as target:
        right = target.run(GOOD).digest
        for _ in range(times):
            with pytest.raises(HarnessError, match=why) as raised:
                run_scenario(target, FATAL)
            assert raised.type is error
            assert target.run(GOOD).digest == right
