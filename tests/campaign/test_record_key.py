"""Under which key a worker records features: a device that may be another one has another key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.campaign.conftest import Fuzz
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.campaign.record_key import key_of
from vblkfuzz.launch.plan import WorkerPlan
from vblkfuzz.targets.options import TargetOptions


class Program:
    """A target that has started a program."""

    def __init__(self, **versions: str) -> None:
        self.versions = {name.replace("_", "-"): version for name, version in versions.items()}


class Probes:
    """Probes that were placed."""

    next = 7


def key(target: object, plan: WorkerPlan) -> str:
    values: list[Any] = [plan, target, Probes()]
    return key_of(*values)


@pytest.fixture
def plan(tmp_path: Path) -> WorkerPlan:
    program = tmp_path / "qsd"
    program.write_bytes(b"a build")
    program.chmod(0o755)
    return WorkerPlan(
        index=0,
        target="qsd",
        target_options=TargetOptions(qsd_binary=str(program)),
        device="vhost-user-blk",
        mode="processes",
        seed=1,
        out=str(tmp_path),
        record="a campaign",
    )


def test_a_program_is_its_version_and_its_content(plan: WorkerPlan) -> None:
    old = Program(qemu_storage_daemon="7.2")
    first = key(old, plan)
    assert len(first) == 40
    assert key(old, replace(plan, index=1, seed=2, record="another campaign")) == first
    assert key(Program(qemu_storage_daemon="8.0"), plan) != first
    assert key(old, replace(plan, without=["kick"])) != first
    Path(plan.target_options.qsd_binary).write_bytes(b"another of the same version")
    assert key(old, plan) != first


@pytest.mark.parametrize(
    ("change", "versions"),
    [
        ({}, {}),
        ({"coverage": "functions"}, {"qemu_storage_daemon": "7.2"}),
        ({"feedback": False}, {"qemu_storage_daemon": "7.2"}),
        ({"target": "model"}, {"qemu_storage_daemon": "7.2"}),
        ({}, {"no_such_program": "7.2"}),
    ],
    ids=["unknown program", "its own coverage", "no feedback", "no model", "no file"],
)
def test_without_a_key_there_is_no_record(
    plan: WorkerPlan, change: dict[str, Any], versions: dict[str, str]
) -> None:
    assert key(Program(**versions), replace(plan, **change)) == ""


@NEEDS_QEMU
@pytest.mark.realdevice
def test_a_second_campaign_on_qemu_runs_nothing_of_the_corpus_again(fuzz: Fuzz) -> None:
    arguments = ("--target", "qemu", "--workers", "1")
    first = fuzz(*arguments, "--runs", "25")
    again = fuzz(*arguments, "--runs", "2", "--seed", "2")
    assert again.summary["corpus"] >= first.summary["corpus"] > 2
    assert again.summary["features"] >= 0.9 * first.summary["features"]
    assert again.summary["execs"] == 2
