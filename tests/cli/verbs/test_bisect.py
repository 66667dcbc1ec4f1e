"""`vblkfuzz bisect`: a table of devices and verdicts, and an exit code for `git bisect run`."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, Cli
from tests.triage.unsteady import Unsteady
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.text import to_text
from vblkfuzz.targets import registry
from vblkfuzz.targets.model import model
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.target import Target


def standings(text: str) -> dict[str, str]:
    rows = [line.split() for line in text.splitlines()]
    return {row[0]: row[1] for row in rows if row[0] in REVISIONS}


def test_revisions_of_the_model(cli: Cli, finding: Path) -> None:
    result = cli("bisect", finding)
    assert (result.exit_code, result.stderr) == (77, "")
    found = standings(result.stdout)
    assert list(found) == list(REVISIONS)
    assert found.pop("reference") == "good"
    assert set(found.values()) == {"bad"}
    assert result.stdout.splitlines()[-2:] == [
        "first bad: qemu-8.0",
        "first good after it: reference",
    ]


def test_usage(cli: Cli) -> None:
    first = cli("bisect", "--help").stdout.splitlines()[0]
    assert first == "Usage: vblkfuzz bisect [OPTIONS] PATH [--binaries BINARY...]"


def test_the_folder_of_a_finding(cli: Cli, finding: Path) -> None:
    assert cli("bisect", finding.parent).stdout == cli("bisect", finding).stdout


def test_by_signature(cli: Cli, finding: Path) -> None:
    result = cli("bisect", finding, "--by", "signature")
    assert standings(result.stdout)["qemu-8.0"] == "good"
    assert "first bad: patch-v4 (last good: qemu-8.0)\n" in result.stdout


def test_json(cli: Cli, finding: Path) -> None:
    found = json.loads(cli("bisect", finding, "--repeat", "2", "--json").stdout)
    assert found["input"] == str(finding)
    assert [each["name"] for each in found["devices"]] == list(REVISIONS)
    assert {each["runs"] for each in found["devices"]} == {2}
    assert [(each["after"], each["standing"]) for each in found["changes"]] == [
        ("qemu-8.0", "bad"),
        ("reference", "good"),
    ]


def test_a_bug_that_no_device_has(cli: Cli, bug: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "other.vblk"
    path.write_bytes(dump_artifact(replace(bug, expectation=Expectation("violation", "L5"))))
    result = cli("bisect", path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "none of them shows the bug"
    assert cli("bisect", path, "--by", "any").exit_code == 77


def test_without_an_expectation_anything_counts(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "bug.toml"
    path.write_text(to_text(BUG))
    assert cli("bisect", path).exit_code == 77


@pytest.fixture
def qemu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model in place of QEMU: `old` and `new` are binaries, any other one is missing."""

    def opened(name: str, device: str, mode: str, options: TargetOptions) -> Target:
        assert (name, device, mode) == ("qemu", "virtio-blk-pci", "processes")
        if options.qemu_binary == "unsteady":
            return Unsteady(every=2)
        revisions = {"old": "qemu-8.1", "new": "reference"}
        if options.qemu_binary not in revisions:
            raise HarnessError(f"{options.qemu_binary}: not found")
        return model(revisions[options.qemu_binary], "inline")

    # Imports the name `open_target`: if that happened later, it would keep `opened` for good.
    importlib.import_module("vblkfuzz.triage.replay_target")
    monkeypatch.setattr(registry, "open_target", opened)


@pytest.mark.usefixtures("qemu")
def test_binaries(cli: Cli, finding: Path) -> None:
    result = cli("bisect", finding, "--binaries", "old", "missing", "new")
    assert result.exit_code == 77
    assert [line.split()[:3] for line in result.stdout.splitlines()[:3]] == [
        ["old", "bad", "1/1"],
        ["missing", "skip", "-"],
        ["new", "good", "0/1"],
    ]


@pytest.mark.usefixtures("qemu")
@pytest.mark.parametrize(
    ("binaries", "status"),
    [("old", 77), ("new", 0), ("missing", 125), ("new missing", 125), ("missing old", 77)],
)
def test_what_git_bisect_run_reads(cli: Cli, finding: Path, binaries: str, status: int) -> None:
    assert cli("bisect", finding, "--binaries", *binaries.split()).exit_code == status


@pytest.mark.usefixtures("qemu")
def test_a_bug_that_shows_in_some_runs(cli: Cli, finding: Path) -> None:
    assert cli("bisect", finding, "--binaries", "unsteady").exit_code == 0
    result = cli("bisect", finding, "--binaries", "unsteady", "--repeat", "5")
    assert result.exit_code == 77
    assert result.stdout.split()[:3] == ["unsteady", "bad", "2/5"]


def test_binaries_without_the_option(cli: Cli, finding: Path) -> None:
    result = cli("bisect", finding, "old")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("vblkfuzz: old: expected one PATH")


def test_several_inputs(cli: Cli, finding: Path, clean: Path) -> None:
    result = cli("bisect", clean.parent)
    assert result.exit_code == 2
    assert "expected one input, found 2: name one of them" in result.stderr
