"""All shell scripts of deploy/ by shellcheck, and all commands in it by our own command line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.checkout import CHECKOUT
from tests.cli.command_line import verbs

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
    """Their options are; numbers are put in by whoever runs them."""
    (verb,) = [command for names, command in verbs() if names == ("fuzz",)]
    known = {name for one in verb.params for name in one.opts}
    found = [re.findall(r"--[a-z-]+", text) for text in commands()]
    assert len(found) >= 3
    assert {name for names in found for name in names} <= known
