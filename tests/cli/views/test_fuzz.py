"""The view of a campaign: the status line, findings, errors, the summary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.cli.views.fuzz import FuzzView
from vblkfuzz.cli.views.fuzz_status import status_block, status_lines
from vblkfuzz.cli.views.fuzz_summary import by_rule, last_line, say_summary, say_trouble
from vblkfuzz.cli.views.never_met import say_how_many
from vblkfuzz.cli.views.screen import Screen
from vblkfuzz.launch.plan import Message
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.store.reduction import Reduction
from vblkfuzz.store.summary import Earlier, Finding, Summary
from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions

OPTIONS = CampaignOptions(Path("out"), seconds=60)


def summary(*findings: tuple[str, float]) -> Summary:
    filled = Summary(execs=12_345_678, seconds=3_723, features=12_345)
    for rule, first_s in findings:
        signature = f"{rule.lower()}-{first_s}"
        filled.findings[signature] = Finding(signature, rule, 1, first_s, f"out/{signature}")
    return filled


def late() -> Summary:
    """The state of a campaign that has run for an hour."""
    filled = summary(*[("S1", float(number)) for number in range(145)])
    filled.situations = dict.fromkeys(map(str, range(122)), True) | {"x": False}
    filled.execs_per_s_now = 2345.6
    filled.last_feature_s, filled.last_finding_s = 3000.0, 723.0
    filled.corpus, filled.alive, filled.restarts, filled.harness_errors = 12_345, 15, 12, 123
    return filled


def test_the_lines_of_a_log_fit() -> None:
    lines = status_lines(late(), 86_400, 16)
    assert lines == [
        "1:02:03/24:00:00  12.3M execs  2346/s  145 findings  12.3k features  122/123 met",
        "    last new feature 0:12:03 ago, finding 0:50:00 ago",
        "    15/16 workers run, 12 restarted, 123 harness errors",
    ]
    assert max(map(len, lines)) <= 80
    waiting = late()
    waiting.waiting = 1
    said = "    15/16 workers run, 1 to restart, 12 restarted, 123 harness errors"
    assert status_lines(waiting, 86_400, 16)[-1] == said
    quiet = Summary(execs=1, alive=2)
    assert len(status_lines(quiet, 0, 2)) == 2


def test_the_block_says_what_its_words_mean() -> None:
    lines = status_block(late(), 86_400, 16)
    assert lines == [
        "1:02:03/24:00:00  15/16 workers run, 12 restarted, 123 harness errors",
        "  executions    12.3M  2346/s now, 3316/s on average",
        "  findings        145  kinds of violation; the last 0:50:00 ago",
        "  features      12.3k  code blocks and states seen; the last 0:12:03 ago",
        "  met         122/123  situations without which a rule is not tested",
        "  corpus        12.3k  inputs, each with a feature that was new",
    ]
    assert max(map(len, lines)) <= 79


def test_before_the_first_execution() -> None:
    empty = Summary(seconds=2.5)
    assert status_block(empty, 60, 1) == ["0:00:02/0:01:00  starting: 1 worker loads the device"]
    assert "last new feature none yet, finding none yet" in status_lines(empty, 60, 1)[1]
    clean = Summary(execs=1, seconds=2.5)
    assert status_block(clean, 60, 1)[2] == "  findings          0  kinds of violation; none yet"


def test_few_situations_are_listed_by_rule(capsys: pytest.CaptureFixture[str]) -> None:
    say_how_many(Screen(), ["reset_in_drain", "kick_in_drain"], 92, Path("out"))
    assert capsys.readouterr().out.splitlines() == [
        "Never met, so these rules were hardly tested:",
        "S1  No request is dequeued inside a drained section.",
        "    - The guest kicked inside a drained section.",
        "    - A reset began inside a drained section.",
    ]


def test_many_situations_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    missed = [one.name for rule in RULES for one in rule.situations]
    say_how_many(Screen(), missed, len(missed), Path("out"))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{len(missed)} of {len(missed)} situations that the rules need")
    assert line.endswith("vblkfuzz status out")


def test_the_summary_counts_the_folder_too(capsys: pytest.CaptureFixture[str]) -> None:
    filled = summary(("S1", 0.5))
    filled.start_up_s, filled.saved_before, filled.saved = 2.5, 3, 4
    say_summary(filled, "model", "patch-v4", NO_OPTIONS, Path("out"))
    lines = capsys.readouterr().out.splitlines()
    assert ", 2.5 s of it start-up, " in lines[0]
    assert lines[0].endswith(", 1 finding")
    assert lines[1] == "4 findings in out, 1 of them new"


def test_the_summary_says_what_was_seen_again(capsys: pytest.CaptureFixture[str]) -> None:
    filled = Summary(execs=30, seconds=20.0, saved_before=3, saved=3)
    filled.again["s1-x"] = Finding("s1-x", "S1", 2, 0.5, "out/s1-x", "It broke.")
    filled.earlier = Earlier(2, 1200, 3600.5)
    say_summary(filled, "model", "patch-v4", NO_OPTIONS, Path("out"))
    assert capsys.readouterr().out.splitlines()[1:3] == [
        "3 findings in out, none of them new; 1 finding of before seen again",
        "3 campaigns in out: 1,230 executions in 3,620.5 s",
    ]


def test_more_workers_than_cores_are_said(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = cli("fuzz", "--workers", "999", "--runs", "1", "--out", tmp_path)
    assert "vblkfuzz: --workers 999: on " in result.stderr


def test_off_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with FuzzView(OPTIONS) as view:
        view.progress(summary())
        view.announce(Message("finding", "s1-x", "S1", "It \x1b[31mbroke.", "out/s1-x"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "fuzzing patch-v4 (processes) with 1 worker, seed 1, into out",
        "S1: It \\x1b[31mbroke.",
        "    out/s1-x",
    ]


def test_on_a_terminal_stdout_stays_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fuzz --json > file` on a terminal: the JSON lines go to the file."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with FuzzView(OPTIONS) as view:
        view.progress(summary())
        print("json")
    out, err = capsys.readouterr()
    assert out == "json\n"
    assert "executions    12.3M" in err


def test_a_flood_of_errors_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    with FuzzView(OPTIONS) as view:
        for number in range(100):
            view.announce(Message("harness_error", f"Traceback\nError {number}"))
            view.announce(Message("harness_error", f"Traceback\nError {number}"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[1:] == [
        *(f"harness error: Error {number}" for number in range(20)),
        "harness error: further errors are counted, not shown",
    ]


def test_findings_come_by_rule_then_by_time(capsys: pytest.CaptureFixture[str]) -> None:
    filled = summary(("S8", 0.1), ("L1", 0.2), ("S1", 5.0), ("S1", 4.0), ("S11", 0.3))
    ordered = [(finding.rule, finding.first_s) for finding in by_rule(filled)]
    assert ordered == [("S1", 4.0), ("S1", 5.0), ("S8", 0.1), ("S11", 0.3), ("L1", 0.2)]
    say_summary(filled, "model", "my device.py:Mine", NO_OPTIONS, Path("out"))
    last = capsys.readouterr().out.splitlines()[-1]
    command = "vblkfuzz replay out/s1-4.0/finding.vblk --device 'my device.py:Mine'"
    assert last == f"replay one with: {command}"
    say_summary(filled, "qemu", "virtio-blk-pci", TargetOptions(iothread=False), Path("out"))
    last = capsys.readouterr().out.splitlines()[-1]
    assert "finding.vblk --target qemu --no-iothread" in last


def test_trouble_is_reported_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    filled = summary()
    filled.fallbacks = [f"disk full {number}" for number in range(25)]
    filled.harness_errors, filled.last_error = 3, "Traceback\nValueError: x\n"
    say_trouble(Path("out"), filled)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("disk full") == 20
    assert "and 5 more" in err
    assert "3 executions without a verdict" in err
    assert err.endswith("last: ValueError: x\n")


def test_no_trouble_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    say_trouble(Path("out"), summary())
    assert capsys.readouterr().err == ""
    assert last_line("") == ""


def test_the_end_of_json_has_the_fixed_keys() -> None:
    ended = json.loads(json.dumps(summary(("S1", 0.5)).to_json()))
    assert {"execs", "execs_per_s", "findings", "features", "sometimes"} <= set(ended)
    assert {"signature", "rule", "first_exec", "first_s", "path"} <= set(ended["findings"][0])


def test_help_ends_with_two_examples(cli: Cli) -> None:
    output = cli("fuzz", "--help").stdout
    assert output.rpartition("Examples:")[2].count("vblkfuzz fuzz ") == 2


def test_what_was_minimized_and_what_was_not(capsys: pytest.CaptureFixture[str]) -> None:
    filled = summary(("S1", 4.0), ("S8", 0.1))
    filled.findings["s1-4.0"] = Finding("s1-4.0", "S1", 1, 4.0, "my out/findings/s1-4.0")
    filled.minimized = {
        "s1-4.0": Reduction(44, 5, 2, 0, 19, complete=True),
        "s7": Reduction(9, 0, 8, 0, 2000, complete=False),
    }
    filled.not_minimized = {f"s8-{number}": "" for number in range(7)}
    filled.not_minimized["s9"] = "it did not show again"
    say_summary(filled, "model", "patch-v4", NO_OPTIONS, Path("out"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[6:13] == [
        "Minimized, operations + deviations (minimized.vblk in their folders):",
        "  44 + 5 became 2 + 0   s1-4.0",
        "   9 + 0 became 8 + 0 so far  s7",
        "Not minimized: s8-0, s8-1, s8-2, s8-3, s8-4, and 2 more (no time)",
        "Not minimized: s9 (it did not show again)",
        "minimize the others with: vblkfuzz minimize 'my out'",
        "",
    ]
    assert lines[13] == "replay one with: vblkfuzz replay 'my out/findings/s1-4.0/minimized.vblk'"
    (first, second) = filled.to_json()["findings"]
    assert first["minimized"]["tried"] == 19
    assert second["minimized"] is None


def test_one_finding_that_was_not_minimized_has_no_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = summary(("S1", 4.0))
    filled.findings["s1-4.0"] = Finding("s1-4.0", "S1", 1, 4.0, "out/findings/s1-4.0")
    filled.not_minimized = {"s1-4.0": "it did not show again"}
    say_summary(filled, "model", "patch-v4", NO_OPTIONS, Path("out"))
    assert "\nminimize them with: vblkfuzz minimize out\n" in capsys.readouterr().out


def test_the_line_while_the_rest_is_minimized() -> None:
    filled = summary(("S1", 4.0))
    filled.minimizing = 3, 7
    line = "minimizing 3 of 7 findings; ctrl-C stops"
    assert status_lines(filled, 60, 2) == status_block(filled, 60, 2) == [line]


def test_a_file_of_the_user_that_is_no_input_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It stays where it is, in spite of the name of the message."""
    with FuzzView(OPTIONS) as view:
        view.announce(Message("quarantined", "mine/notes: expected a file, found a socket"))
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "left out: mine/notes: expected a file, found a socket"
