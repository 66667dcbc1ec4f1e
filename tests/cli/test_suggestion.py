"""Which name was probably meant: the same words wherever a name is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.suggestion import did_you_mean

HEAD = "format = 1\n"
SCENARIOS = {
    "op": ('ops = [{op = "drain_begn"}]', "drain_begin"),
    "argument": ('ops = [{op = "publish", sektors = 1}]', "sectors"),
    "value": ('ops = [{op = "drain_begin", wait = "pol"}]', "poll"),
    "device": ("[device]\nqueue_sze = 4", "queue_size"),
    "go": ('schedule = [{op = 0, point = 0, go = "nxt"}]', "next"),
}


@pytest.mark.parametrize("place", SCENARIOS)
def test_in_a_scenario(cli: Cli, tmp_path: Path, place: str) -> None:
    text, meant = SCENARIOS[place]
    path = tmp_path / "x.toml"
    path.write_text(HEAD + text)
    result = cli("show", path)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"; did you mean {meant}?\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("on", "meant"),
    [("patch-4", "patch-v4"), ("qemu-80", "qemu-8.0"), ("patch-v4+no_selfkik", "no_selfkick")],
)
def test_the_device_of_an_expectation(cli: Cli, tmp_path: Path, on: str, meant: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(f'{HEAD}[expect]\nverdict = "clean"\non = "{on}"')
    result = cli("replay", path)
    assert result.exit_code == 125
    assert f"names device {on}: pass --device {on} to allow it; did you mean {meant}?" in (
        result.stdout
    )


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("replay {} --device refrence", "reference"),
        ("replay {} --device patch-v4+no_selfkik", "no_selfkick"),
        ("replay {} --defect no_selfkik", "no_selfkick"),
        ("replay {} --target qem", "qemu"),
        ("export {} --to pytst -o x.py", "pytest"),
        ("fuzz --without drain_beginn", "drain_begin"),
    ],
)
def test_on_the_command_line(cli: Cli, clean: Path, words: str, meant: str) -> None:
    result = cli(*words.format(clean).split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(f"; did you mean {meant}?\n")


def test_a_signature(cli: Cli, finding: Path) -> None:
    (finding.parent.rename(finding.parents[1] / "s1-reset-stop-cleanup_host_notifier"))
    result = cli("triage", finding.parents[2], "show", "s1-rest")
    assert result.exit_code == 2
    assert result.stderr.endswith("; did you mean s1-reset-stop-cleanup_host_notifier?\n")


@pytest.mark.parametrize("name", ["", "x", "nothing-like-it", "qemu-8." * 100])
def test_nothing_that_is_not_like_it(name: str) -> None:
    assert did_you_mean(name, ["patch-v4", "qemu-8.0", "s1-reset-stop"]) == ""
