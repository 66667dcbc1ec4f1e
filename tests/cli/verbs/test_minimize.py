"""`vblkfuzz minimize`: the smallest scenario with the same bug, and inputs without a bug."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.cli.options.stop import Stop
from vblkfuzz.cli.views.minimize import MinimizeView
from vblkfuzz.errors import ExitStatus
from vblkfuzz.minimize.minimize import Progress, StopMinimizing
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, read_input
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.scenario.text import read_text, to_text


@pytest.fixture
def large(tmp_path: Path, bug: Artifact) -> Path:
    """The bug of patch-v4, with many operations around it."""
    noise = (op("collect"), op("suppress_calls", on="yes"), op("publish_kick", queue=1))
    scenario = Scenario(
        replace(bug.scenario.device, queues=2, polling=True),
        (*bug.scenario.ops[:1], *noise, *bug.scenario.ops[1:], *noise),
        (Deviation(1, 3, Go.MAIN), Deviation(9, 0, Go.NEXT)),
    )
    path = tmp_path / "large.vblk"
    path.write_bytes(dump_artifact(replace(bug, scenario=scenario)))
    return path


@pytest.mark.parametrize("mode", ["inline", "processes"])
def test_into_text(cli: Cli, large: Path, bug: Artifact, tmp_path: Path, mode: str) -> None:
    output = tmp_path / "small.toml"
    result = cli("minimize", large, "-o", output, "--mode", mode)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "  after      4 operations, 0 deviations\n" in result.stdout
    text = read_text(output.read_text(), "small")
    names = [each.name for each in text.scenario.ops]
    assert names == ["init", "drain_begin", "publish_kick", "reset"]
    assert (text.expectation, text.on) == (bug.expectation, "patch-v4")
    assert output.read_text().startswith("# Request 1 was dequeued from queue 0 at turn ")
    assert cli("replay", output).exit_code == 77


def test_into_an_artifact(cli: Cli, large: Path, bug: Artifact, tmp_path: Path) -> None:
    output = tmp_path / "small.vblk"
    result = cli("minimize", large, "-o", output, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert bug.expectation is not None
    kept = read_input(output)
    assert kept.expectation == bug.expectation
    assert (kept.device, kept.mode, kept.trace_digest) == (
        "patch-v4",
        "inline",
        found["trace_digest"],
    )
    assert found == {
        "input": str(large),
        "output": str(output),
        "rule": "S1",
        "signature": bug.expectation.signature,
        "trace_digest": kept.trace_digest,
        "target": "model",
        "device": "patch-v4",
        "mode": "inline",
        "ops": 4,
        "deviations": 0,
        "ops_before": 10,
        "deviations_before": 2,
        "tried": found["tried"],
        "harness_errors": 0,
        "complete": True,
    }
    again = cli("replay", "--json", output)
    assert json.loads(again.stdout)["matches"] is True
    assert json.loads(again.stdout)["notes"] == []


def test_the_result_is_the_same_every_time(cli: Cli, large: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        cli("minimize", large, "-o", tmp_path / f"{name}.vblk")
    assert (tmp_path / "one.vblk").read_bytes() == (tmp_path / "other.vblk").read_bytes()
    cli("minimize", tmp_path / "one.vblk", "-o", tmp_path / "again.vblk")
    assert (tmp_path / "again.vblk").read_bytes() == (tmp_path / "one.vblk").read_bytes()


def test_a_file_that_exists(cli: Cli, large: Path, tmp_path: Path) -> None:
    output = tmp_path / "mine.toml"
    output.write_text("mine")
    result = cli("minimize", large, "-o", output)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"vblkfuzz: {output}: exists; --force replaces it\n"
    assert output.read_text() == "mine"
    assert cli("minimize", large, "-o", output, "--force").exit_code == 0
    assert output.read_text() != "mine"


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("small.bin", "expected a name that ends in .vblk or .toml"),
        ("nowhere/small.toml", "cannot be written: no such folder"),
    ],
)
def test_an_output_that_cannot_be(
    cli: Cli, large: Path, tmp_path: Path, output: str, problem: str
) -> None:
    result = cli("minimize", large, "-o", tmp_path / output)
    assert result.exit_code == 2
    assert result.stderr == f"vblkfuzz: {tmp_path / output}: {problem}\n"


def test_a_clean_input(cli: Cli, clean: Path, tmp_path: Path) -> None:
    result = cli("minimize", clean, "-o", tmp_path / "x.toml", "--device", "reference")
    assert result.exit_code == 125
    assert result.stderr.startswith(f"vblkfuzz: {clean}: is clean on model reference (processes)")
    assert not (tmp_path / "x.toml").exists()


def test_an_input_that_does_not_reproduce(cli: Cli, bug: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "other.vblk"
    other = Expectation("violation", "L5", "l5")
    path.write_bytes(dump_artifact(replace(bug, expectation=other)))
    result = cli("minimize", path, "-o", tmp_path / "x.toml")
    assert result.exit_code == 125
    assert result.stderr.startswith(
        f"vblkfuzz: {path}: does not show l5 on model patch-v4 (inline)"
    )
    assert result.stderr.count("\n") == 1


def test_what_only_the_file_names_is_not_imported(cli: Cli, bug: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "untrusted.vblk"
    path.write_bytes(dump_artifact(replace(bug, device="evil.py:Device")))
    result = cli("minimize", path, "-o", tmp_path / "x.toml")
    assert result.exit_code == 125
    assert "pass --device evil.py:Device to allow it" in result.stderr


def test_a_file_that_cannot_be_read(cli: Cli, bad: Path, tmp_path: Path) -> None:
    result = cli("minimize", bad, "-o", tmp_path / "x.toml")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"vblkfuzz: {bad}: ops[0].op: expected one of init,")


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 72)], ids=["ctrl-C", "SIGTERM"]
)
def test_stopped_with_the_best_so_far(
    cli: Cli,
    large: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    status: int,
) -> None:
    update = MinimizeView.update

    def interrupted(self: MinimizeView, progress: Progress) -> None:
        if progress.tried == 5:
            signal.raise_signal(number)
        update(self, progress)

    monkeypatch.setattr(MinimizeView, "update", interrupted)
    before = signal.getsignal(number)
    result = cli("minimize", large, "-o", tmp_path / "best.vblk")
    assert signal.getsignal(number) == before
    assert result.exit_code == status
    assert "5, stopped before the end\n" in result.stdout
    best = read_input(tmp_path / "best.vblk").scenario
    assert 4 <= len(best.ops) < len(read_input(large).scenario.ops)
    assert cli("replay", tmp_path / "best.vblk").exit_code == 77


def test_the_first_signal_counts(bug: Artifact) -> None:
    with Stop() as stop, MinimizeView(bug.scenario, stop) as view:
        view.update(Progress(bug.scenario, 1))
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop.status is ExitStatus.INTERRUPTED
        with pytest.raises(StopMinimizing):
            view.update(Progress(bug.scenario, 2))


def test_another_bug_is_not_written(cli: Cli, large: Path, bug: Artifact, tmp_path: Path) -> None:
    """The file asks for one signature: the smallest input of another one is no answer."""
    output, other = tmp_path / "small.vblk", tmp_path / "other.vblk"
    recorded = Expectation("violation", "S1", "s1-another")
    other.write_bytes(dump_artifact(replace(read_input(large), expectation=recorded)))
    refused = cli("minimize", other, "-o", output)
    assert (refused.exit_code, refused.stdout) == (125, "")
    assert "other.vblk: does not show s1-another on model patch-v4" in refused.stderr
    assert bug.expectation is not None
    assert bug.expectation.signature in refused.stderr
    assert not output.exists()
    asked = cli("minimize", other, "-o", output, "--signature", bug.expectation.signature)
    assert asked.exit_code == 0
    assert read_input(output).expectation == bug.expectation


def test_a_finding_gets_its_result_beside_it(cli: Cli, finding: Path, large: Path) -> None:
    folder = finding.parent
    finding.write_bytes(large.read_bytes())
    result = cli("minimize", finding)
    assert (result.exit_code, result.stderr) == (0, "")
    small = folder / "minimized.vblk"
    assert f"  written    {small}\n" in result.stdout
    assert finding.read_bytes() == large.read_bytes()
    assert len(read_input(small).scenario.ops) == 4
    assert cli("replay", small).exit_code == 77
    before = {path: path.read_bytes() for path in folder.iterdir()}
    again = cli("minimize", folder.parents[1])
    assert (again.exit_code, again.stderr) == (0, "")
    done = "minimized already: 10 operations + 2 deviations became 4 + 0 in "
    assert again.stdout.startswith(f"{small}: {done}")
    (line,) = cli("minimize", folder, "--json").stdout.splitlines()
    assert (json.loads(line)["before"], json.loads(line)["complete"]) == (True, True)
    assert before == {path: path.read_bytes() for path in folder.iterdir()}


def test_a_smaller_one_of_a_user_is_kept(cli: Cli, finding: Path, large: Path) -> None:
    small = finding.with_name("minimized.vblk")
    cli("minimize", finding, "-o", finding.with_name("mine.vblk"))
    mine = finding.with_name("mine.vblk").read_bytes()
    small.write_bytes(mine)
    finding.write_bytes(large.read_bytes())
    result = cli("minimize", finding)
    assert (result.exit_code, small.read_bytes()) == (0, mine)
    small.write_bytes(large.read_bytes())
    assert cli("minimize", finding).exit_code == 0
    assert len(read_input(small).scenario.ops) == 4


def test_the_name_of_the_result_of_another_file(cli: Cli, large: Path, bug: Artifact) -> None:
    text = large.with_name("mine.toml")
    text.write_text(to_text(read_input(large).scenario, "", bug.expectation, "patch-v4"))
    before = text.read_text()
    for path, result in ((text, "mine.minimized.toml"), (large, "large.minimized.vblk")):
        assert cli("minimize", path).exit_code == 0
        assert len(read_input(path.with_name(result)).scenario.ops) == 4
    assert text.read_text() == before
    again = cli("minimize", text)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "mine.minimized.toml: exists; --force replaces it" in again.stderr


def test_a_folder(cli: Cli, large: Path, bug: Artifact, bad: Path) -> None:
    """Each input; the others follow one that cannot be done, and results are no inputs."""
    folder = large.parent
    other = folder / "gone.vblk"
    gone = Expectation("violation", "S1", "s1-gone")
    other.write_bytes(dump_artifact(replace(bug, expectation=gone)))
    result = cli("minimize", folder, "--json")
    assert result.exit_code == 125
    assert [json.loads(line)["input"] for line in result.stdout.splitlines()] == [str(large)]
    said = result.stderr.splitlines()
    assert [line.split(": ")[1] for line in said] == [str(bad), str(other)]
    assert "does not show s1-gone on model patch-v4" in said[1]
    again = cli("minimize", folder, "--force")
    assert again.stdout.count("signature") == 1
    assert not list(folder.glob("*.minimized.minimized.*"))


def test_only_one_input_for_one_output(cli: Cli, large: Path, clean: Path, tmp_path: Path) -> None:
    result = cli("minimize", tmp_path, "-o", tmp_path / "x.vblk")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "expected one input, found 2: leave out -o" in result.stderr
    assert large.exists() and clean.exists()


def test_findings_by_the_beginning_of_their_signature(
    cli: Cli, finding: Path, bug: Artifact
) -> None:
    out = finding.parents[2]
    for name in ("s1-other", "s2"):
        (out / "findings" / name).mkdir()
        (out / "findings" / name / "finding.vblk").write_bytes(dump_artifact(bug))

    def done(beginning: str) -> list[str]:
        result = cli("minimize", out, beginning, "--json")
        assert (result.exit_code, result.stderr) == (0, "")
        found = [json.loads(one)["input"] for one in result.stdout.splitlines()]
        return sorted(Path(one).parent.name for one in found)

    assert done("s1") == ["s1"], "that is one, not only the beginning"
    assert done("s1-") == ["s1-other"]
    assert done("s") == ["s1", "s1-other", "s2"]
    missed = cli("minimize", out, "s3")
    assert missed.exit_code == 2
    assert missed.stderr.startswith(f"vblkfuzz: {out}: s3: no such finding; there is s1")


def test_the_beginning_of_another_violation(
    cli: Cli, finding: Path, bug: Artifact, tmp_path: Path
) -> None:
    assert bug.expectation is not None
    output = tmp_path / "s8.toml"
    assert cli("minimize", finding, "--signature", "s8-start-tw", "-o", output).exit_code == 0
    assert read_input(output).expectation == Expectation("violation", "S8", "s8-start-twice")
    many = cli("minimize", finding, "--signature", "s", "-o", tmp_path / "x.toml")
    assert many.exit_code == 0, "the recorded one begins like that"
    assert read_input(tmp_path / "x.toml").expectation == bug.expectation
    text = tmp_path / "plain.toml"
    text.write_text(to_text(bug.scenario))
    many = cli("minimize", text, "--signature", "s")
    assert many.exit_code == 2
    assert "--signature s: several begin like that: s1-" in many.stderr
    beside = cli("minimize", finding, "--signature", "s8")
    assert beside.exit_code == 2
    assert "minimized.vblk: is not for s8: name another file with -o" in beside.stderr
    assert not finding.with_name("minimized.vblk").exists()


def test_another_device_is_not_beside(cli: Cli, finding: Path) -> None:
    result = cli("minimize", finding, "--device", "reference")
    assert result.exit_code == 2
    assert "is not for model reference: name another file with -o" in result.stderr


def test_a_finding_that_cannot_be_written(cli: Cli, finding: Path) -> None:
    finding.with_name("minimized.toml").mkdir()
    result = cli("minimize", finding)
    assert result.exit_code == 2
    assert result.stderr.endswith("minimized.vblk: cannot be written: Is a directory\n")


def test_stopped_before_the_next_one(
    cli: Cli, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "later.vblk").write_bytes(large.read_bytes())
    update = MinimizeView.update

    def interrupted(self: MinimizeView, progress: Progress) -> None:
        signal.raise_signal(signal.SIGINT)
        update(self, progress)

    monkeypatch.setattr(MinimizeView, "update", interrupted)
    result = cli("minimize", tmp_path, "--json")
    assert result.exit_code == 130
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["complete"] is False
    assert not (tmp_path / "later.minimized.vblk").exists()


def test_an_assertion_of_a_users_device(cli: Cli, tmp_path: Path) -> None:
    """What the device raises is a bug like any other, and becomes smaller."""
    device = tmp_path / "asserts.py"
    device.write_text(
        "from vblkfuzz.dataplane.virtio_blk import VirtioBlk\n"
        "class Asserts(VirtioBlk):\n"
        "    def reset(self, thread, *, system=False):\n"
        "        assert self.blk.in_flight < 1\n"
        "        yield from super().reset(thread, system=system)\n"
    )
    path = tmp_path / "held.toml"
    path.write_text(
        'format = 1\nops = [{op = "init"}, {op = "collect"}, {op = "hold"},'
        '{op = "publish_kick"}, {op = "publish_kick"}, {op = "reset"}]\n'
    )
    result = cli("minimize", path, "--device", f"{device}:Asserts", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["signature"].startswith("crash-assertionerror-asserts-reset-")
    assert (found["ops_before"], found["ops"]) == (6, 4)
    assert result.stderr == ""


def test_a_folder_that_may_not_be_read(
    cli: Cli, finding: Path, bug: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read all, so the system refuses here only what tests look at."""
    locked = finding.parent.with_name("s1-locked")
    locked.mkdir()
    (locked / "trace.txt").write_text("else the folder is empty, and no finding")
    real = os.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if Path(path).parent == locked:
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    result = cli("minimize", finding.parents[2])
    assert result.exit_code == 2
    assert f"  written    {finding.with_name('minimized.vblk')}\n" in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"vblkfuzz: {locked}/finding.vblk: expected a readable file: ")
