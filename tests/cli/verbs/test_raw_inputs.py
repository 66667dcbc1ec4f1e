"""Raw fuzz inputs and folders of them: every verb takes them as it takes artifacts and texts."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, CLEAN, Cli
from vblkfuzz.errors import ActorDied
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, read_input
from vblkfuzz.scenario.codec import MAX_BYTES, encode
from vblkfuzz.store.failed_inputs import FailedInputs
from vblkfuzz.store.ledger import Ledger

SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"


@pytest.fixture
def crash(tmp_path: Path) -> Path:
    """What libFuzzer writes of a crash."""
    path = tmp_path / f"crash-{SHA1}"
    path.write_bytes(encode(BUG))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The output folder of a campaign on qemu-8.1, inline, without findings."""
    out = tmp_path / "out"
    for name in ("corpus", "findings", "harness"):
        (out / name).mkdir(parents=True)
    (out / "corpus" / SHA1).write_bytes(encode(CLEAN))
    (out / "corpus" / SHA1[::-1]).write_bytes(encode(BUG))
    FailedInputs(out / "harness", "model", "qemu-8.1", "inline").keep(encode(CLEAN), "it failed")
    ledger = Ledger(out / "campaign.sqlite")
    ledger.begin("2026-01-02T03:04:05+00:00", "qemu-8.1", "inline", 1, 7)
    ledger.close()
    return out


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("show {}", 0),
        ("replay {} --mode inline", 77),
        ("encode {} -o {}.vblk", 0),
        ("minimize {} -o {}.toml --mode inline", 0),
        ("bisect {}", 77),
        ("explore {} --deviations 0 --out {}.out", 77),
        ("export {} --to perfetto -o {}.json", 0),
    ],
)
def test_every_verb(cli: Cli, crash: Path, words: str, status: int) -> None:
    result = cli(*words.format(crash, crash).split())
    assert result.exit_code == status
    assert "read as" not in result.stderr


@pytest.mark.parametrize("verb", ["show", "replay", "bisect"])
def test_a_name_that_does_not_tell_is_said(cli: Cli, crash: Path, verb: str) -> None:
    path = crash.rename(crash.with_name("mine"))
    said = f"vblkfuzz: {path}: read as a raw fuzz input of 40 bytes\n"
    assert cli(verb, path).stderr == said


def test_a_file_that_is_none(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF" + bytes(MAX_BYTES))
    for words in (["show"], ["replay"], ["export", "--to", "perfetto", "-o", "-"]):
        result = cli(words[0], path, *words[1:])
        assert result.exit_code == 2
        assert result.stderr == (
            f"vblkfuzz: {path}: expected a scenario in TOML, an artifact, or a raw fuzz input of"
            f" at most {MAX_BYTES} bytes, found {MAX_BYTES + 4} bytes\n"
        )


def test_a_corpus_runs_on_the_device_of_its_campaign(cli: Cli, out: Path) -> None:
    lines = cli("replay", out / "corpus", "--json").stdout.splitlines()
    found = [(one["device"], one["mode"]) for one in map(json.loads, lines)]
    assert found == [("qemu-8.1", "inline"), ("qemu-8.1", "inline")]


def test_a_corpus_runs_with_the_options_of_its_campaign(cli: Cli, out: Path) -> None:
    """The bytes in a corpus do not say what `--iothread` and `--without` make of them."""
    path = out / "corpus" / SHA1[::-1]
    assert read_input(path).scenario.device.iothreads == 1
    ledger = Ledger(out / "campaign.sqlite")
    ledger.begin("2026-01-03T03:04:05+00:00", "virtio-blk-pci", "processes", 1, 7, "qemu")
    ledger.changes(iothread=False, without=["reset"])
    ledger.close()
    shown = cli("show", path).stdout
    assert "iothreads = 0" in shown
    assert '"reset"' not in shown
    on = "on        qemu, virtio-blk-pci, processes, --no-iothread, --without reset"
    assert on in cli("status", out).stdout
    replayed = cli("replay", path, "--target", "model", "--device", "reference", "--json").stdout
    ran = json.loads(replayed)
    assert (ran["verdict"], ran["device"]) == ("clean", "reference")


def test_a_ledger_of_an_older_version(cli: Cli, out: Path) -> None:
    with closing(sqlite3.connect(out / "campaign.sqlite")) as db:
        db.execute("DROP TABLE input_change")
    assert '"reset"' in cli("show", out / "corpus" / SHA1[::-1]).stdout


def test_inputs_that_were_not_judged(cli: Cli, out: Path) -> None:
    (found,) = map(json.loads, cli("replay", out / "harness", "--json").stdout.splitlines())
    assert (found["device"], found["mode"], found["verdict"]) == ("qemu-8.1", "inline", "clean")


def test_those_of_an_older_version(cli: Cli, out: Path) -> None:
    for path in (out / "harness").iterdir():
        path.unlink()
    (out / "harness" / "0123456789abcdef.bin").write_bytes(encode(CLEAN))
    (out / "harness" / "0123456789abcdef.txt").write_text("it failed")
    (found,) = map(json.loads, cli("replay", out / "harness", "--json").stdout.splitlines())
    assert (found["device"], found["mode"]) == ("qemu-8.1", "inline")


def test_an_encoded_one_says_what_it_was_found_on(cli: Cli, out: Path, tmp_path: Path) -> None:
    written = tmp_path / "x.vblk"
    assert cli("encode", out / "corpus" / SHA1, "-o", written).exit_code == 0
    assert read_input(written) == Artifact(CLEAN, device="qemu-8.1", mode="inline")


def test_the_form_is_told_by_the_content(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "misnamed.toml"
    path.write_bytes(dump_artifact(Artifact(CLEAN, device="reference")))
    assert "device reference" in cli("show", path).stdout


def test_one_input_of_a_folder_of_raw_ones(cli: Cli, crash: Path) -> None:
    (crash.parent / "README.md").write_text("# Crashes")
    assert cli("show", crash.parent).stdout == cli("show", crash).stdout
    (crash.parent / f"timeout-{SHA1}").write_bytes(b"")
    result = cli("show", crash.parent)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "expected one input, found 2: name one of them" in result.stderr


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("minimize.on_target.find_bug", "minimize {} -o {}.toml"),
        ("explore.exploration.visits", "explore {} --out {}.out"),
    ],
)
def test_an_error_of_an_actor_is_one_sentence(
    cli: Cli, crash: Path, monkeypatch: pytest.MonkeyPatch, place: str, words: str
) -> None:
    def fail(*_: object) -> None:
        raise ActorDied("Traceback\n  File x\nin Device.reset (x.py, line 3): AssertionError")

    monkeypatch.setattr(f"vblkfuzz.{place}", fail)
    result = cli(*words.format(crash, crash).split())
    assert result.exit_code == 125
    assert result.stderr == f"vblkfuzz: {crash}: in Device.reset (x.py, line 3): AssertionError\n"
