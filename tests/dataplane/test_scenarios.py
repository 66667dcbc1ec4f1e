"""Known bugs of QEMU's history, one short scenario each, on patch-v4 and on the reference.

Most are also in corpus/regress. The table here has the rule that each bug breaks and the causal
path. For a bug that a later revision introduced, patch-v4 must be clean.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from vblkfuzz.oracle.judge import judge
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.model import model

INIT, RESET, STOP, CONT = op("init"), op("reset"), op("stop"), op("cont")
BEGIN, END = op("drain_begin"), op("drain_end")
WRITE, READ = op("publish_kick", request="out", sector=3), op("publish_kick")
CLEANUP = "stop > cleanup_host_notifier > host_notifier_read"
POLLING = DeviceConfig(polling=True)
DIRECT = DeviceConfig(ioeventfd=False)


class Bug(NamedTuple):
    """A scenario, and the violation that patch-v4 has in it."""

    name: str
    rule: str
    path: str
    ops: tuple[Op, ...]
    device: DeviceConfig = DeviceConfig()
    schedule: tuple[Deviation, ...] = ()

    @property
    def scenario(self) -> Scenario:
        return Scenario(self.device, self.ops, self.schedule)


BUGS = (
    Bug("B1 guest reset", "S1", f"reset > {CLEANUP}", (INIT, BEGIN, WRITE, RESET)),
    Bug(
        "B1 system_reset",
        "S1",
        f"system_reset > reset > {CLEANUP}",
        (INIT, BEGIN, WRITE, op("system_reset")),
    ),
    Bug("B1 stop", "S1", f"vm_stop > {CLEANUP}", (INIT, BEGIN, WRITE, STOP)),
    Bug("B1 begin again", "S1", f"reset > {CLEANUP}", (INIT, BEGIN, WRITE, INIT)),
    Bug(
        "B1 in a mirror job",
        "S1",
        f"reset > {CLEANUP}",
        (INIT, op("mirror_begin"), WRITE, RESET, op("mirror_finish")),
    ),
    Bug("B1 the write is done", "S4", "", (INIT, BEGIN, WRITE, RESET, INIT, END)),
    Bug("B1 a stale push", "S6", "complete", (INIT, BEGIN, WRITE, RESET, INIT, END)),
    Bug("B1 what the guest sees", "S6", "", (INIT, BEGIN, WRITE, INIT, END, op("collect"))),
    Bug("B1 left in use", "S7", "reset", (INIT, BEGIN, WRITE, RESET)),
    Bug("B1 inuse underflows", "S7", "complete", (INIT, BEGIN, WRITE, RESET, INIT, END)),
    Bug("B1b direct kick", "S4", "", (INIT, BEGIN, WRITE, RESET, END), DIRECT),
    Bug("B2 start", "S8", "start", (INIT,)),
    Bug("B2 stop", "S8", "reset > stop", (INIT, RESET)),
    Bug(
        "B2 the main loop dequeues",
        "S1",
        "host_notifier_read",
        (INIT, op("init", how="no_driver_ok"), BEGIN, READ),
    ),
    Bug(
        "B3 handler behind the lock",
        "S1",
        "host_notifier_read",
        (INIT, READ, BEGIN),
        schedule=(Deviation(1, 0, Go.NEXT), Deviation(2, 4, Go.IO0)),
    ),
    Bug("B4 lost wake-up", "L1", "", (INIT, READ, BEGIN, END, READ), POLLING),
    Bug("B4b no kick after attach", "L1", "", (INIT, READ, BEGIN, READ, END), POLLING),
    Bug(
        "B7 drain again at once",
        "S2",
        "",
        (INIT, BEGIN, READ, END, BEGIN),
        DIRECT,
        (Deviation(3, 0, Go.NEXT),),
    ),
    Bug("B13 failed start", "S8", "drained_end", (op("start_fail"), INIT, BEGIN, END)),
    Bug(
        "B38 queue reset in flight",
        "S6",
        "complete",
        (INIT, op("hold"), WRITE, op("queue_reset"), op("complete")),
    ),
)

LATER_BUGS = (
    Bug("B5 start in drain", "L1", "", (BEGIN, INIT, READ, END)),
    Bug("B8 park and drain again", "L2", "", (INIT, BEGIN, READ, BEGIN, END), DIRECT),
    Bug(
        "B16 retry list and reset",
        "S4",
        "",
        (INIT, op("hold"), WRITE, op("complete", result="eio"), op("system_reset"), CONT),
        DeviceConfig(werror="stop"),
    ),
    Bug("B23 poll in drain", "S1", "", (INIT, READ, BEGIN, op("publish"), END), POLLING),
    Bug("B28 broken device spins", "L5", "", (INIT, op("hostile", content="loop")), POLLING),
)


def name(bug: Bug) -> str:
    return bug.name


def violations(device: str, scenario: Scenario) -> tuple[Violation, ...]:
    with model(device, "inline") as target:
        return judge(scenario, target.run(scenario)).violations


@pytest.mark.parametrize("bug", BUGS, ids=name)
def test_the_seed_has_it(bug: Bug) -> None:
    found = {(each.rule, each.path) for each in violations("patch-v4", bug.scenario)}
    assert (bug.rule, bug.path) in found


@pytest.mark.parametrize("bug", BUGS + LATER_BUGS, ids=name)
def test_the_reference_has_not(bug: Bug) -> None:
    assert violations("reference", bug.scenario) == ()


@pytest.mark.parametrize("bug", LATER_BUGS, ids=name)
def test_the_seed_has_not_either(bug: Bug) -> None:
    assert bug.rule not in {each.rule for each in violations("patch-v4", bug.scenario)}


def test_stop_and_cont_heal_the_lost_wake_up() -> None:
    scenario = Scenario(POLLING, (INIT, READ, BEGIN, END, READ, STOP, CONT))
    assert "L1" not in {each.rule for each in violations("patch-v4", scenario)}


@pytest.mark.parametrize("device", ["patch-v4", "reference"])
@pytest.mark.parametrize("iothreads", [0, 1, 2])
def test_a_drain_alone_does_no_harm(device: str, iothreads: int) -> None:
    ops = (INIT, WRITE, BEGIN, READ, BEGIN, END, END, op("collect"))
    found = violations(device, Scenario(DeviceConfig(iothreads=iothreads), ops))
    assert {each.rule for each in found} <= ({"S8"} if device == "patch-v4" else set())
