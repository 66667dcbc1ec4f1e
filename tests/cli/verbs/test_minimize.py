"""`vblkfuzz minimize`: the smallest scenario with the same bug, and inputs without a bug."""

from __future__ import annotations

import json
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
from vblkfuzz.scenario.text import read_text


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
