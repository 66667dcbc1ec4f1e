"""Save and restore of a real QEMU: another process goes on, outside and inside of sections."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any, TypeVar, cast

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.conformance.leftovers import nothing_left, open_fds
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.broken_rings import spared
from vblkfuzz.errors import DeviceLost, DeviceUnavailable
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.begun import Begun
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu import migration
from vblkfuzz.targets.qemu.migration import SavedState
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.trace_log import TraceLog
from vblkfuzz.targets.qmp import Qmp, Refused
from vblkfuzz.trace.kinds import (
    COLLECT,
    CRASH,
    DRAIN_END,
    END,
    POP,
    PUSH,
    RESTORED,
    SAVED,
    SECTOR,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.probe import without_probe

Returned = TypeVar("Returned")
INIT, COLLECTS, RESET = op("init"), op("collect"), op("reset")
WRITE, READ = op("publish_kick", request="out"), op("publish_kick", request="in")
SAVE, RESTORE = op("save"), op("restore")
OPENS = {"mirror_begin": "mirror_finish", "drain_begin": "drain_end"}
INACTIVE = "crash-sigabrt-bdrv_co_write_req_prepare-e589028c"
"""A write to a disk that was given away."""


@pytest.fixture(scope="module")
def rig() -> QemuRig:
    return QemuRig(TargetOptions())


@pytest.fixture(scope="module")
def target(rig: QemuRig) -> Iterator[QemuTarget]:
    with nothing_left(), QemuTarget("qemu", "d", rig, rig.port) as target:
        yield target


def run(target: QemuTarget, *ops: Op, **device: Any) -> Execution:  # noqa: ANN401 -- fields
    return run_scenario(target, Scenario(DeviceConfig(**device), ops))


def kinds(execution: Execution, *some: int) -> list[int]:
    return [event.kind for event in without_probe(execution.trace.events) if event.kind in some]


def signatures(execution: Execution) -> list[str]:
    return [one.signature for one in execution.verdict.violations]


WRONG = {*OPENS, *OPENS.values(), "start_fail", "hold", "replug"}
"""Operations after which QEMU 7.2 has bugs that need no save (docs/real-devices.md)."""


@pytest.mark.realdevice
@NEEDS_QEMU
class TestOutsideOfSections:
    @pytest.mark.parametrize("iothreads", [0, 1])
    @pytest.mark.parametrize("ioeventfd", [False, True])
    def test_another_process_goes_on_with_rings_and_disk(
        self, rig: QemuRig, target: QemuTarget, iothreads: int, ioeventfd: bool
    ) -> None:
        run(target, iothreads=iothreads, ioeventfd=ioeventfd)
        before = rig.processes
        ops = (INIT, WRITE, COLLECTS, SAVE, RESTORE, READ, COLLECTS)
        execution = run(target, *ops, iothreads=iothreads, ioeventfd=ioeventfd)
        assert execution.verdict.clean
        steps = VM_STOP_CALL, VM_STOP_RET, SAVED, RESTORED, VM_CONT
        assert kinds(execution, *steps) == list(steps)
        assert kinds(execution, POP, PUSH, COLLECT) == [POP, PUSH, COLLECT] * 2
        events = without_probe(execution.trace.events)
        (sector,) = [event for event in events if event.kind == SECTOR]
        assert sector.value != 0, "the data that the first process has written"
        assert rig.processes == before + 1

    def test_a_request_that_comes_while_it_is_saved_waits(self, target: QemuTarget) -> None:
        execution = run(target, INIT, SAVE, WRITE, RESTORE, COLLECTS)
        assert execution.verdict.clean
        assert kinds(execution, SAVED, RESTORED, POP) == [SAVED, RESTORED, POP]

    def test_a_stopped_vm_is_saved_as_it_is(self, target: QemuTarget) -> None:
        execution = run(target, INIT, op("stop"), SAVE, RESTORE, WRITE, COLLECTS)
        assert execution.verdict.clean
        assert kinds(execution, VM_STOP_CALL, SAVED, VM_CONT) == [VM_STOP_CALL, SAVED, VM_CONT]

    def test_what_has_no_meaning_does_nothing(self, target: QemuTarget) -> None:
        others = [op(name) for name in ("stop", "cont", "system_reset", "resize", *OPENS)]
        execution = run(target, INIT, RESTORE, SAVE, *others, SAVE, RESTORE, WRITE, RESTORE)
        assert execution.verdict.clean
        seen = kinds(execution, SAVED, VM_STOP_CALL, RESTORED, VM_CONT, DRAIN_END)
        assert seen == [VM_STOP_CALL, SAVED, RESTORED, VM_CONT]

    def test_it_goes_on_with_the_disk_of_a_pivot(self, target: QemuTarget) -> None:
        pivot = op("mirror_begin"), op("mirror_finish")
        ops = (INIT, *pivot, WRITE, COLLECTS, SAVE, RESTORE, READ, COLLECTS)
        assert run(target, *ops).verdict.clean
        assert run(target, INIT, op("mirror_begin"), SAVE, op("mirror_finish")).verdict.clean
        again = SAVE, RESTORE, op("resize", sectors=8), *pivot
        assert run(target, INIT, *pivot, *again, *again, WRITE, READ, COLLECTS).verdict.clean

    def test_several_times_and_nothing_is_left_open(self, target: QemuTarget) -> None:
        ops = (INIT, *(SAVE, RESTORE, WRITE, COLLECTS) * 3)
        assert run(target, *ops).verdict.clean
        before = len(open_fds())
        for _ in range(3):
            assert run(target, *ops).verdict.clean
        assert len(open_fds()) == before

    def test_a_device_that_no_driver_uses(self, target: QemuTarget) -> None:
        assert run(target, SAVE, RESTORE, INIT, WRITE, COLLECTS).verdict.clean
        assert run(target, INIT, RESET, SAVE, RESTORE, INIT, WRITE, COLLECTS).verdict.clean

    def test_a_driver_without_version_1_is_only_stopped(self, target: QemuTarget) -> None:
        """QEMU takes its rings for legacy ones after a migration, which it may."""
        plain = op("init", how="no_features")
        execution = run(target, plain, WRITE, COLLECTS, SAVE, RESTORE, WRITE, COLLECTS)
        assert execution.verdict.clean
        assert kinds(execution, VM_STOP_CALL, SAVED, VM_CONT) == [VM_STOP_CALL, VM_CONT]
        assert SAVED in kinds(run(target, plain, RESET, SAVE), SAVED)

    def test_polling_goes_on(self, target: QemuTarget) -> None:
        assert run(target, INIT, SAVE, RESTORE, WRITE, COLLECTS, polling=True).verdict.clean

    def test_a_read_only_disk(self, target: QemuTarget) -> None:
        assert run(target, INIT, SAVE, RESTORE, READ, COLLECTS, read_only=True).verdict.clean

    def test_50_scenarios_without_sections(self, target: QemuTarget) -> None:
        """Each is saved and restored in the middle."""
        saved = 0
        for data in fuzz_inputs(17, 50):
            made = spared(decode(data))
            ops = [one for one in made.ops if one.name not in {*WRONG, "writeback"}]  # S31
            half = len(ops) // 2
            device = replace(made.device, werror="report")  # S29: a read-only disk that ignores it
            scenario = Scenario(device, (*ops[:half], SAVE, RESTORE, *ops[half:]), ())
            execution = run_scenario(target, scenario)
            assert execution.verdict.clean, (scenario, execution.verdict.violations)
            saved += SAVED in kinds(execution, SAVED)
        assert saved > 30


@pytest.mark.realdevice
@NEEDS_QEMU
@pytest.mark.parametrize("begin", OPENS)
class TestInSections:
    """Bugs of QEMU 7.2, 10.0 and 11.1; a request is parked, as a kick without ioeventfd does it."""

    def test_a_request_that_is_parked_is_lost(self, target: QemuTarget, begin: str) -> None:
        ops = (INIT, op(begin), READ, SAVE, RESTORE, COLLECTS)
        execution = run(target, *ops, ioeventfd=False)
        assert signatures(execution) == ["s34-request-popped", "s40-in_use", "l3-popped"]
        assert kinds(execution, RESTORED, DRAIN_END) == [RESTORED, DRAIN_END]
        assert execution.trace.events[-1].kind == END

    def test_the_old_process_writes_guest_memory(self, target: QemuTarget, begin: str) -> None:
        ops = (INIT, op(begin), READ, SAVE, op(OPENS[begin]), RESTORE, COLLECTS)
        execution = run(target, *ops, ioeventfd=False)
        assert signatures(execution) == ["s17-drained_end-push"]

    def test_the_old_process_writes_the_disk(self, target: QemuTarget, begin: str) -> None:
        """It aborts: this is the assertion against it."""
        ops = (INIT, op(begin), WRITE, SAVE, op(OPENS[begin]), RESTORE, COLLECTS)
        execution = run(target, *ops, ioeventfd=False)
        assert execution.trace.events[-1].kind == CRASH
        assert signatures(execution) == [INACTIVE]
        assert run(target, INIT, WRITE, COLLECTS).verdict.clean

    def test_a_section_in_which_nothing_waits(self, target: QemuTarget, begin: str) -> None:
        ops = (INIT, WRITE, COLLECTS, op(begin), SAVE)
        for end in ((RESTORE,), (op(OPENS[begin]), RESTORE)):
            assert run(target, *ops, *end, READ, COLLECTS).verdict.clean


@pytest.mark.realdevice
@NEEDS_QEMU
def test_the_witness_of_the_new_process_proves_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of the scenario: before the first request it would disturb the device."""
    ops = (INIT, SAVE, RESTORE, WRITE, COLLECTS)
    rig = QemuRig(TargetOptions())
    with nothing_left(), QemuTarget("qemu", "d", rig, rig.port) as target:
        assert run(target, *ops).verdict.clean
        seen = TraceLog.dequeues
        first = rig.machine.qemu
        monkeypatch.setattr(
            *(TraceLog, "dequeues"),
            lambda log, actors: seen(log, actors) if log is first._log else [],
        )
        with pytest.raises(DeviceUnavailable, match="expected 2 dequeues, observed 0"):
            run(target, *ops)


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_state_that_cannot_be_loaded_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    async def spoil(state: SavedState, qmp: Qmp) -> bool:
        filled = await fill(state, qmp)
        os.read(state._fds[0], 1000)
        return filled

    fill = SavedState.fill
    monkeypatch.setattr(SavedState, "fill", spoil)
    rig = QemuRig(TargetOptions())
    with nothing_left(), QemuTarget("qemu", "d", rig, rig.port) as target:
        execution = run(target, INIT, SAVE, RESTORE)
        assert execution.trace.events[-1].kind == CRASH
        assert signatures(execution)[0].startswith("crash-exit-")
        assert run(target, INIT, WRITE, COLLECTS).verdict.clean


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_migration_that_is_refused_is_only_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(state: SavedState, qmp: Qmp) -> bool:
        return False

    monkeypatch.setattr(SavedState, "fill", refuse)
    rig = QemuRig(TargetOptions())
    with nothing_left(), QemuTarget("qemu", "d", rig, rig.port) as target:
        execution = run(target, INIT, SAVE, RESTORE, WRITE, COLLECTS)
    assert execution.verdict.clean
    assert kinds(execution, VM_STOP_CALL, SAVED, VM_CONT) == [VM_STOP_CALL, VM_CONT]


class Answers:
    """A QEMU that answers as it is told to."""

    def __init__(self, *statuses: str, refuses: bool = False, works: int = 0) -> None:
        """Answer; `works` is the number of looks at which other threads than the main one run."""
        self.statuses = list(statuses)
        self.refuses = refuses
        self.works = works
        self.still = self

    def look(self) -> None:
        pass

    def only_main_ran(self, before: None) -> bool:
        self.works -= 1
        return self.works < 0

    async def send_fd(self, name: str, fd: int) -> None:
        assert os.fstat(fd)

    async def call(self, command: str, **arguments: object) -> object:
        if command == "migrate" and self.refuses:
            raise Refused("no")
        return {"status": self.statuses.pop(0)} if command == "query-migrate" else {}


def to_its_end(work: Coroutine[Any, Any, Returned]) -> Returned:
    begun = Begun(work)
    while not begun.done():
        begun.go_on()
    return begun.result()


@pytest.mark.parametrize(
    ("qemu", "saved"),
    [
        (Answers("setup", "active", "completed"), True),
        (Answers("active", "failed"), False),
        (Answers(refuses=True), False),
    ],
)
def test_how_a_migration_ends(qemu: Answers, saved: bool) -> None:
    before = open_fds()
    state = SavedState([0])
    assert to_its_end(state.fill(cast("Qmp", qemu))) is saved
    state.close()
    assert open_fds() == before


@pytest.mark.parametrize("works", [0, 1, 2000])
def test_a_migration_that_does_not_end(works: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs once nothing goes on any more, however long that takes."""
    monkeypatch.setattr(migration, "_LOOK_S", 0)
    statuses = works + migration._IDLE_LOOKS
    qemu = Answers(*["active"] * statuses, works=works)
    state = SavedState([0])
    with pytest.raises(DeviceLost, match="does not end"):
        to_its_end(state.fill(cast("Qmp", qemu)))
    assert qemu.statuses == []
    state.close()


def test_a_state_that_is_not_loaded() -> None:
    state = SavedState([0])
    with pytest.raises(DeviceLost, match="cannot load the state"):
        to_its_end(state.load(cast("Qmp", Answers("active", "failed"))))
    state.close()


@pytest.mark.realdevice
@NEEDS_QEMU
def test_the_cache_mode_is_lost(target: QemuTarget) -> None:
    through, back = (op("writeback", mode=mode) for mode in ("writethrough", "writeback"))
    found = run(target, INIT, through, SAVE, RESTORE).verdict
    assert [one.signature for one in found.violations] == ["s31-restored"]
    assert "saved_in_mode_writethrough" in found.situations
    for rest in ((INIT,), (RESET,), (op("system_reset"),), (back,)):
        assert run(target, INIT, through, SAVE, RESTORE, *rest).verdict.clean
    assert run(target, INIT, through, back, SAVE, RESTORE).verdict.clean
