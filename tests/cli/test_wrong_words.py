"""What is said of a word that is none of those expected: short, and with what was meant."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def test_a_list_that_does_not_exist(cli: Cli) -> None:
    done = cli("list", "devics")
    assert done.exit_code == 2
    assert done.stderr.endswith("; did you mean devices?\n")


_SIGNATURES = ("s1-reset-stop-close", "s1-vm_stop-park", "s8-start-twice", "s9-gone")


@pytest.fixture
def out(finding: Path) -> Path:
    """An output folder with four findings."""
    folder = finding.parents[1]
    for name in _SIGNATURES:
        shutil.copytree(finding.parent, folder / name)
    shutil.rmtree(finding.parent)
    return folder.parent


_TAKE_A_SIGNATURE = [
    lambda out, name: ("triage", out, "show", name),
    lambda out, name: ("minimize", out, name),
    lambda out, name: ("minimize", out / "findings", name),
    lambda out, name: ("replay", out / "findings" / name),
    lambda out, name: ("show", out / "findings" / name),
    lambda out, name: ("export", out / "findings" / name, "--to", "html", "-o", "-"),
]


@pytest.mark.parametrize("words", _TAKE_A_SIGNATURE)
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("s8-strat", "no such finding; did you mean s8-start-twice?"),
        ("zz", "no such finding; there is s1-reset-stop-close, s1-vm_stop-park, s8-start-twice "),
    ],
)
def test_a_finding_that_does_not_exist(
    cli: Cli,
    out: Path,
    words: Callable[[Path, str], tuple[str | Path, ...]],
    name: str,
    problem: str,
) -> None:
    done = cli(*words(out, name))
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f": {name}: {problem}" in done.stderr


@pytest.mark.parametrize("words", _TAKE_A_SIGNATURE)
def test_the_beginning_of_a_signature_is_enough(
    cli: Cli, out: Path, words: Callable[[Path, str], tuple[str | Path, ...]]
) -> None:
    done = cli(*words(out, "s8-st"))
    assert done.exit_code in (0, 77), done.stderr
    several = cli(*words(out, "s1-"))
    if words(out, "")[0] != "minimize":  # it takes all that begin like that
        assert "2 findings begin like that; there is s1-reset-stop-close" in several.stderr


@pytest.mark.parametrize("words", _TAKE_A_SIGNATURE)
def test_a_shell_adds_a_slash_to_a_folder(
    cli: Cli, out: Path, words: Callable[[Path, str], tuple[str | Path, ...]]
) -> None:
    done = cli(*(f"{word}/" if "s8" in str(word) else word for word in words(out, "s8-start")))
    assert done.exit_code in (0, 77), done.stderr


@pytest.mark.parametrize("verb", ["show", "replay"])
def test_a_finding_that_is_looked_for_in_the_wrong_folder(cli: Cli, out: Path, verb: str) -> None:
    done = cli(verb, out / "s8-st")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert f"; did you mean {out}/findings/s8-start-twice?" in done.stderr
    done = cli(verb, out.parent / "s1-res")
    assert done.stderr.endswith("no such file; the place of a finding is OUT/findings/s1-res\n")
    assert "OUT" not in cli(verb, out.parent / "other.toml").stderr


def test_an_action_that_does_not_exist(cli: Cli, out: Path) -> None:
    done = cli("triage", out, "hide", "s8")
    problem = "triage: expected DIR, or DIR show SIGNATURE, found hide"
    assert (done.exit_code, done.stderr) == (2, f"vblkfuzz: {problem}\n")


def test_a_signature_to_minimize_for_that_does_not_show(cli: Cli, finding: Path) -> None:
    done = cli("minimize", finding, "--signature", "s1-rest", "-o", finding.with_name("x.toml"))
    assert done.exit_code == 125
    assert "; did you mean s1-reset-stop-" in done.stderr
