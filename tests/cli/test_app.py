"""The command: its exit code for every outcome, and the form of its help."""

from __future__ import annotations

import ast
import errno
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tests.checkout import CHECKOUT
from tests.cli.conftest import Cli
from vblkfuzz.cli import app as app_module
from vblkfuzz.cli.app import app, main
from vblkfuzz.errors import ActorHung, ExitStatus, Stopped, VblkfuzzError
from vblkfuzz.triage.printable import printable

README = CHECKOUT / "README.md"
Words = tuple[str, ...]
"""A verb as the user types it: its name, with the name of its group before it; empty: no verb."""


@pytest.fixture(autouse=True)
def _no_device_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an earlier test has imported one, `main` ends the process by os._exit."""
    monkeypatch.setattr(app_module, "was_imported", lambda: False)


def below(group: TyperGroup, words: Words = ()) -> Iterator[Words]:
    """Yield the verbs of a group and of the groups in it, the groups included."""
    for name, command in group.commands.items():
        yield (*words, name)
        if isinstance(command, TyperGroup):
            yield from below(command, (*words, name))


GROUP = get_command(app)
assert isinstance(GROUP, TyperGroup)
ALL = tuple(below(GROUP))
VERBS = list(GROUP.commands)
LEAVES = [words for words in ALL if not any(other[:-1] == words for other in ALL)]


def parse(words: list[str]) -> None:
    """Parse a command as the command line does, without running it.

    Raises:
        UsageError: of click; the verb lacks an option, or an argument is missing or too many.
    """
    command: Any = GROUP
    while isinstance(command, TyperGroup):
        words = words[1:]
        command = command.commands[words[0]]
    command.make_context(words[0], words[1:])


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("vblkfuzz show", "Missing parameter: "),
        ("vblkfuzz show a.vblk b.vblk c.vblk", "unexpected extra argument"),
        ("vblkfuzz bench core --no-such", "No such option"),
    ],
)
def test_a_command_that_does_not_parse(command: str, problem: str) -> None:
    with pytest.raises(Exception, match=f"(?i){problem}"):
        parse(command.split())


@pytest.mark.parametrize("verb", [(), *ALL], ids=" ".join)
def test_help_ends_with_two_commands_that_parse(cli: Cli, verb: Words) -> None:
    result = cli(*verb, "--help")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[-3].strip() == "Examples:"
    for line in lines[-2:]:
        words = shlex.split(line.partition(">")[0])
        assert words[0] == "vblkfuzz"
        assert words[1] in VERBS
        assert tuple(words[1 : 1 + len(verb)]) == verb
        parse(words)


@pytest.mark.parametrize("verb", [(), *ALL], ids=" ".join)
def test_help_fits_80_columns(cli: Cli, verb: Words) -> None:
    lines = cli(*verb, "--help").stdout.splitlines()
    assert max(map(len, lines)) <= 80


def runs(code: str, verb: Words) -> bool:
    """Whether a test function calls `cli`, `run` or `start` with the words of a verb first."""
    tests = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    calls = [node for test in tests for node in ast.walk(test) if isinstance(node, ast.Call)]
    return any(
        isinstance(call.func, ast.Name)
        and call.func.id in ("cli", "run", "start")
        and tuple(getattr(word, "value", None) for word in call.args[: len(verb)]) == verb
        for call in calls
    )


@pytest.mark.parametrize("verb", LEAVES, ids=" ".join)
def test_each_verb_has_a_test_that_runs_it(verb: Words) -> None:
    file = Path(__file__).parent / "verbs" / f"test_{verb[0]}.py"
    words = ", ".join(f'"{word}"' for word in verb)
    found = file.exists() and runs(file.read_text(), verb)
    assert found, f"verbs/{file.name}: expected a test that calls cli({words}, ...)"


@pytest.mark.parametrize(
    ("code", "verb", "found"),
    [
        ('def test_x(cli):\n    assert cli("show", path)', ("show",), True),
        ('def test_x(cli):\n    """It does cli("show")."""\n    # cli("show")', ("show",), False),
        ('def unused(cli):\n    cli("show")', ("show",), False),
        ('def test_x(cli):\n    cli("bench", "core")', ("bench", "qsd"), False),
    ],
)
def test_only_a_call_in_a_test_runs_it(code: str, verb: Words, found: bool) -> None:
    assert runs(code, verb) == found


def test_summaries_of_verbs_are_whole(cli: Cli) -> None:
    listed = cli("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    assert sorted(line.split()[0] for line in listed.splitlines()) == sorted(VERBS)
    assert "..." not in listed


def test_version(cli: Cli) -> None:
    result = cli("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("vblkfuzz ")


def test_an_unknown_verb(cli: Cli) -> None:
    result = cli("dance")
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("README.md", README.read_text().partition("## Exit codes\n")[2].partition("\n#")[0]),
        ("vblkfuzz --help", (app_module.vblkfuzz.__doc__ or "").partition("Exit codes:")[2]),
    ],
)
def test_each_exit_code_is_documented(place: str, text: str) -> None:
    found = {int(number) for number in re.findall(r"\d+", text)}
    assert found == set(ExitStatus), f"exit codes of {place} and ExitStatus of errors.py differ"


@pytest.mark.parametrize(
    ("error", "status", "output"),
    [
        (ActorHung("no answer\nin 2 s"), 70, "vblkfuzz: no answer in 2 s\n"),
        (VblkfuzzError("bell \x07"), 125, "vblkfuzz: bell \\x07\n"),
        (KeyboardInterrupt(), 130, ""),
        (Stopped(72), 72, ""),
        (SystemExit(0), 125, "vblkfuzz: code of a device or a package ends it: SystemExit(0)\n"),
    ],
)
def test_what_a_verb_raises(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    finding: Path,
    error: BaseException,
    status: int,
    output: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("vblkfuzz.cli.verbs.show.text_of", fail)
    result = cli("show", finding)
    assert (result.exit_code, result.stdout, result.stderr) == (status, "", output)


@pytest.mark.parametrize(
    ("error", "status", "output"),
    [
        (None, 0, ""),
        (KeyboardInterrupt(), 130, ""),
        (Stopped(72), 72, ""),
        (
            ZeroDivisionError("broken"),
            125,
            "ZeroDivisionError: broken\nvblkfuzz: the error above is a",
        ),
    ],
)
def test_main(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException | None,
    status: int,
    output: str,
) -> None:
    def run(**_: object) -> None:
        if error:
            raise error

    monkeypatch.setattr(app_module, "app", run)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == status
    assert output in capsys.readouterr().err


def test_typer_prints_no_tracebacks_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(sys, "argv", ["vblkfuzz", "show", "x"])
    monkeypatch.setattr("vblkfuzz.triage.inputs.input_at", fail)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 125
    assert "╭" not in capsys.readouterr().err


def test_printable() -> None:
    assert printable("a\nb\té\x1b[2J\u202e") == "a\nb\\té\\x1b[2J\\u202e"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_limit_of_open_files_is_one_line(
    number: int, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: str) -> None:
        raise OSError(number, "Too many open files", "x")

    monkeypatch.setattr("vblkfuzz.triage.inputs.input_at", fail)
    result = cli("show", "x.toml")
    assert (result.exit_code, result.stdout) == (125, "")
    assert result.stderr.startswith("vblkfuzz: Too many open files: allow more")
    assert result.stderr.count("\n") == 1
