"""A device that has another name today can still be named as in files of older versions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vblkfuzz.dataplane.revisions.patch_v4 import PatchV4
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, load_artifact, read_input
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text
from vblkfuzz.targets.device_class import device_class, is_revision
from vblkfuzz.targets.model import model

BUG = Scenario(ops=(op("init"), op("drain_begin"), op("publish_kick"), op("reset")))


@pytest.mark.parametrize(
    ("former", "current"),
    [
        ("seed", "patch-v4"),
        ("seed+no_selfkick+cleanup_reads", "patch-v4+no_selfkick+cleanup_reads"),
        ("seed.py:Device", "seed.py:Device"),
        ("seed+x.py:Device", "seed+x.py:Device"),
        ("package.seed:seed", "package.seed:seed"),
        ("reference", "reference"),
    ],
)
def test_the_name_of_today(former: str, current: str) -> None:
    assert current_name(former) == current


def test_it_names_the_same_class() -> None:
    assert device_class("seed") is device_class("patch-v4") is PatchV4
    assert is_revision("seed+no_selfkick")


def test_an_artifact_is_read_with_the_name_of_today() -> None:
    written = Artifact(BUG, device="seed+no_selfkick", expectation=Expectation("clean"))
    read = load_artifact(dump_artifact(written), "x.vblk")
    assert read == replace(written, device="patch-v4+no_selfkick")


def test_a_device_of_another_target_keeps_its_name() -> None:
    written = Artifact(BUG, target="other", device="seed")
    assert load_artifact(dump_artifact(written), "x.vblk") == written


def test_a_text_is_read_with_the_name_of_today(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(to_text(BUG, "", Expectation("violation", "S1"), "seed"))
    assert read_input(path).device == "patch-v4"


def test_the_target_has_the_name_of_today_and_the_same_trace() -> None:
    with model("seed", "inline") as former, model("patch-v4", "inline") as current:
        assert former.device == current.device == "patch-v4"
        assert former.run(BUG).digest == current.run(BUG).digest
