"""A newcomer reads README.md from top to bottom and types each command, in a fresh checkout.

`tox -e newcomer` runs it; it installs the package as the page says, so it takes a minute.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT, project_files
from tests.newcomer.page import commands
from tests.newcomer.shell import Shell
from tests.newcomer.table import TABLE, as_run
from tests.targets.qemu.binary import NEEDS_QEMU, why_not

COMMANDS = commands((CHECKOUT / "README.md").read_text())
WITHOUT_QEMU = why_not()
NO_SUCH_COMMAND = 127


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git would commit of this checkout."""
    folder = tmp_path_factory.mktemp("newcomer") / "vblkfuzz"
    for path in project_files():
        copy = folder / path.relative_to(CHECKOUT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return folder


@pytest.fixture(scope="module")
def wrong(folder: Path) -> dict[str, str]:
    """What the commands printed that ended otherwise than the table says."""
    shell = Shell(folder, folder.parent / "programs")
    try:
        assert shell.run("vblkfuzz --version")[0] == NO_SUCH_COMMAND
        runnable = [one for one in COMMANDS if not (TABLE[one].qemu and WITHOUT_QEMU)]
        return {command: printed for command in runnable if (printed := unexpected(shell, command))}
    finally:
        shell.end()


def unexpected(shell: Shell, command: str) -> str:
    """Run a command of the page; return what it printed if it does not end as the table says."""
    status, printed = shell.run(as_run(command))
    if status in TABLE[command].statuses and "Traceback" not in printed:
        return ""
    return f"$ {as_run(command)}\n{printed}[exit status {status}]\n"


def test_the_table_has_the_commands_of_the_page() -> None:
    assert list(TABLE) == COMMANDS


@pytest.mark.parametrize("qemu", [False, pytest.param(True, marks=NEEDS_QEMU)])
def test_each_command_ends_as_the_table_says(wrong: dict[str, str], qemu: bool) -> None:
    found = [text for command, text in wrong.items() if TABLE[command].qemu == qemu]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "page, expected",
    [
        ("```sh\n# Said.\na  # first\n\nb --c '#1'\n```\n", ["a", "b --c '#1'"]),
        ("```sh\na 'b\n  c'\n```\ntext\n```\nd\n```\n```toml\ne = 1\n```\n", ["a 'b\n  c'"]),
    ],
)
def test_the_commands_of_a_page(page: str, expected: list[str]) -> None:
    assert commands(page) == expected
