"""What a PATH stands for, and what a raw input is run on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, CLEAN
from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import Artifact, artifact_text, dump_artifact
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.text import to_text
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.triage.inputs import input_at, input_files, one_file

FOUND = Artifact(
    BUG, "qemu", "virtio-blk-pci", "processes", Expectation("violation", "S1", "s1-reset")
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The output folder of a campaign on QEMU, with one finding."""
    out = tmp_path / "out"
    finding = out / "findings" / "s1-reset"
    finding.mkdir(parents=True)
    (finding / "finding.vblk").write_bytes(dump_artifact(FOUND))
    (finding / "input.bin").write_bytes(encode(BUG))
    (out / "corpus").mkdir()
    (out / "corpus" / "raw").write_bytes(encode(CLEAN))
    ledger = Ledger(out / "campaign.sqlite")
    ledger.begin("2026-01-02T03:04:05+00:00", "patch-v4", "inline", 1, 7)
    ledger.begin("2026-01-02T03:04:06+00:00", "virtio-blk-pci", "processes", 1, 7, "qemu")
    ledger.close()
    return out


def test_an_output_folder_stands_for_its_findings(out: Path) -> None:
    finding = out / "findings" / "s1-reset" / "finding.vblk"
    assert input_files(str(out)) == [str(finding)]
    assert input_files(str(out / "findings")) == [str(finding)]
    assert one_file(str(finding.parent)) == str(finding)
    assert input_files(str(out / "corpus")) == [str(out / "corpus" / "raw")]


def test_a_folder_without_inputs(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing yet")
    with pytest.raises(InputFileError, match="expected a folder with inputs"):
        input_files(str(tmp_path))


def test_the_raw_input_of_a_finding_is_the_finding(out: Path) -> None:
    raw = out / "findings" / "s1-reset" / "input.bin"
    assert input_at(str(raw)).artifact == FOUND
    raw.write_bytes(encode(CLEAN))
    assert input_at(str(raw)).artifact == Artifact(CLEAN, "qemu", "virtio-blk-pci", "processes")
    raw.with_name("finding.vblk").unlink()
    assert input_at(str(raw)).artifact == Artifact(CLEAN)


def test_a_corpus_runs_on_what_its_last_campaign_ran_on(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Artifact(CLEAN, "qemu", "virtio-blk-pci", "processes")
    assert input_at(str(out / "corpus" / "raw")).artifact == expected
    monkeypatch.chdir(out / "corpus")
    assert input_at("raw").artifact == expected
    (out / "campaign.sqlite").unlink()
    assert input_at("raw").artifact == Artifact(CLEAN)


def test_a_kept_input_says_itself_what_it_was_run_on(out: Path) -> None:
    path = out / "corpus" / "raw"
    kept = replace(FOUND, target="model", device="reference")
    path.write_bytes(dump_artifact(kept))
    assert input_at(str(path)).artifact == kept


def test_the_text_of_a_finding_is_the_finding(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(artifact_text(FOUND, "what is wrong"))
    assert input_at(str(path)).artifact == FOUND
    model = replace(FOUND, target="model", device="patch-v4")
    path.write_text(artifact_text(model))
    assert "target" not in path.read_text()
    assert input_at(str(path)).artifact == model


@pytest.mark.parametrize(
    ("device", "target"),
    [
        ("virtio-blk-pci", "qemu"),
        ("vhost-user-blk", "qsd"),
        ("reference", "model"),
        ("patch-v4+no_selfkick", "model"),
        ("mine.py:Device", "model"),
        ("unknown", "model"),
    ],
)
def test_a_text_that_names_a_device_only(tmp_path: Path, device: str, target: str) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(to_text(BUG, "", Expectation("clean"), device))
    found = input_at(str(path)).artifact
    assert (found.target, found.device) == (target, device)
