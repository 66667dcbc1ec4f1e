"""Processes of a campaign are killed, at random moments."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from functools import partial

import pytest

from tests.faults.campaign import ROLES, Campaign
from tests.faults.conftest import LONG, long
from tests.waiting import until

pytestmark = pytest.mark.e2e

KILLS = 200 if LONG else 8
SETUP = ("--workers", "2", "--seed", "5")


def is_there(campaign: Campaign, role: str) -> bool:
    return role in campaign.roles()


def kill_one(campaign: Campaign, role: str, chance: random.Random) -> None:
    """Kill a process of a role, if there still is one."""
    running = [one for one in campaign.processes() if one.role == role]
    with suppress(ProcessLookupError, IndexError):
        os.kill(chance.choice(running).pid, signal.SIGKILL)


@pytest.mark.fault(
    "SIGKILL of any one of its processes, the orchestrator included, 200 times at random moments",
    "Workers are started again. After a kill of the orchestrator nothing runs on, and the next "
    "start goes on with all findings and inputs. Ctrl-C then ends with 130; each file is whole.",
)
def test_kills_at_random_moments(campaign: Campaign) -> None:
    chance = random.Random(16)
    campaign.start(*SETUP)
    campaign.under_way()
    kept: set[str] = set()
    for _ in range(KILLS):
        role = chance.choice(ROLES)
        campaign.until(partial(is_there, campaign, role))
        time.sleep(chance.uniform(0, 0.2))  # the moment is random; no verdict depends on it
        kill_one(campaign, role, chance)
        assert kept <= campaign.findings()
        kept = campaign.findings()
        if role == "orchestrator":
            assert campaign.ended().status == -signal.SIGKILL
            until(lambda: not campaign.processes())
            campaign.start(*SETUP)
    campaign.until(lambda: campaign.roles().count("vblk-guest") >= 2)
    campaign.goes_on()
    ended = campaign.stop()
    assert (ended.status, "Traceback" in ended.stderr) == (130, False), ended.stderr
    campaign.check_books(ended)
    campaign.check_status()
    campaign.check_nothing_left()


@pytest.mark.parametrize(
    "role", ["worker", "vblk-zygote", "vblk-device", "vblk-guest", "minimizer"]
)
@pytest.mark.fault(
    "SIGKILL of a worker, a zygote, an actor, the minimizer, as soon as there is one",
    "It is started again, alone; the campaign goes on. That is said, and is no finding. A killed "
    "worker alone changes no exit status.",
)
@long
def test_the_first_of_a_kind_is_killed(campaign: Campaign, role: str) -> None:
    campaign.start(*SETUP)
    if role == "minimizer":
        campaign.under_way()
    campaign.until(lambda: role in campaign.roles())
    victim = next(one for one in campaign.processes() if one.role == role)
    os.kill(victim.pid, signal.SIGKILL)
    campaign.under_way()
    campaign.until(lambda: campaign.roles().count("vblk-guest") >= 2)
    campaign.goes_on()
    ended = campaign.stop()
    assert ended.status == 130, ended.stderr
    assert not [name for name in campaign.findings() if name.startswith(("crash", "hang"))]
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.fault(
    "SIGKILL of all its processes at once, then the same command again",
    "`status` says that it was killed. The second one goes on with each input and finding.",
)
@long
def test_all_are_killed_at_once(campaign: Campaign) -> None:
    campaign.start(*SETUP)
    campaign.under_way()
    before = campaign.inputs(), campaign.findings()
    campaign.kill_all()
    assert "killed" in campaign.verb("status", str(campaign.out)).stdout
    ended = campaign.run(*SETUP, "--runs", "40")
    assert ended.status in (0, 77), ended.stderr
    assert f"{campaign.out} goes on: begun " in ended.stderr
    assert before[1] <= campaign.findings()
    campaign.check_books(ended)
    campaign.check_nothing_left()
