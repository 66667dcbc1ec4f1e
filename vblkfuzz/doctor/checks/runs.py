"""One scenario on a target, from its start to its end: what no other check can foresee."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.doctor.check import Found, no, yes
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.binary import ProgramUnusable
from vblkfuzz.targets.registry import default_device, open_target

if TYPE_CHECKING:
    from vblkfuzz.targets.options import TargetOptions


def run_on(target: str, device: str, options: TargetOptions) -> Found:
    """Start a target, send one request to its device, and judge what happened.

    A verdict is all that counts: a real device may have bugs.
    """
    scenario = Scenario(ops=(op("init"), op("publish_kick")))
    try:
        with open_target(target, device or default_device(target), "processes", options) as started:
            verdict = run_scenario(started, scenario).verdict
    except ProgramUnusable:
        return no("not tried: there is no usable program", f"see {target} above")
    except HarnessError as error:
        return no(error.sentence)
    broken = ", ".join(one.signature for one in verdict.violations)
    return yes(f"one request shows {broken}" if broken else "one request is served")
