"""A folder with findings of several targets: each runs on its own; one that cannot is a line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, Cli
from tests.cli.verbs.conftest import SIGNATURE
from vblkfuzz.errors import DeviceUnavailable, UsageError
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.text import to_text
from vblkfuzz.targets.model import model
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.target import Target
from vblkfuzz.triage import replay_target

REAL = {"qemu": "virtio-blk-pci", "qsd": "vhost-user-blk"}


@pytest.fixture
def mixed(out: Path, bug: Artifact, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An output folder with findings on the model (inline), qemu, qsd, and a target that is gone.

    The model stands for qemu; qsd is not installed.
    """
    for target, device in {**REAL, "gone": "x"}.items():
        finding = out / "findings" / f"s1-{target}" / "finding.vblk"
        finding.parent.mkdir()
        artifact = replace(bug, target=target, device=device, mode="processes")
        finding.write_bytes(dump_artifact(artifact))

    def opened(name: str, device: str, mode: str, options: TargetOptions) -> Target:
        if name == "model":
            return model(device, mode)
        if (device, mode) != (REAL[name], "processes"):
            raise UsageError(f"target {name} has {REAL[name]} and processes only")
        if name == "qsd":
            raise DeviceUnavailable("qemu-storage-daemon: not found")
        started = model("patch-v4", "inline")
        started.name, started.device, started.mode = name, device, mode
        return started

    monkeypatch.setattr(replay_target, "open_target", opened)
    return out


def setups(stdout: str) -> dict[str, tuple[str, str, str, str]]:
    return {
        Path(one["input"]).parent.name.removeprefix("s1-"): (
            one["target"],
            one["device"],
            one["mode"],
            one["verdict"],
        )
        for one in map(json.loads, stdout.splitlines())
    }


OWN = {
    "gone": ("gone", "x", "processes", "harness_error"),
    "qemu": ("qemu", "virtio-blk-pci", "processes", "violation"),
    "qsd": ("qsd", "vhost-user-blk", "processes", "harness_error"),
    SIGNATURE.removeprefix("s1-"): ("model", "patch-v4", "inline", "violation"),
}


def test_each_is_replayed_on_its_own_target(cli: Cli, mixed: Path) -> None:
    result = cli("replay", mixed / "findings", "--json")
    assert setups(result.stdout) == OWN
    assert result.exit_code == 77
    assert result.stderr == ""


def test_each_is_triaged_on_its_own_target(cli: Cli, mixed: Path) -> None:
    result = cli("triage", mixed, "--json")
    found = {
        one["target"]: one["reproduced"] for one in map(json.loads, result.stdout.splitlines())
    }
    assert found == {"model": 3, "qemu": 3, "qsd": 0, "gone": 0}
    assert result.exit_code == 125
    listed = cli("triage", mixed)
    assert "    not run: qemu-storage-daemon: not found\n" in listed.stdout
    assert "    not run: target gone: expected one of model, qemu" in listed.stdout
    assert listed.stderr == ""


def test_an_inline_one_does_not_block_a_target(cli: Cli, mixed: Path) -> None:
    found = setups(cli("replay", mixed / "findings", "--target", "qemu", "--json").stdout)
    assert set(found.values()) == {("qemu", "virtio-blk-pci", "processes", "violation")}


def test_a_device_for_the_model_is_refused_by_the_others(cli: Cli, mixed: Path) -> None:
    found = setups(cli("replay", mixed / "findings", "--device", "reference", "--json").stdout)
    assert {one[0]: one[3] for one in found.values()} == {
        "gone": "harness_error",
        "model": "clean",
        "qemu": "harness_error",
        "qsd": "harness_error",
    }


def test_a_device_that_the_asked_target_does_not_have_is_a_usage_error(
    cli: Cli, mixed: Path
) -> None:
    result = cli("replay", mixed / "findings", "--target", "qemu", "--device", "patch-v4")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_report_says_what_was_not_run(cli: Cli, mixed: Path, tmp_path: Path) -> None:
    result = cli("export", mixed, "--to", "html", "-o", tmp_path / "report.html")
    assert result.exit_code == 125
    first, second = sorted(result.stderr.splitlines())
    assert first.startswith(
        f"vblkfuzz: {mixed}/findings/s1-gone/finding.vblk: not run: target gone"
    )
    assert second.endswith("s1-qsd/finding.vblk: not run: qemu-storage-daemon: not found")
    page = (tmp_path / "report.html").read_text()
    assert "All findings were run again" not in page
    assert "2 of 4 findings were run again for this report" in page


def test_the_command_for_one_of_another_target_names_it(cli: Cli, mixed: Path) -> None:
    last = cli("triage", mixed, "--target", "qemu").stdout.splitlines()[-1]
    assert last.endswith("--target qemu")


def test_one_bug_of_two_devices_in_one_folder(cli: Cli, tmp_path: Path) -> None:
    """The finding of the second device was lost: that of the first one had its name."""
    out, bug = tmp_path / "both", tmp_path / "bug.toml"
    bug.write_text(to_text(BUG))
    for device, place in (("patch-v4", ""), ("qemu-8.1", "@2"), ("patch-v4", "")):
        words = ("--device", device, "--deviations", "0", "--out", out, "--json")
        found = json.loads(cli("explore", bug, *words).stdout)["findings"]
        assert f"{out}/findings/{SIGNATURE}{place}" in [one["path"] for one in found]
    listed = cli("triage", out, "--repeat", "1").stdout.splitlines()
    assert {SIGNATURE, f"{SIGNATURE}@2"} <= {*listed}
    for name, device in ((SIGNATURE, "patch-v4"), (f"{SIGNATURE}@2", "qemu-8.1")):
        shown = json.loads(cli("triage", out, "show", name, "--json").stdout)
        assert (shown["signature"], shown["device"]) == (SIGNATURE, device)
