"""What is said of a word that is none of those expected: short, and with what was meant."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli


def test_a_list_that_does_not_exist(cli: Cli) -> None:
    done = cli("list", "devics")
    assert done.exit_code == 2
    assert done.stderr.endswith("; did you mean devices?\n")


def test_a_finding_that_resembles_none(cli: Cli, finding: Path) -> None:
    folder = finding.parents[2]
    done = cli("triage", folder, "show", "zz")
    said = f"vblkfuzz: {folder}: zz: no such finding; all of them: vblkfuzz triage {folder}\n"
    assert (done.exit_code, done.stderr) == (2, said)
