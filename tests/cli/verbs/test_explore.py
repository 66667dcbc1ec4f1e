"""`vblkfuzz explore`: its output, the findings that it saves, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, run

import pytest

from tests.checkout import CHECKOUT
from tests.cli.conftest import Cli
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.cli.views.explore import ExploreView
from vblkfuzz.counted import counted
from vblkfuzz.errors import ActorHung
from vblkfuzz.explore.search import Visit
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.store.atomic import write_folder
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.trace.trace import Trace

RAISES = """
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

class Raises(VirtioBlk):
    def drained_begin(self, thread):
        raise ValueError("oh")
        yield
"""
S1 = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"


@pytest.fixture
def bug_file(tmp_path: Path, bug: Artifact) -> Path:
    path = tmp_path / "bug.vblk"
    path.write_bytes(dump_artifact(bug))
    return path


def test_a_clean_result_has_the_number_of_schedules(
    cli: Cli, bug_file: Path, tmp_path: Path
) -> None:
    command = ("explore", bug_file, "--device", "reference", "--deviations", 1)
    result = cli(*command, "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("reference: all ")
    assert result.stdout.endswith(" schedules of at most 1 deviation, 0 findings\n")


def test_findings_are_saved_and_replay(cli: Cli, bug_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = cli("explore", bug_file, "--deviations", 1, "--out", out)
    assert result.exit_code == 77
    assert result.stdout.splitlines()[0].startswith("patch-v4: all ")
    assert f"S1  0 deviations  {S1}" in result.stdout
    assert "S1: Request 1 was dequeued" in result.stderr
    assert str(out / "findings" / S1) in result.stderr
    again = cli("replay", out / "findings" / S1)
    assert again.exit_code == 77
    assert S1 in cli("triage", out).stdout


def test_json_is_one_object(cli: Cli, bug_file: Path, tmp_path: Path) -> None:
    arguments = ("--deviations", 0, "--defect", "no_selfkick", "--device", "reference", "--json")
    result = cli("explore", bug_file, *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "input": str(bug_file),
        "target": "model",
        "device": "reference+no_selfkick",
        "mode": "inline",
        "deviations": 0,
        "schedules": 1,
        "complete": True,
        "findings": [],
        "unjudged": [],
    }


def test_json_of_findings(cli: Cli, bug_file: Path, tmp_path: Path) -> None:
    result = cli("explore", bug_file, "--deviations", 0, "--json", "--out", tmp_path / "out")
    found = {one["signature"]: one for one in json.loads(result.stdout)["findings"]}
    assert found[S1] == {
        "signature": S1,
        "rule": "S1",
        "deviations": 0,
        "confidence": None,
        "known": "open: stop in a drain reads the notifiers as it closes them (B1)",
        "path": str(tmp_path / "out" / "findings" / S1),
    }


def test_a_budget_ends_it(cli: Cli, bug_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = cli("explore", bug_file, "--device", "reference", "--runs", 7, "--out", out)
    assert result.exit_code == 0
    assert "reference: stopped after 7 schedules of at most 2 deviations" in result.stdout


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 72)])
def test_a_signal_ends_it_with_what_it_has(
    cli: Cli,
    bug_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    status: int,
) -> None:
    update = ExploreView.update

    def stopped(self: ExploreView, visit: Visit, findings: int) -> None:
        update(self, visit, findings)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(ExploreView, "update", stopped)
    result = cli("explore", bug_file, "--out", tmp_path / "out")
    assert result.exit_code == status
    assert "patch-v4: stopped after 1 schedule of" in result.stdout
    assert (tmp_path / "out" / "findings" / S1 / "finding.vblk").exists()


def test_an_existing_finding_is_kept(cli: Cli, bug_file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "out" / "findings" / S1
    command = ("explore", bug_file, "--deviations", 0, "--out", tmp_path / "out")
    assert cli(*command).exit_code == 77
    (kept / "trace.txt").write_text("mine")
    before = {path: path.read_bytes() for path in kept.iterdir()}
    assert cli(*command).exit_code == 77
    assert {path: path.read_bytes() for path in kept.iterdir()} == before


def test_a_users_device_that_raises_is_a_finding(cli: Cli, bug_file: Path, tmp_path: Path) -> None:
    """Schedules go on from where it raised: there may be another bug before that."""
    device = tmp_path / "raises.py"
    device.write_text(RAISES)
    result = cli("explore", bug_file, "--device", f"{device}:Raises", "--out", tmp_path / "out")
    assert result.exit_code == 77
    (crash,) = (tmp_path / "out" / "findings").iterdir()
    assert crash.name.startswith("crash-valueerror-raises-drained_begin-")
    assert "ValueError: oh" in (crash / "device.txt").read_text()
    assert int(result.stdout.split()[2].replace(",", "")) > 50


def test_a_device_that_only_a_file_names_is_not_imported(
    cli: Cli, bug: Artifact, tmp_path: Path
) -> None:
    path = tmp_path / "strange.vblk"
    path.write_bytes(dump_artifact(replace(bug, device="evil.module:Device")))
    result = cli("explore", path, "--out", tmp_path / "out")
    assert result.exit_code == 125
    assert "pass --device evil.module:Device to allow it" in result.stderr


def test_an_unreadable_input_is_reported_in_one_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "broken.vblk"
    path.write_bytes(b"?")
    result = cli("explore", path, "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_reported(
    cli: Cli, bug_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def full(path: Path, files: dict[str, bytes]) -> bool:
        if path.is_relative_to(out):
            raise OSError(28, "No space left on device")
        return write_folder(path, files)

    monkeypatch.setattr("vblkfuzz.store.finding.write_folder", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = cli("explore", bug_file, "--deviations", 0, "--out", out)
    assert result.exit_code == 125
    assert f"not in the output folder: No space left on device: {out}" in result.stderr
    (rescued,) = tmp_path.glob(f"vblkfuzz-finding-*/{S1}/finding.vblk")
    assert f"{rescued.parent}" in result.stderr


def test_one_input_at_a_time(cli: Cli, tmp_path: Path, bug: Artifact) -> None:
    for name in ("a.vblk", "b.vblk"):
        scenario = replace(bug.scenario, ops=(*bug.scenario.ops, op("collect")))
        (tmp_path / name).write_bytes(dump_artifact(replace(bug, scenario=scenario)))
    result = cli("explore", tmp_path)
    assert result.exit_code == 2
    assert "expected one input, found 2" in result.stderr


@pytest.mark.realdevice
@NEEDS_QEMU
def test_on_qemu_the_same_command_goes_on(cli: Cli, tmp_path: Path) -> None:
    """From what the first call has learnt to the end, then from the start again."""
    path, out = tmp_path / "plain.toml", tmp_path / "out"
    path.write_text('format = 1\nops = [{op = "init"}, {op = "publish_kick"}]\n')
    command = ("explore", path, "--target", "qemu", "--deviations", 1, "--op", 1, "--out", out)
    first = cli(*command, "--runs", 20)
    assert (first.exit_code, first.stderr.splitlines()[0].split()[0]) == (0, "stopped")
    assert "virtio-blk-pci: stopped after 20 schedules of at most 1 deviation" in first.stdout
    assert (out / "explore.json").exists()
    other = cli(*command, "--op", 0)
    assert (other.exit_code, other.stderr.count("\n")) == (2, 1)
    assert "has another choice of operations;" in other.stderr
    rest = cli(*command, "--json")
    assert rest.exit_code == 0
    assert rest.stderr.startswith("going on after 20 schedules\n")
    said = json.loads(rest.stdout)
    assert (said["complete"], said["findings"], said["unjudged"]) == (True, [], [])
    assert said["schedules"] > 20 + 2 * 8  # one thread passes about eight light points
    assert not (out / "explore.json").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--target qsd --no-serial", "--no-serial: no schedule has an effect then"),
        ("--target vhost-user --vhost-user-socket x", "a back-end that runs already has no gate"),
        ("--target qemu --no-serial", "--no-serial: no schedule has an effect then"),
        ("--op 3", "--op 3: the input has 3 operations, 0 is first"),
    ],
)
def test_what_cannot_be_explored_is_one_line(
    cli: Cli, tmp_path: Path, words: str, problem: str
) -> None:
    path = tmp_path / "three.toml"
    path.write_text('format = 1\nops = [{op = "init"}, {op = "kick"}, {op = "kick"}]\n')
    result = cli("explore", path, *words.split(), "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert problem in result.stderr
    assert not (tmp_path / "out").exists()


def test_chosen_operations_on_the_model(cli: Cli, bug_file: Path, tmp_path: Path) -> None:
    command = ("explore", bug_file, "--device", "reference", "--deviations", 1, "--json")
    whole, part = (
        json.loads(cli(*command, *more, "--out", tmp_path / "out").stdout)["schedules"]
        for more in ((), ("--op", 1, "--op", 3))
    )
    assert 1 < part < whole


def test_schedules_without_a_verdict_are_listed(
    cli: Cli, bug_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = InlineModel.run

    def lost(self: InlineModel, scenario: Scenario) -> Trace:
        if scenario.schedule == (Deviation(1, 0, Go.MAIN),):
            raise ActorHung("it hangs")
        return run(self, scenario)

    monkeypatch.setattr(InlineModel, "run", lost)
    command = ("explore", bug_file, "--device", "reference", "--deviations", 1)
    result = cli(*command, "--out", tmp_path / "out")
    assert result.exit_code == 125
    assert result.stdout.splitlines()[-2:] == [
        "1 schedule could not be judged:",
        "  at point 0 of operation 1, go on with the main loop: it hangs",
    ]


STORIES = ("explore", "--alphabet", "init,drain_begin,publish_kick,reset", "--deviations", 0)


def test_all_stories_of_a_correct_device_are_clean(cli: Cli, tmp_path: Path) -> None:
    command = (*STORIES, "--stories", 3, "--device", "reference", "--workers", 1)
    result = cli(*command, "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "reference: all 39 stories, 39 schedules of at most 0 deviations: clean\n"
    )
    assert not (tmp_path / "out" / "explore-stories.json").exists()


def test_the_shortest_stories_of_each_bug_are_saved(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = cli(*STORIES, "--stories", 4, "--workers", 2, "--out", out)
    assert result.exit_code == 77
    assert f"S1  4 operations, 0 deviations  {S1}" in result.stdout
    assert "shortest: 4 operations" in result.stderr
    assert cli("replay", out / "findings" / S1).exit_code == 77


def test_stories_as_json(cli: Cli, tmp_path: Path) -> None:
    result = cli(*STORIES, "--stories", 1, "--json", "--out", tmp_path / "out")
    said = json.loads(result.stdout)
    assert (said["stories"], said["schedules"], said["complete"]) == (3, 3, True)
    (finding,) = said["findings"]
    assert (finding["rule"], finding["operations"], finding["deviations"]) == ("S8", 1, 0)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("", "expected either an input or --stories N"),
        ("in.toml --stories 2", "expected either an input or --stories N"),
        ("--stories 2 --target qemu", "--stories: works on the model"),
        ("--stories 2 --alphabet nothing", "--alphabet nothing: expected an alphabet or"),
        ("--stories 2 --device DEVICE:Raises", "is not one of those that are built in"),
    ],
)
def test_stories_that_cannot_be_explored(
    cli: Cli, tmp_path: Path, words: str, problem: str
) -> None:
    device = tmp_path / "device.py"
    device.write_text(RAISES)
    words = words.replace("DEVICE", str(device))
    result = cli("explore", *words.split(), "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert problem in result.stderr
    assert not (tmp_path / "out").exists()


def test_stories_that_were_killed_go_on(tmp_path: Path) -> None:
    """As after a loss of power: what is in the position is not run again."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "vblkfuzz", *map(str, STORIES), "--out", str(out)]
    command += ["--device", "reference", "--stories", "5", "--workers", "2"]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    position = out / "explore-stories.json"
    with Popen(command, env=environment, stdout=PIPE, stderr=DEVNULL) as killed:
        while not position.exists() and killed.poll() is None:
            time.sleep(0.01)
        killed.kill()
    before = json.loads(position.read_bytes())["units"]
    again = run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert f"going on after {counted(len(before), 'group')} of stories" in again.stderr
    whole = "reference: all 363 stories"
    assert again.stdout.startswith(whole), again.stdout
