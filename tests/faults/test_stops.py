"""Time: processes that are stopped, a machine that is suspended, a clock that jumps."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import long
from tests.waiting import until
from vblkfuzz.limits import ANSWER_LIMIT_S, STUCK_LIMIT_S

pytestmark = pytest.mark.e2e

SETUP = ("--workers", "1", "--seed", "5", "--device", "reference")
CLOCK = """
import datetime, itertools, time
jumps = itertools.cycle((0, 10**9, -10**9, 3600))
right, right_ns, Right = time.time, time.time_ns, datetime.datetime
class Datetime(Right):
    @classmethod
    def now(cls, tz=None):
        return Right.now(tz) + datetime.timedelta(seconds=next(jumps))
time.time = lambda: right() + next(jumps)
time.time_ns = lambda: right_ns() + next(jumps) * 10**9
datetime.datetime = Datetime
"""


def pid_of(campaign: Campaign, role: str) -> int | None:
    """The id of the process of a role; None: there is none now."""
    return next((one.pid for one in campaign.processes() if one.role == role), None)


def stop_one(campaign: Campaign, role: str) -> int:
    """Stop the process of a role; return its id."""
    campaign.until(campaign.inputs)
    pid = pid_of(campaign, role)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    return pid


def replaced(campaign: Campaign, role: str, stopped: int) -> bool:
    return pid_of(campaign, role) not in (None, stopped)


@pytest.mark.fault(
    "SIGSTOP of the orchestrator, SIGCONT later",
    "The workers go on meanwhile; nothing that they said is lost.",
)
def test_the_orchestrator_is_stopped(campaign: Campaign) -> None:
    campaign.start(*SETUP)
    campaign.until(campaign.inputs)
    campaign.process.send_signal(signal.SIGSTOP)
    campaign.goes_on()
    campaign.process.send_signal(signal.SIGCONT)
    campaign.goes_on()
    ended = campaign.stop()
    assert (ended.status, ended.end["restarts"], ended.end["harness_errors"]) == (130, 0, 0)
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.fault(
    "SIGSTOP of all its processes for longer than any limit, SIGCONT later",
    "The time does not count: no error, no restart, no finding.",
)
@long
def test_all_are_stopped(campaign: Campaign) -> None:
    campaign.start(*SETUP)
    campaign.until(campaign.inputs)
    # Those who wait for others are stopped last, and go on first.
    running = [one.pid for one in reversed(campaign.processes())]
    for number, pids in ((signal.SIGSTOP, running), (signal.SIGCONT, running[::-1])):
        for pid in pids:
            os.kill(pid, number)
        if number == signal.SIGSTOP:
            time.sleep(1.1 * STUCK_LIMIT_S)
    campaign.goes_on()
    ended = campaign.stop()
    assert (ended.status, ended.end["restarts"], ended.end["harness_errors"]) == (130, 0, 0)
    assert campaign.findings() == set()
    campaign.check_books(ended)


@pytest.mark.fault(
    "SIGSTOP of a worker for longer than the limit of a stuck one",
    "It is killed and started again; that is said.",
)
@long
def test_a_worker_is_stopped(campaign: Campaign) -> None:
    campaign.start(*SETUP)
    stopped = stop_one(campaign, "worker")
    campaign.until(lambda: replaced(campaign, "worker", stopped))
    campaign.goes_on()
    ended = campaign.stop()
    assert (ended.status, ended.end["restarts"]) == (130, 1), ended.stderr
    assert f"ran nothing for {STUCK_LIMIT_S:g} s and was ended" in ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.parametrize("role", ["vblk-device", "vblk-guest"])
@pytest.mark.fault(
    "SIGSTOP of an actor for longer than it may be silent",
    "The actors are replaced; the input is kept in `harness`; that is no finding.",
)
@long
def test_an_actor_is_stopped(campaign: Campaign, role: str) -> None:
    campaign.start(*SETUP)
    stopped = stop_one(campaign, role)
    campaign.until(lambda: replaced(campaign, role, stopped))
    campaign.goes_on()
    ended = campaign.stop()
    assert (ended.status, ended.end["restarts"], ended.end["harness_errors"]) == (130, 0, 1)
    assert f"no answer within {ANSWER_LIMIT_S} s" in ended.stderr
    assert campaign.findings() == set()
    campaign.check_books(ended)


@pytest.mark.fault(
    "SIGSTOP of the zygote",
    "The worker needs it for fresh actors and at its end, and wakes it for that: the campaign ends "
    "in its time, and nothing is left.",
)
@long
def test_the_zygote_is_stopped(campaign: Campaign) -> None:
    campaign.start(*SETUP)
    stop_one(campaign, "vblk-zygote")
    campaign.goes_on()
    ended = campaign.stop()
    assert ended.status == 130
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.fault(
    "The wall clock jumps by 30 years, back and forth, at each look; files are of the future",
    "Inputs, findings and figures are the same as with a clock that is right.",
)
@long
def test_the_clock_jumps(campaign: Campaign) -> None:
    setup = ("--workers", "1", "--seed", "5", "--runs", "300", "--no-minimize")
    wrong = campaign.run(*setup, environ=campaign.alter(CLOCK))
    campaign.check_books(wrong)
    was = campaign.inputs(), campaign.findings()
    for path in campaign.out.rglob("*"):
        os.utime(path, (4e9, 4e9))
    assert campaign.run(*setup, "--seed", "6", environ=campaign.alter(CLOCK)).status == 77
    campaign.out = campaign.aside / "out"
    right = campaign.run(*setup)
    assert (campaign.inputs(), campaign.findings()) == was
    for key in ("execs", "violations", "features", "met"):
        assert right.end.get(key) == wrong.end.get(key)


@pytest.mark.fault(
    "The terminal is closed (SIGHUP)",
    "As with ctrl-C, with status 72: all is saved, nothing is left.",
)
@long
def test_the_terminal_is_closed(campaign: Campaign) -> None:
    campaign.start(*SETUP)
    campaign.until(campaign.inputs)
    ended = campaign.stop(signal.SIGHUP)
    assert ended.status == 72
    until(lambda: not campaign.processes())
    campaign.check_books(ended)
    campaign.check_nothing_left()
