"""All shell scripts of deploy/ by shellcheck, and all commands in it by our own command line."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import typer

from tests.checkout import CHECKOUT
from vblkfuzz.cli.app import app

FOLDER: Final = CHECKOUT / "deploy"
SCRIPTS: Final = sorted([*FOLDER.glob("**/*.sh"), *FOLDER.glob("**/*.sbatch")])
COMMAND: Final = re.compile(r"\bvblkfuzz (fuzz --store [^\n|]*)")


def shellcheck() -> str | None:
    """Return its path, beside this Python or on the PATH."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("shellcheck", path=beside) or shutil.which("shellcheck")


@pytest.mark.skipif(not shellcheck(), reason="needs shellcheck, of the group `deploy`")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    command = [shellcheck() or "", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def commands() -> list[str]:
    """Return all commands that start a node, with their file."""
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    return [text for path in files for text in COMMAND.findall(path.read_text())]


def test_the_commands_are_of_this_version() -> None:
    found = commands()
    assert len(found) >= 3
    for text in found:
        words = shlex.split(text.partition(" || ")[0].replace('"$@"', "").replace("WORKERS N", ""))
        numbers = ["1" if "WORKERS" in one or "CPUS" in one or one == "N" else one for one in words]
        group = typer.main.get_command(app)
        with group.make_context("vblkfuzz", [], resilient_parsing=True) as context:
            verb = group.get_command(context, "fuzz")  # type: ignore[attr-defined]
            verb.make_context("fuzz", numbers[1:]).close()
