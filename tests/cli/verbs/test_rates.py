"""The rate of a finding: measured when asked for, kept, and shown by each verb from then on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cli.verbs.conftest import SIGNATURE
from tests.triage.unsteady import Unsteady
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.scenario import Deviation, Go
from vblkfuzz.store.confidence import RECORD, Confidence, confidence_in, keep_confidence
from vblkfuzz.store.rate import Rate
from vblkfuzz.triage import replay_target

PLAN = (Deviation(3, 0, Go.NEXT),)
"""A schedule that the bug does not need."""
KEPT = Confidence("model", Rate(19, 20), Rate(7, 20, 2))
"""No run of the tests gives it: it shows that nothing was measured again."""
WORDS = "19 of 20; without its schedule 7 of 20, 2 harness errors"


@pytest.fixture
def folder(out: Path, bug: Artifact) -> Path:
    """The folder of a finding with a schedule."""
    folder = out / "findings" / SIGNATURE
    planned = replace(bug, scenario=replace(bug.scenario, schedule=PLAN))
    (folder / "finding.vblk").write_bytes(dump_artifact(planned))
    return folder


def as_if_real(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    """Let a model that shows its bug in every n-th run stand for each target."""

    def opened(name: str, device: str, mode: str, _: object) -> Unsteady:
        target = Unsteady(every)
        target.name, target.device, target.mode = name, device, mode
        return target

    monkeypatch.setattr(replay_target, "open_target", opened)


def on_qemu(folder: Path, bug: Artifact) -> None:
    """Make the finding one of a QEMU."""
    real = replace(bug, target="qemu", device="virtio-blk-pci", mode="processes")
    scenario = replace(bug.scenario, schedule=PLAN)
    (folder / "finding.vblk").write_bytes(dump_artifact(replace(real, scenario=scenario)))


@pytest.mark.parametrize("verb", ["triage", "replay"])
def test_asked_for_it_is_measured_and_kept(cli: Cli, folder: Path, verb: str) -> None:
    result = cli(verb, folder.parents[1], "--repeat", "4")
    assert result.exit_code == (0 if verb == "triage" else 77)
    assert re.search(r"^ +rate +4 of 4; without its schedule 4 of 4$", result.stdout, re.MULTILINE)
    assert confidence_in(folder) == Confidence("model", Rate(4, 4), Rate(4, 4))


@pytest.mark.parametrize(
    "arguments",
    [
        lambda folder: ("triage", folder.parents[1]),
        lambda folder: ("triage", folder.parents[1], "show", "s1"),
        lambda folder: ("replay", folder),
        lambda folder: ("status", folder.parents[1]),
        lambda folder: ("show", folder),
        lambda folder: ("export", folder, "--to", "html", "-o", "-"),
        lambda folder: ("export", folder, "--to", "issue", "-o", "-"),
    ],
)
def test_nothing_is_measured_that_was_not_asked_for(
    cli: Cli, folder: Path, arguments: Callable[[Path], tuple[str | Path, ...]]
) -> None:
    cli(*arguments(folder))
    assert not (folder / RECORD).exists()
    keep_confidence(folder, KEPT)
    cli(*arguments(folder))
    assert confidence_in(folder) == KEPT


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("triage",), f"\n    rate {WORDS}\n"),
        (("triage", "show", "s1"), f"\n  rate    {WORDS}\n"),
        (("status",), f"\n  {SIGNATURE}\n      {WORDS}\n"),
        (("show",), f"\n# rate {WORDS}\n"),
        (("export", "--to", "html", "-o", "-"), f"<dt>Rate</dt><dd>{WORDS}</dd>"),
        (("export", "--to", "html", "-o", "-"), f"<br>rate {WORDS}</td>"),
        (("export", "--to", "issue", "-o", "-"), f"- Rate: reproduced in {WORDS}, by vblkfuzz on"),
        (("export", "--to", "junit", "-o", "-"), f"Rate: {WORDS}"),
        (("export", "--to", "sarif", "-o", "-"), f'"rate": "{WORDS}"'),
    ],
)
def test_what_is_kept_is_shown(
    cli: Cli, folder: Path, arguments: tuple[str, ...], place: str
) -> None:
    keep_confidence(folder, KEPT)
    verb, *options = arguments
    path = folder if verb == "show" else folder.parents[1]
    assert place in cli(verb, path, *options).stdout


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("triage", "--json"), lambda one: one["confidence"]),
        (("triage", "show", "s1", "--json"), lambda one: one["confidence"]),
        (("status", "--json"), lambda one: one["confidence"][SIGNATURE]),
    ],
)
def test_machines(
    cli: Cli, folder: Path, arguments: tuple[str, ...], found: Callable[[Any], Any]
) -> None:
    keep_confidence(folder, KEPT)
    verb, *options = arguments
    assert found(json.loads(cli(verb, folder.parents[1], *options).stdout)) == KEPT.to_json()


def test_machines_of_replay(cli: Cli, folder: Path) -> None:
    (measured,) = cli("replay", folder, "--repeat", "2", "--json").stdout.splitlines()
    both = Confidence("model", Rate(2, 2), Rate(2, 2))
    assert json.loads(measured)["confidence"] == both.to_json()
    (once,) = cli("replay", folder, "--json").stdout.splitlines()
    assert json.loads(once)["confidence"] is None


def test_a_folder_of_an_earlier_version(cli: Cli, out: Path) -> None:
    assert "rate" not in cli("triage", out).stdout
    assert "Re-runs" not in cli("status", out).stdout
    assert json.loads(cli("triage", out, "--json").stdout)["confidence"] is None


def test_a_smaller_input_has_no_rate_yet(cli: Cli, folder: Path) -> None:
    keep_confidence(folder, KEPT)
    assert cli("minimize", folder.parents[1]).exit_code == 0
    assert "rate" not in cli("triage", folder.parents[1]).stdout


def test_a_real_device_has_an_interval(
    cli: Cli, folder: Path, bug: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_qemu(folder, bug)
    as_if_real(monkeypatch, every=2)
    result = cli("triage", folder.parents[1], "--repeat", "10")
    assert (result.exit_code, result.stderr) == (0, "")
    words = "5 of 10 (24 to 76 %); without its schedule 5 of 10 (24 to 76 %)"
    assert f"    rate {words}\n" in result.stdout
    as_if_real(monkeypatch, every=1)
    issue = cli("export", folder, "--to", "issue", "-o", "-").stdout
    assert f"- Rate: reproduced in {words}, by vblkfuzz on `qemu, " in issue
    assert "\n  (in brackets: the 95 % confidence interval)\n" in issue


@pytest.mark.parametrize("verb", ["triage", "replay"])
def test_a_model_that_varies_is_an_error_of_the_harness(
    cli: Cli, folder: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if_real(monkeypatch, every=2)
    result = cli(verb, folder.parents[1], "--repeat", "4")
    said = "finding.vblk: not deterministic: the model showed it in 2 of 4 runs\n"
    assert result.stderr.endswith(said)
    assert result.exit_code == (125 if verb == "triage" else 77)


def test_a_folder_that_cannot_be_written(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vblkfuzz.store.confidence.write_file", full)
    result = cli("triage", folder.parents[1], "--repeat", "1")
    assert (result.exit_code, "rate 1 of 1" in result.stdout) == (0, True)
    assert result.stderr.endswith("finding.vblk: its rate is not kept: No space left on device\n")


def test_another_device_is_shown_but_not_kept(cli: Cli, folder: Path) -> None:
    result = cli("triage", folder.parents[1], "--device", "reference", "--repeat", "2")
    assert "    rate 0 of 2; without its schedule 0 of 2\n" in result.stdout
    assert not (folder / RECORD).exists()


def test_a_terminal(cli: Cli, folder: Path, bug: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    on_qemu(folder, bug)
    as_if_real(monkeypatch, every=1)
    keep_confidence(folder, Confidence("qemu", Rate(190, 200, 13), Rate(0, 200, 100)))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    for arguments in (("status",), ("triage",), ("triage", "show", "s1")):
        verb, *options = arguments
        text = cli(verb, folder.parents[1], *options).stdout
        lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
        (at,) = [at for at, line in enumerate(lines) if "190 of 200 (91 to 97 %)" in line]
        assert max(map(len, lines[at : at + 2])) <= 80
        assert "0 of 200 (0 to 2 %), 100 harness errors" in " ".join(
            line.strip() for line in lines[at : at + 3]
        )


def test_the_model_is_deterministic(cli: Cli, folder: Path) -> None:
    for mode in ("inline", "processes"):
        cli("replay", folder, "--repeat", "20", "--mode", mode)
        assert confidence_in(folder) == Confidence("model", Rate(20, 20), Rate(20, 20))


def test_a_finding_that_is_gone_is_steady(cli: Cli, folder: Path) -> None:
    result = cli("replay", folder, "--device", "reference", "--repeat", "3")
    assert (result.exit_code, result.stderr) == (0, "")
