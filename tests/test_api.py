"""The package offers its API, and loads it only when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import vblkfuzz
from vblkfuzz import api


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
    assert run.stdout == "['vblkfuzz', 'vblkfuzz._version', 'vblkfuzz.limits']\n"


def test_only_the_rule_that_is_asked_for_counts() -> None:
    scenario = api.Scenario(
        ops=(api.op("init"), api.op("drain_begin"), api.op("publish_kick"), api.op("reset"))
    )
    api.assert_clean(scenario, "seed", rule="L1")
    with pytest.raises(AssertionError, match=r"^S8: "):
        api.assert_clean(scenario, "seed")
    with pytest.raises(AssertionError, match=r"^S1: "):
        api.assert_clean(scenario, "seed", rule="S1")
