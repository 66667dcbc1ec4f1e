"""Failing devices of a user and failing drivers of the harness.

A failure of the device's own code is a finding that names the place, the same in both modes. Any
other failure is a harness error with its cause, never a verdict.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from tests.conformance.leftovers import nothing_left
from tests.process import faulty
from tests.process.failing import SHORT_S, check_error, check_finding
from tests.process.faulty import FATAL, GOOD, Faulty, crash
from vblkfuzz.dataplane.revisions.reference import Reference
from vblkfuzz.dataplane.thread import Steps, Thread
from vblkfuzz.driver import guest
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.errors import ActorDied, ActorHung, HarnessError, TraceOverflow
from vblkfuzz.executor import run_scenario
from vblkfuzz.process import actors, supervisor
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets import model_modes
from vblkfuzz.targets.model import MODES, model
from vblkfuzz.trace.kinds import CRASH, HANDLER, HANG, OP, STEP_LIMIT

RAISING: list[tuple[type[Faulty], str, str]] = [
    (
        faulty.Raises,
        "crash-runtimeerror-raises-fail-",
        r"The device raised RuntimeError (planted \udc80 error) in Raises.fail (faulty.py, line",
    ),
    (faulty.RaisesLong, "crash-runtimeerror-raiseslong-fail-", f"({'x' * 500}) in"),
    (faulty.Forks, "crash-forkerror-forks-fail-", "a device must not fork"),
    (faulty.ForksTerminal, "crash-forkerror-forksterminal-fail-", "a device must not fork"),
    (faulty.Recurses, "crash-recursionerror-recurses-fail-", "RecursionError"),
    (faulty.RecursesThroughTwo, "crash-recursionerror-recursesthroughtwo-fail-", ".fail ("),
    (faulty.Interrupts, "crash-keyboardinterrupt-interrupts-fail-", "KeyboardInterrupt in"),
    (faulty.Closes, "crash-generatorexit-closes-fail-", "GeneratorExit in"),
    (faulty.Leaves, "crash-systemexit-leaves-fail-", "SystemExit (planted exit) in"),
    (faulty.CannotSay, "crash-error-cannotsay-fail-", "Error (its text cannot be had) in"),
    (faulty.AsksWrong, "crash-valueerror-askswrong-fail-", "in AsksWrong.fail (faulty.py, line"),
]
DYING: list[tuple[type[Faulty], str, str]] = [
    (faulty.Exits, "crash-exit-exits-fail-", "ended with exit status 3 in Exits.fail (faulty.py"),
    (faulty.Crashes, "crash-sigsegv-crash-", "was ended by SIGSEGV in crash (faulty.py"),
    (faulty.Aborts, "crash-sigabrt-aborts-fail-", "was ended by SIGABRT in Aborts.fail"),
]
HANGING: list[tuple[type[Faulty], str]] = [
    (faulty.Hangs, "hang-hangs-fail"),
    (faulty.HangsOn, "hang-hangson-fail"),
]


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    with nothing_left():
        yield


@pytest.mark.parametrize(("device", "signature", "said"), RAISING)
def test_a_device_raises(device: type[Faulty], signature: str, said: str) -> None:
    digests = set()
    for mode in MODES:
        violation, execution = check_finding(mode, device)
        assert violation.signature.startswith(signature)
        assert said in violation.sentence
        trace = execution.trace
        assert [event.kind for event in trace.events][-1] == CRASH
        assert OP in {event.kind for event in trace.events}, "what led to it is there"
        assert "faulty.py" in trace.report
        digests.add((trace.digest, violation.signature, trace.steps))
    assert len(digests) == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_device_cannot_be_made(mode: str) -> None:
    violation, execution = check_finding(mode, faulty.NeverMade)
    assert len(execution.trace.events) == 1
    assert violation.sentence.startswith("The device raised LookupError (no such board) in Never")
    assert violation.sentence.endswith("before the first operation.")


def test_what_is_left_behind_writes_nothing() -> None:
    """An IOThread is in a handler when the vCPU fails: closing that is no part of the trace."""
    scenario = Scenario(FATAL.device, FATAL.ops, (Deviation(1, 5, Go.NEXT),))
    traces = set()
    for mode in MODES:
        _, execution = check_finding(mode, faulty.LeavesWorkBehind, scenario)
        kinds = [event.kind for event in execution.trace.events]
        assert kinds[-3:] == [HANDLER, OP, CRASH]
        traces.add(execution.trace.events)
    assert len(traces) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("device", "signature", "said"), DYING)
def test_a_device_ends(mode: str, device: type[Faulty], signature: str, said: str) -> None:
    violation, execution = check_finding(mode, device, times=2)
    assert violation.signature.startswith(signature)
    assert said in violation.sentence
    assert "the device process " in execution.trace.report
    assert ".fail\n" in execution.trace.report + "\n"


@pytest.mark.parametrize("mode", MODES)
def test_what_led_to_the_end_of_a_process_is_in_its_trace(mode: str) -> None:
    """The same events as where the same device raises instead."""
    _, died = check_finding(mode, faulty.Exits)
    _, raised = check_finding(mode, faulty.Raises)
    assert died.trace.events[:-1] == raised.trace.events[:-1]
    assert died.trace.events[-1].turn <= raised.trace.events[-1].turn


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("device", "signature"), HANGING)
def test_a_device_hangs(
    mode: str, device: type[Faulty], signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (actors, model_modes):
        monkeypatch.setattr(module, "HANG_LIMIT_S", SHORT_S)
    violation, execution = check_finding(mode, device, times=2)
    assert violation.signature == signature
    assert execution.trace.events[-1].kind == HANG
    assert f"never ends {device.__name__}.fail (faulty.py, line" in violation.sentence
    assert "in fail" in execution.trace.report


def test_a_hang_is_the_same_in_both_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actors, model_modes):
        monkeypatch.setattr(module, "HANG_LIMIT_S", SHORT_S)
    found = {check_finding(mode, faulty.Hangs, times=1)[1].trace.digest for mode in MODES}
    assert len(found) == 1


def test_a_device_that_spins_and_tells_all_of_it() -> None:
    """Most events found no room; they are known to be the same again."""
    digests = set()
    for mode in MODES:
        with model("faulty", mode, device_class=faulty.Spins) as target:
            execution = run_scenario(target, FATAL)
            assert run_scenario(target, GOOD).verdict.clean
        assert "l5" in {each.signature for each in execution.verdict.violations}
        assert execution.trace.events[-1].kind == STEP_LIMIT
        digests.add(execution.trace.digest)
    assert len(digests) == 1


# --- What is not the device's doing -----------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_device_that_writes_too_much(mode: str) -> None:
    check_error(mode, faulty.Floods, TraceOverflow, "events found a trace ring full")


@pytest.mark.parametrize("mode", MODES)
def test_a_device_that_is_killed(mode: str) -> None:
    """No process sends itself SIGKILL: it is taken for the kernel's, or the user's."""
    check_error(mode, faulty.IsKilled, ActorDied, "was ended by signal 9", times=2)


@pytest.mark.parametrize("mode", MODES)
def test_a_device_that_waits(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It uses no processor time: a machine that is busy with others looks the same."""
    with model("faulty", mode, device_class=faulty.Sleeps) as target:
        right = target.run(GOOD).digest
        for _ in range(2):
            with monkeypatch.context() as patch:  # healthy runs have all the time they need
                for limit in ("WAIT_LIMIT_S", "ANSWER_LIMIT_S"):
                    patch.setattr(supervisor, limit, 0.1)
                with pytest.raises(ActorHung, match=r"no answer within 0\.1 s"):
                    run_scenario(target, FATAL)
            assert target.run(GOOD).digest == right


@pytest.mark.parametrize("mode", MODES)
def test_a_device_that_dies_once_only(mode: str) -> None:
    class Once(faulty.DiesOnce):
        died = mmap.mmap(-1, 1)

    with model("faulty", mode, device_class=Once) as target:
        with pytest.raises(ActorDied, match="exit status 3, but not when it was run again"):
            target.run(FATAL)
        target.run(FATAL)


class Ours(Reference):
    """Passes for one of the package: its module and the file of its code are."""

    __module__ = model_modes.__name__

    def write_status(self, thread: Thread, value: int) -> Steps:
        if self.config.disk_sectors == FATAL.device.disk_sectors:
            raise RuntimeError("planted in ours")
        return super().write_status(thread, value)

    write_status.__code__ = write_status.__code__.replace(co_filename=model_modes.__file__)


@pytest.mark.parametrize("mode", MODES)
def test_a_built_in_device_that_raises(mode: str) -> None:
    """Our bug, although the code that has it here is not ours."""
    check_error(mode, Ours, HarnessError, "planted in ours")


def test_the_device_is_right_where_it_does_not_fail() -> None:
    with model("reference", "inline") as reference, model("f", "inline", None, Faulty) as target:
        assert target.run(GOOD).digest == reference.run(GOOD).digest


# --- The guest ----------------------------------------------------------------------------------


def failing_init(act: Callable[[], None]) -> Callable[[GuestDriver, Op], GuestSteps]:
    """Return the driver's `init`, but it calls `act` on the devices on which `faulty` fails."""

    def run(driver: GuestDriver, operation: Op) -> GuestSteps:
        if driver._config.disk_sectors == FATAL.device.disk_sectors:
            act()
        return driver.init(operation)

    return run


def raise_error() -> NoReturn:
    raise RuntimeError("planted guest error")


@pytest.mark.parametrize(
    ("act", "error", "why"),
    [
        (raise_error, HarnessError, "RuntimeError: planted guest error"),
        (crash, ActorDied, "the guest process was ended by signal 11"),
    ],
)
def test_a_guest_fails(
    act: Callable[[], None],
    error: type[HarnessError],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(guest._METHODS, op("init").code, failing_init(act))
    check_error("processes", Faulty, error, why)
