"""Real QEMU with disks whose requests are held, fail, or are retried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.conformance.leftovers import nothing_left
from tests.conformance.outline import difference, outline, races
from tests.targets.outcomes import but_spins
from tests.targets.qemu.binary import EACH_QEMU
from tests.targets.qemu.broken_rings import spared
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    END,
    HANG,
    IO_DONE,
    OP,
    POP,
    PUSH,
    RESET_CALL,
    RESET_RET,
    RESIZE,
    RESTORED,
    SAVED,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.probe import EPILOGUE, without_probe
from vblkfuzz.trace.witness import Witness

pytestmark = pytest.mark.realdevice

INIT, LOOK, HOLD, RELEASE = op("init"), op("collect"), op("hold"), op("release")
WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
FAIL = op("complete", which="all", result="eio")
OPENS = [(op("mirror_begin"), op("mirror_finish")), (op("drain_begin"), op("drain_end"))]
THREADS = pytest.mark.parametrize("iothreads", [0, 1])
REPEATS = 10


@pytest.fixture(scope="module", params=EACH_QEMU)
def rig(request: pytest.FixtureRequest) -> QemuRig:
    return QemuRig(TargetOptions(qemu_binary=request.param))


@pytest.fixture(scope="module")
def target(rig: QemuRig) -> Iterator[QemuTarget]:
    with nothing_left(), QemuTarget("qemu", "d", rig, rig.port) as target:
        yield target


def run(target: QemuTarget, *ops: Op, **device: Any) -> Execution:  # noqa: ANN401 -- fields
    return run_scenario(target, Scenario(DeviceConfig(**device), (INIT, *ops)))


def kinds(execution: Execution, *some: int) -> list[int]:
    return [event.kind for event in without_probe(execution.trace.events) if event.kind in some]


def epilogue(execution: Execution) -> list[int]:
    events = without_probe(execution.trace.events)
    return [event.flag for event in events if event.kind == OP and event.head == EPILOGUE]


@THREADS
def test_a_request_ends_when_it_is_released(target: QemuTarget, iothreads: int) -> None:
    execution = run(target, HOLD, WRITE, LOOK, RELEASE, LOOK, READ, LOOK, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    seen = kinds(execution, OP, POP, PUSH)
    assert seen[1:8] == [OP, OP, POP, OP, OP, PUSH, OP]
    assert Witness.DISK in execution.trace.witnesses
    assert "data_read_back" in execution.verdict.situations


def test_only_a_scenario_that_holds_runs_there(rig: QemuRig, target: QemuTarget) -> None:
    run(target, WRITE, RELEASE, FAIL, op("flush"))
    assert rig.machine.qemu.variant.nbd is None
    run(target, HOLD)
    assert rig.machine.qemu.variant.nbd is not None


@THREADS
@pytest.mark.parametrize(("begin", "end"), OPENS)
def test_a_drain_waits_for_a_held_request(
    target: QemuTarget, begin: Op, end: Op, iothreads: int
) -> None:
    """Its main loop answers nothing until then, so what the guest does comes later."""
    ops = (HOLD, WRITE, begin, READ, RELEASE, LOOK, end, LOOK)
    for _ in range(REPEATS):
        execution = run(target, *ops, iothreads=iothreads)
        assert not but_spins(execution.verdict)
        seen = kinds(execution, DRAIN_CALL, PUSH, DRAIN_RET, DRAIN_END, POP)
        assert seen == [POP, DRAIN_CALL, PUSH, DRAIN_RET, DRAIN_END, POP, PUSH]


@THREADS
@pytest.mark.parametrize("ends", [(), (op("drain_end"),)])
def test_what_an_operation_causes_is_named_by_it_however_late_it_begins(
    target: QemuTarget, ends: tuple[Op, ...], iothreads: int
) -> None:
    """The section in the section waits for a flush that is held, so the reset begins later."""
    ops = (op("drain_begin"), WRITE, HOLD, op("drain_begin"), *ends, op("system_reset"))
    execution = run(target, *ops, op("release"), iothreads=iothreads)
    seen = kinds(execution, POP, DRAIN_RET, RESET_CALL, RESET_RET)
    assert seen[:5] == [DRAIN_RET, DRAIN_RET, RESET_CALL, POP, RESET_RET]
    paths = [event.path for event in execution.trace.events if event.kind == POP]
    assert paths[0] == Frame.SYSTEM_RESET


@pytest.mark.parametrize("ioeventfd", [False, True])
def test_what_is_pushed_in_a_stopped_vm_is_named_by_the_end_of_the_section(
    target: QemuTarget, ioeventfd: bool
) -> None:
    """The kick or the stop has dequeued the request, and the end of the section submits it."""
    ops = (op("drain_begin"), WRITE, op("stop"), HOLD, op("drain_end"), RELEASE, op("cont"))
    execution = run(target, *ops, iothreads=0, ioeventfd=ioeventfd)
    assert kinds(execution, VM_STOP_RET, PUSH, VM_CONT) == [VM_STOP_RET, PUSH, VM_CONT]
    paths = [event.path for event in execution.trace.events if event.kind == PUSH]
    assert paths[0] == Frame.DRAINED_END


@THREADS
def test_a_stop_waits_for_a_held_request(target: QemuTarget, iothreads: int) -> None:
    for _ in range(REPEATS):
        execution = run(
            target, HOLD, WRITE, op("stop"), RELEASE, op("cont"), LOOK, iothreads=iothreads
        )
        assert not but_spins(execution.verdict)
        seen = kinds(execution, VM_STOP_CALL, PUSH, VM_STOP_RET, VM_CONT)
        assert seen == [VM_STOP_CALL, PUSH, VM_STOP_RET, VM_CONT]


@THREADS
@pytest.mark.parametrize("reset", [op("reset"), op("system_reset")])
def test_a_reset_waits_for_a_held_request(target: QemuTarget, reset: Op, iothreads: int) -> None:
    """It ends early for a guest that waits: only the release can go on."""
    for ops in ((HOLD, WRITE, reset), (HOLD, WRITE, reset, RELEASE)):
        for _ in range(REPEATS):
            execution = run(target, *ops, INIT, WRITE, LOOK, iothreads=iothreads)
            assert not but_spins(execution.verdict)
            seen = kinds(execution, RESET_CALL, PUSH, RESET_RET, HANG)[:3]
            assert seen == [RESET_CALL, PUSH, RESET_RET]


@THREADS
def test_a_save_waits_for_a_held_request(target: QemuTarget, iothreads: int) -> None:
    """Without a release the restore releases it."""
    for released in ((RELEASE,), ()):
        ops = (HOLD, WRITE, WRITE, op("save"), *released, op("restore"), LOOK, READ, LOOK, RELEASE)
        execution = run(target, *ops, iothreads=iothreads)
        assert not but_spins(execution.verdict)
        seen = kinds(execution, VM_STOP_CALL, PUSH, VM_STOP_RET, SAVED, RESTORED, VM_CONT)
        steps = [VM_STOP_CALL, PUSH, PUSH, VM_STOP_RET, SAVED, RESTORED, VM_CONT]
        assert seen[: len(steps)] == steps
        assert execution.trace.events[-1].kind == END


def test_a_disk_that_holds_when_the_new_process_starts(target: QemuTarget) -> None:
    """The process reads nothing by itself, which would be held."""
    execution = run(target, HOLD, op("save"), RELEASE, HOLD, op("restore"), WRITE, RELEASE, LOOK)
    assert not but_spins(execution.verdict)
    assert kinds(execution, SAVED, RESTORED, PUSH) == [SAVED, RESTORED, PUSH]


@pytest.mark.parametrize(("begin", "end"), OPENS)
def test_the_data_of_a_pivot_and_of_a_failed_job(target: QemuTarget, begin: Op, end: Op) -> None:
    execution = run(target, HOLD, RELEASE, WRITE, LOOK, begin, end, READ, LOOK)
    assert not but_spins(execution.verdict)
    assert "data_read_back" in execution.verdict.situations
    failing = run(target, HOLD, begin, FAIL, RELEASE, end, begin, WRITE, end, LOOK)
    assert failing.verdict.clean
    depths = kinds(failing, DRAIN_CALL, DRAIN_END)
    assert depths.count(DRAIN_CALL) == depths.count(DRAIN_END) > 0


def test_an_nbd_disk_keeps_its_size(target: QemuTarget) -> None:
    for sectors in (8, 128):
        execution = run(target, HOLD, op("resize", sectors=sectors), RELEASE, op("read_config"))
        assert not but_spins(execution.verdict)
        assert not kinds(execution, RESIZE)


@THREADS
def test_an_error_is_reported(target: QemuTarget, iothreads: int) -> None:
    execution = run(target, HOLD, WRITE, FAIL, LOOK, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    assert kinds(execution, IO_DONE, PUSH, VM_STOP_CALL) == [IO_DONE, PUSH]
    assert epilogue(execution) == [RELEASE.code, LOOK.code]


@THREADS
@pytest.mark.parametrize("request_kind", ["out", "in"])
def test_an_error_stops_the_vm_and_cont_retries(
    target: QemuTarget, request_kind: str, iothreads: int
) -> None:
    request = op("publish_kick", request=request_kind)
    for ops in ((RELEASE, LOOK, op("cont"), LOOK), ()):
        for _ in range(REPEATS):
            fields = {"werror": "stop", "rerror": "stop", "iothreads": iothreads}
            execution = run(target, HOLD, request, FAIL, *ops, **fields)
            assert not but_spins(execution.verdict)
            seen = kinds(execution, VM_STOP_CALL, VM_STOP_RET, VM_CONT, IO_DONE, PUSH)
            assert seen == [VM_STOP_CALL, VM_STOP_RET, VM_CONT, PUSH]


@THREADS
@pytest.mark.parametrize(
    "ends",
    [
        (RELEASE,),
        (op("flush"),),
        (op("complete", which="all"),),
        (op("system_reset"), RELEASE),
        (op("drain_begin"), RELEASE, op("drain_end")),
        (op("stop"), RELEASE),
        (op("save"), RELEASE, op("restore")),
    ],
    ids=lambda ends: ends[0].name,
)
def test_the_vm_stops_when_qemu_takes_the_answer(
    target: QemuTarget, ends: tuple[Op, ...], iothreads: int
) -> None:
    """Up to 10.0 QEMU takes none while a newer request is held, so it stops as late as here."""
    failed = op("complete", which="0", result="eio")
    fields = {"werror": "stop", "rerror": "stop", "iothreads": iothreads}
    execution = run(target, HOLD, WRITE, WRITE, failed, *ends, op("cont"), LOOK, **fields)
    assert not but_spins(execution.verdict)
    seen = kinds(execution, VM_STOP_CALL, VM_STOP_RET, VM_CONT)
    assert seen == [VM_STOP_CALL, VM_STOP_RET, VM_CONT]
    retried = ends[0].name != "system_reset"
    assert kinds(execution, PUSH, IO_DONE) == [PUSH] * (1 + retried)


def test_a_guest_that_resets_meets_the_stop_later(target: QemuTarget) -> None:
    """The reset waits for the requests, so they are released early; the failed one is dropped."""
    failed = op("complete", which="0", result="eio")
    execution = run(target, HOLD, WRITE, WRITE, failed, op("reset"), INIT, LOOK, werror="stop")
    assert not but_spins(execution.verdict)
    seen = kinds(execution, VM_STOP_CALL, VM_STOP_RET, VM_CONT)
    assert seen == [VM_STOP_CALL, VM_STOP_RET, VM_CONT]


@THREADS
@pytest.mark.parametrize(
    ("request_kind", "shape", "signature"),
    [("out", "header_joined", "s21-not_supported"), ("in", "status_joined", "s14-no_status")],
)
def test_a_retry_of_a_request_whose_header_or_status_shares_a_descriptor(
    target: QemuTarget, request_kind: str, shape: str, signature: str, iothreads: int
) -> None:
    """A bug of QEMU 7.2, 10.0 and 11.1: the retry parses what the first time has cut off."""
    request = op("publish_kick", request=request_kind, sector=3, sectors=2, shape=shape)
    ops = (HOLD, request, FAIL, RELEASE, op("cont"), LOOK)
    retried = run(target, *ops, werror="stop", rerror="stop", iothreads=iothreads)
    assert [one.signature for one in retried.verdict.causes] == [signature]
    assert run(target, *ops, iothreads=iothreads).verdict.clean


@pytest.mark.parametrize(("result", "stops"), [("eio", False), ("enospc", True)])
def test_a_full_disk_stops_the_vm(target: QemuTarget, result: str, stops: bool) -> None:
    fails = op("complete", which="all", result=result)
    execution = run(target, HOLD, WRITE, fails, RELEASE, LOOK, werror="enospc")
    assert not but_spins(execution.verdict)
    assert (VM_STOP_CALL in kinds(execution, VM_STOP_CALL)) is stops
    assert (IO_DONE in kinds(execution, IO_DONE)) is not stops


def test_failed_requests_are_saved_and_retried_by_the_new_process(target: QemuTarget) -> None:
    ops = (HOLD, WRITE, FAIL, RELEASE, op("save"), op("restore"), LOOK, READ, LOOK)
    execution = run(target, *ops, werror="stop")
    assert not but_spins(execution.verdict)
    seen = kinds(execution, VM_STOP_RET, SAVED, RESTORED, VM_CONT, PUSH)
    assert seen == [VM_STOP_RET, SAVED, RESTORED, VM_CONT, PUSH, PUSH]
    assert "data_read_back" in execution.verdict.situations


def test_an_ignored_error_says_nothing_of_the_disk(target: QemuTarget) -> None:
    ops = (HOLD, WRITE, FAIL, RELEASE, LOOK, READ, LOOK)
    execution = run(target, *ops, werror="ignore")
    assert not but_spins(execution.verdict)
    assert Witness.DISK not in execution.trace.witnesses


def test_a_read_only_disk_reports_what_it_refuses(target: QemuTarget) -> None:
    ops = (HOLD, READ, FAIL, RELEASE, WRITE, LOOK)
    for werror in ("report", "stop"):
        assert run(target, *ops, read_only=True, werror=werror).verdict.clean
    ignores = run(target, *ops, read_only=True, werror="ignore")
    assert [one.signature for one in ignores.verdict.violations] == ["s29"]


def test_a_plug_that_is_refused_ends_within_its_operation(target: QemuTarget) -> None:
    """QEMU answers once its thread of RCU has slept (drain_call_rcu), and nothing is held.

    QEMU 7.2 refuses it, so the section ends first; newer ones take it.
    """
    ops = (op("mirror_begin"), HOLD, op("replug"), LOOK)
    for _ in range(REPEATS):
        execution = run(target, *ops, iothreads=1)
        seen = kinds(execution, OP, RESET_CALL, RESET_RET)
        begin = seen.index(RESET_CALL)
        assert seen[begin : begin + 3] == [RESET_CALL, RESET_RET, OP]


def test_100_scenarios_that_hold_forth_and_back(target: QemuTarget) -> None:
    """What is seen depends on the scenario alone."""
    made = [spared(decode(data)) for data in fuzz_inputs(99, 400)]
    scenarios = [
        Scenario(one.device, one.ops)
        for one in made
        if HOLD in one.ops and not one.device.polling and op("poll_on") not in one.ops
    ][:100]
    forth = [outline(run_scenario(target, one)) for one in scenarios]
    back = [outline(run_scenario(target, one)) for one in reversed(scenarios)]
    runs = zip(scenarios, forth, back[::-1], strict=True)
    pairs = [(one, there, again) for one, there, again in runs if not races(there, again)]
    differ = [difference(index, *pair) for index, pair in enumerate(pairs) if pair[1] != pair[2]]
    assert not differ, "\n".join(differ)
    assert len(pairs) > 50
