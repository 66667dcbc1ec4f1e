"""`vblkfuzz fuzz`: the effect of its options. For the ends of campaigns see tests/campaign."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT
from tests.cli.conftest import Cli
from vblkfuzz.campaign.continuation import check_folder, check_same, said_of
from vblkfuzz.errors import UsageError
from vblkfuzz.scenario.codec import decode
from vblkfuzz.store.history import CampaignRecord, read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.summary import Finding


def test_a_short_campaign(cli: Cli, tmp_path: Path) -> None:
    options = ("--runs", "50", "--workers", "1", "--seed", "3", "--mode", "inline", "--json")
    result = cli("fuzz", *options, "--out", tmp_path / "out")
    assert result.exit_code in (0, 77)
    summary = json.loads(result.stdout.splitlines()[-1])
    assert summary["execs"] == 50
    assert bool(summary["findings"]) == (result.exit_code == 77)
    assert (tmp_path / "out" / "campaign.sqlite").exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--device", "nonsense"), "device nonsense: expected qemu-8.0"),
        (("--target", "nonsense"), "target nonsense: expected one of model"),
        (("--without", "vm_stop"), "--without: no operation 'vm_stop'; all of them: vblkfuzz list"),
        (("--target", "qemu", "--defect", "push_twice"), "--defect: defects are planted in the"),
        (("--target", "qsd", "--ring", "packed"), "--ring: target qsd does not know ring=packed"),
        (("--target", "qsd", "--in-order"), "--in-order: target qsd does not know in_order=True"),
    ],
)
def test_what_cannot_be_done(
    cli: Cli, tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    result = cli("fuzz", "--runs", 1, "--out", tmp_path / "out", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"vblkfuzz: {problem}")
    assert not (tmp_path / "out").exists()


def test_a_folder_is_for_one_device(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    setup = ("--runs", "3", "--workers", "1", "--seed", "3", "--mode", "inline", "--out", out)
    first = cli("fuzz", *setup, "--device", "reference")
    assert "goes on" not in first.stderr
    again = cli("fuzz", *setup, "--device", "reference")
    (line,) = (line for line in again.stderr.splitlines() if "goes on" in line)
    assert line.startswith(f"{out} goes on: begun 20")
    assert ", 1 campaign, 3 executions, " in line
    assert line.endswith(" inputs, 0 findings")
    other = cli("fuzz", *setup, "--device", "qemu-10.2")
    assert (other.exit_code, other.stdout, other.stderr.count("\n")) == (2, "", 1)
    assert "has campaigns on model, reference, not on model, qemu-10.2; " in other.stderr
    assert cli("fuzz", *setup, "--device", "qemu-10.2", "--other-device").exit_code in (0, 77)
    counts = [one.execs for one in read_history(out / "campaign.sqlite").campaigns]
    assert counts == [3, 3, 3]


@pytest.mark.parametrize(
    ("target", "device", "ended", "same"),
    [
        ("qemu", "virtio-blk-pci", None, True),
        ("model", "virtio-blk-pci", None, False),
        ("qemu", "other", None, False),
        ("model", "virtio-blk-pci", "", True),
        ("model", "other", "", False),
    ],
)
def test_what_is_the_same(
    tmp_path: Path, target: str, device: str, ended: str | None, same: bool
) -> None:
    """Older versions recorded the model as the target of each campaign, and no end."""
    figures = (1, 7, 1.0, 10, 5, 0, 0, ())
    record = CampaignRecord("2026-01-01", target, device, "processes", *figures, ended=ended)
    refused = pytest.raises(UsageError, match="allow it with --other-device")
    with nullcontext() if same else refused:
        check_same(tmp_path, (record,), "qemu", "virtio-blk-pci", anyway=False)
    check_same(tmp_path, (record,), "qemu", "virtio-blk-pci", anyway=True)


def test_without_a_ledger_a_finding_says_the_device(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    setup = ("--runs", "40", "--workers", "1", "--seed", "3", "--mode", "inline", "--out", out)
    assert cli("fuzz", *setup).exit_code == 77
    (out / "campaign.sqlite").unlink()
    before = {path.name for path in (out / "findings").iterdir()}
    refused = cli("fuzz", *setup, "--device", "reference")
    assert refused.exit_code == 2
    assert "has campaigns on model, patch-v4, not on model, reference" in refused.stderr
    again = cli("fuzz", *setup)
    assert again.exit_code in (0, 77)
    assert "but no ledger of a campaign: figures begin anew" in again.stderr
    (record,) = read_history(out / "campaign.sqlite").campaigns
    assert before & set(record.findings)
    assert not before & set(record.new)


def test_all_verbs_count_the_same_findings(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    setup = ("--runs", "40", "--workers", "1", "--seed", "3", "--mode", "inline", "--out", out)
    ended = json.loads(cli("fuzz", *setup, "--json").stdout.splitlines()[-1])
    assert ended["saved"] == len(ended["findings"]) > 0
    assert json.loads(cli("status", out, "--json").stdout)["saved"] == ended["saved"]
    listed = cli("triage", out, "--repeat", "1", "--json").stdout.splitlines()
    assert len(listed) == ended["saved"]


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        ((), ""),
        (("corpus/x", ".gitignore"), ""),
        (("corpus/x", "setup.py"), "setup.py"),
        (("campaign.sqlite", "notes.txt"), ""),
        (("corpus/x", "campaign.sqlite-wal", "campaign.sqlite.broken-1"), ""),
    ],
)
def test_a_folder_of_something_else_is_refused(
    tmp_path: Path, names: tuple[str, ...], refused: str
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    if not refused:
        check_folder(tmp_path)
        return
    with pytest.raises(
        UsageError, match=f"output folder of a campaign, found {refused} in it; choose"
    ):
        check_folder(tmp_path)


def test_a_finding_that_no_campaign_told_of(tmp_path: Path) -> None:
    """As if the campaign was killed between the two."""
    ledger = Ledger(tmp_path / "campaign.sqlite")
    ledger.begin("2026-01-01T00:00:00+00:00", "reference", "inline", 1, 7)
    ledger.finding(Finding("s1-x", "S1", 42, 1.5, "findings/s1-x"))
    ledger.close()
    for name in ("corpus", "findings/s1-x", "findings/s1-x@2", "findings/s1-y"):
        (tmp_path / name).mkdir(parents=True)
        if name != "corpus":
            (tmp_path / name / "finding.vblk").touch()
    said = said_of(tmp_path, read_history(tmp_path / "campaign.sqlite"))
    assert said.endswith("0 inputs, 3 findings; told of by no campaign: s1-y")


def test_a_folder_whose_name_the_locale_cannot_read(cli: Cli, tmp_path: Path) -> None:
    result = cli("fuzz", "--runs", "1", "--out", tmp_path / os.fsdecode(b"\xff"))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "/\\udcff: expected a name that the locale can read; choose another" in result.stderr


def test_an_operation_that_ends_another_is_left_out_with_it(cli: Cli, tmp_path: Path) -> None:
    corpus = CHECKOUT / "corpus" / "regress" / "s34-parked-request-lost"
    setup = ("--corpus", corpus, "--runs", "40", "--workers", "1", "--seed", "3", "--no-minimize")

    def saves(name: str, *without: str) -> tuple[str, bool]:
        options = (
            *setup,
            *without,
            "--mode",
            "inline",
            "--json",
            "--no-minimize",
            "--out",
            tmp_path / name,
        )
        result = cli("fuzz", *options)
        met = json.loads(result.stdout.splitlines()[-1])["sometimes"]
        return result.stderr, met["saved_in_drain"]

    assert saves("with")[1]
    said, met = saves("without", "--without", "restore")
    line = "vblkfuzz: --without restore: leaves out save too, which restore would end"
    assert (said.splitlines()[0], met) == (line, False)
    said, met = saves("both", "--without", "restore", "--without", "save")
    assert (line in said, met) == (False, False)


def test_packed_rings_are_asked_for(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--runs", "30", "--workers", "1", "--seed", "3", "--mode", "inline", "--out", out)
    result = cli("fuzz", "--device", "reference", "--ring", "packed", *options)
    assert result.exit_code == 0
    rings = {decode(path.read_bytes()).device.ring for path in (out / "corpus").iterdir()}
    assert "packed" in rings
