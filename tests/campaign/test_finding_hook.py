"""The command for each new finding: what it is told, and that it can harm nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.waiting import until
from vblkfuzz.campaign.finding_hook import FindingHook
from vblkfuzz.launch.plan import Message


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path


def settle(hook: FindingHook) -> None:
    def turned() -> bool:
        hook.turn()
        return hook.idle

    until(turned)


def finding(name: str, path: str = "") -> Message:
    return Message("finding", name, rule="S1", sentence="a\nb", path=path)


def test_each_finding_once_and_in_order(out: Path) -> None:
    said: list[str] = []
    command = 'printf "%s %s %s|" "$VBLKFUZZ_SIGNATURE" "$VBLKFUZZ_RULE" "$VBLKFUZZ_PATH"'
    with FindingHook(command, out, said.append) as hook:
        hook.note(finding("s1-a", "/x/s1-a"))
        hook.note(Message("warning", "not one"))
        hook.turn()
        hook.note(finding("s1-b"))
        settle(hook)
    assert (out / "log" / "on-finding.txt").read_text() == "s1-a S1 /x/s1-a|s1-b S1 |"
    assert said == []


def test_a_name_is_no_shell_code(out: Path) -> None:
    with FindingHook('printf %s "$VBLKFUZZ_SIGNATURE"', out, pytest.fail) as hook:
        hook.note(finding(name := '$(touch x)`touch x`";touch x;\n'))
        settle(hook)
    assert (out / "log" / "on-finding.txt").read_text() == name
    assert not Path("x").exists()


def test_a_failure_is_said_and_the_next_one_runs(out: Path) -> None:
    said: list[str] = []
    command = '[ "$VBLKFUZZ_SIGNATURE" = s1-b ] || { echo no >&2; exit 3; }'
    with FindingHook(command, out, said.append) as hook:
        hook.note(finding("s1-a"))
        hook.note(finding("s1-b"))
        settle(hook)
    log = out / "log" / "on-finding.txt"
    assert said == [f"--on-finding, of s1-a: it ended with status 3; see {log}"]
    assert log.read_text() == "no\n"


def test_one_that_does_not_end_is_killed(out: Path) -> None:
    said: list[str] = []
    with FindingHook("sleep 1000 & wait", out, said.append, 0.0) as hook:
        hook.note(finding("s1-a"))
        settle(hook)
    assert len(said) == 1
    assert "s1-a: killed: it did not end within 0 s" in said[0]


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    said: list[str] = []
    with FindingHook("true", tmp_path / "none", said.append) as hook:
        hook.note(finding("s1-a"))
    assert len(said) == 1
    assert "it cannot be run: No such file or directory" in said[0]


def test_without_a_command_nothing_runs(out: Path) -> None:
    with FindingHook("", out, pytest.fail) as hook:
        hook.note(finding("s1-a"))
    assert not (out / "log" / "on-finding.txt").exists()
