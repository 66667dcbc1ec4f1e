"""`vblkfuzz compare`: its table, its files and its exit codes."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, CLEAN, Cli
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.cli.views.compare import CompareView
from vblkfuzz.scenario.text import to_text

S1 = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"
MODEL = ("--target", "model")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "inputs"
    folder.mkdir()
    (folder / "bug.toml").write_text(to_text(BUG))
    (folder / "clean.toml").write_text(to_text(CLEAN))
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_binaries_that_differ(cli: Cli, inputs: Path, out: Path) -> None:
    result = cli(
        *("compare", *MODEL, "--binaries", "reference", "patch-v4", "reference"),
        *("--corpus", inputs, "--out", out),
    )
    assert (result.exit_code, result.stderr) == (77, "")
    lines = result.stdout.splitlines()
    assert lines[:3] == ["A  reference", "B  patch-v4", "C  reference"]
    assert [S1, "no", "yes", "no", "bug"] in [line.split() for line in lines]
    assert lines[-1] == "2 scenarios compared, 2 scenarios with a difference"
    again = cli("replay", out / "scenarios" / "bug.toml", "--device", "patch-v4")
    assert S1 in again.stdout
    found = json.loads((out / "compare.json").read_text())
    assert {one["scenario"] for one in found["differences"]} == {"bug", "clean"}


def test_binaries_that_do_not(cli: Cli, inputs: Path, out: Path) -> None:
    result = cli(
        *(
            "compare",
            *MODEL,
            "--binaries",
            "patch-v4",
            "patch-v4",
            "--corpus",
            inputs,
            "--out",
            out,
        ),
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "2 scenarios compared, 0 scenarios with a difference"


def test_a_corpus_without_inputs(cli: Cli, tmp_path: Path, out: Path) -> None:
    result = cli(
        *(
            "compare",
            *MODEL,
            "--binaries",
            "patch-v4",
            "patch-v4",
            "--corpus",
            tmp_path,
            "--out",
            out,
        ),
    )
    assert result.exit_code == 2
    assert result.stderr == f"vblkfuzz: {tmp_path}: no inputs, expected .vblk or .toml files\n"


def test_a_folder_that_cannot_be_written_loses_no_result(
    cli: Cli, inputs: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("vblkfuzz.compare.record.write_file", full)
    result = cli(
        *("compare", *MODEL, "--binaries", "reference", "patch-v4"),
        *("--corpus", inputs, "--out", out),
    )
    assert result.exit_code == 77
    assert result.stdout.splitlines()[-1] == "2 scenarios compared, 2 scenarios with a difference"
    assert result.stderr.count("cannot be written: No space left on device") == 1


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folder_used_again_has_the_last_comparison_only(
    cli: Cli, inputs: Path, out: Path
) -> None:
    differ = ("compare", *MODEL, "--binaries", "reference", "patch-v4", "--corpus", inputs)
    patch = ("compare", *MODEL, "--base", "reference", "--patched", "patch-v4", "--minutes", 0)
    assert cli(*differ, "--out", out).stderr == ""
    first = below(out) - {"log/lock"}
    assert "scenarios/bug.toml" in first
    assert {path.name for path in out.iterdir()} == {"compare.json", "scenarios", "log"}
    again = cli(*patch, "--corpus", inputs, "--out", out)
    moved = f"vblkfuzz: the results of an earlier comparison are in {out}/earlier/1 now"
    assert again.stderr.splitlines() == [moved]
    assert below(out / "earlier" / "1") == first
    assert not (out / "scenarios").exists()
    assert (out / "findings" / S1).exists()
    assert cli(*differ, "--out", out).exit_code == 77
    assert f"findings/{S1}/finding.vblk" in below(out / "earlier" / "2")
    assert below(out / "earlier" / "1") == first
    assert not (out / "findings").exists()


def test_a_comparison_that_was_killed_is_set_aside_as_well(
    cli: Cli, inputs: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: CompareView, ran: int, of_corpus: int, found: str) -> None:
        if ran:
            raise SystemExit(137)

    command = ("compare", *MODEL, "--binaries", "reference", "patch-v4", "--corpus", inputs)
    with monkeypatch.context() as context:
        context.setattr(CompareView, "update", killed)
        assert cli(*command, "--out", out).exit_code == 125
    assert json.loads((out / "compare.json").read_text())["stopped"] is True
    assert cli(*command, "--out", out).exit_code == 77
    assert "scenarios/bug.toml" in below(out / "earlier" / "1")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("campaign.sqlite", "has the results of a campaign"),
        ("findings/s1/finding.vblk", "has findings/, but no compare.json"),
        ("scenarios/mine.toml", "has scenarios/, but no compare.json"),
    ],
)
def test_results_of_something_else_are_not_touched(
    cli: Cli, inputs: Path, out: Path, file: str, problem: str
) -> None:
    (out / file).parent.mkdir(parents=True)
    (out / file).touch()
    result = cli(
        *(
            "compare",
            *MODEL,
            "--binaries",
            "patch-v4",
            "reference",
            "--corpus",
            inputs,
            "--out",
            out,
        ),
    )
    assert result.stderr == f"vblkfuzz: {out}: {problem}; choose another --out\n"
    assert (result.exit_code, below(out)) == (2, {file})


def test_a_device_that_does_not_start_moves_nothing(cli: Cli, inputs: Path, out: Path) -> None:
    arguments = ("--corpus", inputs, "--out", out)
    cli("compare", *MODEL, "--binaries", "patch-v4", "reference", *arguments)
    before = below(out)
    assert cli("compare", "--binaries", "/none/one", "/none/two", *arguments).exit_code == 125
    assert below(out) == before


def test_many_binaries_fit_80_columns(cli: Cli, inputs: Path, out: Path) -> None:
    names = ["reference", "patch-v4"] * 12
    result = cli(
        *("compare", *MODEL, "--binaries", *names, "--repeat", 1, "--corpus", inputs),
        *("--out", out),
    )
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    at = lines.index(S1)
    assert lines[at + 1 : at + 4] == [
        "    no: A C E G I K M O Q S U W",
        "    yes: B D F H J L N P R T V X",
        "    in bug",
    ]


def test_the_usage_names_both_forms(cli: Cli) -> None:
    lines = cli("compare", "--help").stdout.split("\n\n")[0].split()
    assert " ".join(lines) == (
        "Usage: vblkfuzz compare [OPTIONS] --binaries BINARY BINARY... "
        "| --base BINARY --patched BINARY"
    )


def test_json_is_one_object_and_the_file_says_the_same(cli: Cli, inputs: Path, out: Path) -> None:
    result = cli(
        *("compare", *MODEL, "--binaries", "reference", "patch-v4", "--json", "--repeat", 2),
        *("--corpus", inputs, "--out", out),
    )
    assert result.exit_code == 77
    found = json.loads(result.stdout)
    assert found == json.loads((out / "compare.json").read_text())
    assert found["binaries"][1] == {"name": "patch-v4", "version": ""}
    assert (found["scenarios"], found["repeat"], found["not_judged"]) == (2, 2, [])
    assert {
        "scenario": "bug",
        "kind": "finding",
        "what": S1,
        "values": ["no", "yes"],
    } in found["differences"]


def test_schedules_are_left_out(cli: Cli, out: Path) -> None:
    """The same operations under two schedules are one scenario."""
    folder = out.parent / "twice"
    folder.mkdir()
    text = to_text(BUG)
    raced = text.replace("schedule = []", 'schedule = [{op = 2, point = 0, go = "next"}]')
    assert raced != text
    (folder / "one.toml").write_text(text)
    (folder / "other.toml").write_text(raced)
    result = cli(
        *(
            "compare",
            *MODEL,
            "--binaries",
            "patch-v4",
            "patch-v4",
            "--corpus",
            folder,
            "--out",
            out,
        ),
    )
    assert "1 scenario compared" in result.stdout


def test_a_patch_with_a_new_bug(cli: Cli, inputs: Path, out: Path) -> None:
    result = cli(
        *("compare", *MODEL, "--base", "reference", "--patched", "patch-v4", "--minutes", 0),
        *("--corpus", inputs, "--out", out),
    )
    assert (result.exit_code, result.stderr) == (77, "")
    lines = result.stdout.splitlines()
    assert lines[:2] == ["base     reference", "patched  patch-v4"]
    assert [S1, "new", "10/10", "bug"] in [line.split() for line in lines]
    assert lines[-1].startswith("2 inputs: ")
    assert cli("replay", out / "findings" / S1).exit_code == 77
    found = json.loads((out / "compare.json").read_text())
    assert S1 in [one["signature"] for one in found["new"]]
    assert found["gone"] == found["unsteady"] == found["both"] == []


def test_a_patch_that_ends_one(cli: Cli, inputs: Path, out: Path) -> None:
    result = cli(
        *("compare", *MODEL, "--base", "patch-v4", "--patched", "reference", "--minutes", 0),
        *("--corpus", inputs, "--out", out, "--json"),
    )
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["new"] == []
    assert S1 in [one["signature"] for one in found["gone"]]
    assert (out / "gone" / S1 / "finding.vblk").exists()


def test_a_budget_in_minutes_goes_on_with_mutations(cli: Cli, inputs: Path, out: Path) -> None:
    result = cli(
        *("compare", *MODEL, "--base", "reference", "--patched", "reference"),
        *("--minutes", 0.05, "--corpus", inputs, "--out", out, "--json"),
    )
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["inputs"] > 10
    assert found["seed"] == 1


def test_a_budget_that_ends_within_the_corpus(cli: Cli, inputs: Path, out: Path) -> None:
    result = cli(
        *("compare", *MODEL, "--binaries", "patch-v4", "patch-v4", "--minutes", "0.000000001"),
        *("--corpus", inputs, "--out", out),
    )
    assert result.stderr == "vblkfuzz: the budget ended after 0 of 2 inputs of the corpus\n"


def test_an_input_that_cannot_be_read(cli: Cli, inputs: Path, bad: Path, out: Path) -> None:
    arguments = ("--corpus", inputs, "--corpus", bad, "--out", out)
    same = cli("compare", *MODEL, "--binaries", "patch-v4", "patch-v4", *arguments)
    assert (same.exit_code, same.stderr.count("\n")) == (2, 1)
    assert "bad.toml" in same.stderr
    other = cli("compare", *MODEL, "--binaries", "patch-v4", "reference", *arguments)
    assert other.exit_code == 77


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "expected --binaries A B..., or --base A and --patched B"),
        (("--base", "a"), "expected --binaries A B..., or --base A and --patched B"),
        (("--binaries", "a"), "--binaries: expected two or more, found a only"),
        (("a", "b"), "a: unexpected; name binaries after --binaries"),
        (
            ("--binaries", "a", "b", "--base", "c"),
            "--binaries: expected without --base and --patched",
        ),
        (
            ("--target", "none", "--binaries", "a", "b"),
            "target none: expected one that runs a binary: qemu, qsd, vhost-user, "
            "vhost-user-frontend, model",
        ),
        (("--binaries", "a", ""), "expected the name of a binary, found an empty one"),
        ((*MODEL, "--binaries", "patch-v4", "no-such"), "no-such"),
        (
            ("--binaries", "a", "b", "--minutes", "inf"),
            "--minutes: expected a time such as 8m, 90s, 1h30m, or a number of minutes",
        ),
    ],
)
def test_what_cannot_be_compared(
    cli: Cli, out: Path, arguments: tuple[str, ...], problem: str
) -> None:
    result = cli("compare", *arguments, "--out", out)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert problem in result.stderr


def test_a_binary_that_is_missing(cli: Cli, out: Path) -> None:
    result = cli("compare", "--binaries", "/none/one", "/none/two", "--out", out)
    assert (result.exit_code, result.stderr.count("\n")) == (125, 1)
    assert "/none/one: not found: install QEMU" in result.stderr
    assert "--qemu-binary" not in result.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 72)])
def test_a_signal_ends_it_with_what_it_has(
    cli: Cli,
    inputs: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    status: int,
) -> None:
    update = CompareView.update

    def stopped(self: CompareView, ran: int, of_corpus: int, found: str) -> None:
        update(self, ran, of_corpus, found)
        if ran:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(CompareView, "update", stopped)
    result = cli(
        *(
            "compare",
            *MODEL,
            "--binaries",
            "reference",
            "patch-v4",
            "--corpus",
            inputs,
            "--out",
            out,
        ),
    )
    assert result.exit_code == status
    assert "1 scenario compared, 1 scenario with a difference" in result.stdout
    assert "stopped after 1 input; the corpus has 2" in result.stderr
    assert json.loads((out / "compare.json").read_text())["stopped"] is True


@pytest.mark.realdevice
@NEEDS_QEMU
def test_the_same_qemu_twice(cli: Cli, out: Path) -> None:
    name = "qemu-system-x86_64"
    result = cli("compare", "--binaries", name, name, "--out", out)
    assert (result.exit_code, result.stderr) == (0, "")
    version = result.stdout.split()[1]
    assert result.stdout.splitlines()[0] == f"A  {version}  {name}"
    assert version[0].isdigit()


@pytest.mark.realdevice
@NEEDS_QSD
def test_the_same_daemon_twice(cli: Cli, out: Path) -> None:
    name = "qemu-storage-daemon"
    result = cli("compare", "--target", "qsd", "--binaries", name, name, "--out", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "0 scenarios with a difference" in result.stdout
