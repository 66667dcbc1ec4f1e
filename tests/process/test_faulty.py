"""A failing device or driver gives a harness error with its cause, never a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from tests.conformance.leftovers import nothing_left
from tests.process import faulty
from tests.process.faulty import FATAL, GOOD, Faulty, crash
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.errors import ActorDied, ActorHung, HarnessError, TraceOverflow
from vblkfuzz.executor import run_scenario
from vblkfuzz.process import supervisor
from vblkfuzz.scenario.op import Op
from vblkfuzz.targets.model import MODES, model

RAISING: list[tuple[type[Faulty], type[HarnessError], str]] = [
    (faulty.Raises, HarnessError, r"RuntimeError: planted \\udc80 error"),
    (faulty.RaisesLong, HarnessError, "xplanted end"),  # the source line in the traceback differs
    (faulty.Recurses, HarnessError, "RecursionError"),
    (faulty.Leaves, HarnessError, "SystemExit: planted exit"),
    (faulty.Floods, TraceOverflow, "events found a trace ring full"),
]
DYING: list[tuple[type[Faulty], type[HarnessError], str]] = [
    (faulty.Exits, ActorDied, "the device process ended with exit status 3"),
    (faulty.Crashes, ActorDied, "the device process was ended by signal 11"),
]


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    with nothing_left():
        yield


def check(
    mode: str, device: type[Faulty], error: type[HarnessError], why: str, times: int = 5
) -> None:
    with model("faulty", mode, device_class=device) as target:
        right = target.run(GOOD).digest
        for _ in range(times):
            with pytest.raises(HarnessError, match=why) as raised:
                run_scenario(target, FATAL)
            assert raised.type is error
            assert target.run(GOOD).digest == right


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("device", "error", "why"), RAISING)
def test_a_device_raises(
    mode: str, device: type[Faulty], error: type[HarnessError], why: str
) -> None:
    check(mode, device, error, why if mode == "processes" else why.replace(r"\\udc80", "\udc80"))


@pytest.mark.parametrize(("device", "error", "why"), DYING)
def test_a_device_ends(device: type[Faulty], error: type[HarnessError], why: str) -> None:
    check("processes", device, error, why, times=2)


def test_a_device_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    with model("faulty", "processes", device_class=faulty.Hangs) as target:
        right = target.run(GOOD).digest
        for _ in range(2):
            with monkeypatch.context() as patch:  # healthy runs have all the time they need
                patch.setattr(supervisor, "HANG_LIMIT_S", 0.1)
                with pytest.raises(ActorHung, match=r"no answer within 0\.1 s"):
                    run_scenario(target, FATAL)
            assert target.run(GOOD).digest == right


def test_the_device_is_right_where_it_does_not_fail() -> None:
    with model("reference", "inline") as reference, model("f", "inline", None, Faulty) as target:
        assert target.run(GOOD).digest == reference.run(GOOD).digest


# --- The guest ----------------------------------------------------------------------------------


def failing_driver(act: Callable[[], None]) -> Callable[[GuestDriver, Op], GuestSteps]:
    """Return a `GuestDriver.run` that calls `act` on the devices on which `faulty` fails."""
    healthy = GuestDriver.run

    def run(self: GuestDriver, operation: Op) -> GuestSteps:
        if self._config.disk_sectors == FATAL.device.disk_sectors:
            act()
        return healthy(self, operation)

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
    monkeypatch.setattr(GuestDriver, "run", failing_driver(act))
    check("processes", Faulty, error, why)
