"""The package offers its API, and loads it only when it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NoReturn

import pytest

import vblkfuzz
from vblkfuzz import api
from vblkfuzz.dataplane.request import Request
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.errors import UsageError


def test_the_package_offers_all_of_the_api() -> None:
    assert vblkfuzz.__all__ == api.__all__
    assert all(getattr(vblkfuzz, name) is getattr(api, name) for name in api.__all__)


def test_what_it_does_not_offer() -> None:
    with pytest.raises(AttributeError, match="module 'vblkfuzz' has no attribute 'fuzz_all'"):
        _ = vblkfuzz.fuzz_all


def test_importing_the_package_or_a_room_does_not_load_the_api() -> None:
    code = (
        "import sys, vblkfuzz\n"
        "from vblkfuzz import limits\n"
        "print(sorted(name for name in sys.modules if name.startswith('vblkfuzz')))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['vblkfuzz', 'vblkfuzz._moved', 'vblkfuzz._version', 'vblkfuzz.limits']\n"


class Misspelt(api.VirtioBlk):
    def drained_beginn(self, thread: Thread) -> Steps:
        yield POINT


@pytest.mark.parametrize(
    ("device", "problem"),
    [
        (Misspelt, r"Misspelt.drained_beginn: nothing uses this name; expected drained_begin"),
        (int, r"device int: expected a subclass of VirtioBlk called int"),
        (None, r"device None: expected a subclass of VirtioBlk"),
    ],
)
def test_a_class_is_looked_at_as_one_of_the_command_line_is(
    device: type[api.VirtioBlk], problem: str
) -> None:
    for _ in range(2):
        with pytest.raises(UsageError, match=problem):
            api.run(api.Scenario(), device)


class Ends(api.VirtioBlk):
    def answer_at_once(self, request: Request) -> NoReturn:
        os._exit(3)


def test_a_class_that_ends_its_process_is_found_out() -> None:
    with pytest.raises(AssertionError, match=r"^CRASH: .* exit status 3 in Ends.answer"):
        api.assert_clean(api.Scenario(ops=(api.op("init"), api.op("publish_kick"))), Ends)


def test_only_the_rule_that_is_asked_for_counts() -> None:
    scenario = api.Scenario(
        ops=(api.op("init"), api.op("drain_begin"), api.op("publish_kick"), api.op("reset"))
    )
    api.assert_clean(scenario, "patch-v4", rule="L1")
    with pytest.raises(AssertionError, match=r"^S8: "):
        api.assert_clean(scenario, "patch-v4")
    with pytest.raises(AssertionError, match=r"^S1: "):
        api.assert_clean(scenario, "patch-v4", rule="S1")
