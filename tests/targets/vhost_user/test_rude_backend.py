"""Back-ends that go wrong in the handshake: which is a finding, and what the others are told."""

from __future__ import annotations

import sys

import pytest

from tests.conformance.leftovers import nothing_left
from tests.targets.vhost_user import rude_backend
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.activity import silence
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.vhost_user import rig
from vblkfuzz.targets.vhost_user.target import vhost_user_target


def target(manner: str) -> RealTarget:
    command = f"{sys.executable} {rude_backend.__file__} {{socket}} {manner}"
    options = TargetOptions(vhost_user_command=command)
    return vhost_user_target("vhost-user-blk", "processes", options)


SAID = {
    "closes": ("crash-closed", "closed a new connection instead of an answer"),
    "short": ("crash-protocol-", "(GET_FEATURES: expected 8 bytes, found 4)"),
    "other_version": ("crash-protocol-", "(flags: expected version 1, found 0x6)"),
}


@pytest.mark.parametrize("manner", SAID)
def test_a_broken_protocol_is_a_finding(manner: str) -> None:
    name, words = SAID[manner]
    with nothing_left(), target(manner) as device:
        (found,) = run_scenario(device, Scenario()).verdict.violations
    assert found.signature.startswith(name)
    assert words in found.sentence


def test_silence_in_the_handshake_is_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vblkfuzz.targets.ending.backtrace", lambda _pid: "")  # seconds of gdb
    monkeypatch.setattr(rig, "_ASLEEP_LOOKS", silence.ASLEEP_LOOKS)
    with nothing_left(), target("silent") as device:
        (found,) = run_scenario(device, Scenario()).verdict.violations
    assert found.signature.startswith("hang-guest")


def test_a_back_end_for_one_connection_is_told_so() -> None:
    with nothing_left(), target("once") as device:
        assert run_scenario(device, Scenario()).verdict.clean
        with pytest.raises(HarnessError, match="closes a second connection at once") as raised:
            device.run(Scenario())
    assert "\n" not in str(raised.value)


def test_a_legacy_device_is_told_so() -> None:
    with (
        nothing_left(),
        target("legacy") as device,
        pytest.raises(HarnessError, match="legacy device: expected feature VERSION_1") as raised,
    ):
        device.run(Scenario())
    assert "\n" not in str(raised.value)
