"""The view of a campaign: the status line, findings, errors, the summary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.campaign.orchestrator import CampaignOptions
from vblkfuzz.cli.views.fuzz import FuzzView, status_line
from vblkfuzz.cli.views.fuzz_summary import by_rule, last_line, say_summary, say_trouble
from vblkfuzz.launch.plan import Message
from vblkfuzz.store.reduction import Reduction
from vblkfuzz.store.summary import Finding, Summary
from vblkfuzz.targets.options import TargetOptions

OPTIONS = CampaignOptions(Path("out"), seconds=60)


def summary(*findings: tuple[str, float]) -> Summary:
    filled = Summary(execs=12_345_678, seconds=3_723, features=12_345)
    for rule, first_s in findings:
        signature = f"{rule.lower()}-{first_s}"
        filled.findings[signature] = Finding(signature, rule, 1, first_s, f"out/{signature}")
    return filled


def test_the_line_fits_a_terminal() -> None:
    filled = summary(*[("S1", float(number)) for number in range(145)])
    filled.situations = dict.fromkeys(map(str, range(22)), True)
    line = status_line(filled, 86_400)
    assert line == (
        "1:02:03/24:00:00  12.3M execs  3316/s  145 findings  12.3k features  22/22 met"
    )
    assert len(line) <= 79


def test_off_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with FuzzView(OPTIONS) as view:
        view.progress(summary())
        view.announce(Message("finding", "s1-x", "S1", "It \x1b[31mbroke.", "out/s1-x"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "fuzzing seed (processes) with 1 worker, seed 1, into out",
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
    assert "12.3M execs" in err


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
    say_summary(filled, "model", "my device.py:Mine")
    last = capsys.readouterr().out.splitlines()[-1]
    command = "vblkfuzz replay out/s1-4.0/finding.vblk --device 'my device.py:Mine'"
    assert last == f"replay one with: {command}"
    say_summary(filled, "qemu", "virtio-blk-pci", TargetOptions(iothread=False))
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
    say_summary(filled, "model", "seed")
    lines = capsys.readouterr().out.splitlines()
    assert lines[5:12] == [
        "Minimized, operations + deviations (minimized.vblk in their folders):",
        "  44 + 5 became 2 + 0   s1-4.0",
        "   9 + 0 became 8 + 0 so far  s7",
        "Not minimized: s8-0, s8-1, s8-2, s8-3, s8-4, and 2 more (no time)",
        "Not minimized: s9 (it did not show again)",
        "minimize the others with: vblkfuzz minimize 'my out'",
        "",
    ]
    assert lines[12] == "replay one with: vblkfuzz replay 'my out/findings/s1-4.0/minimized.vblk'"
    (first, second) = filled.to_json()["findings"]
    assert first["minimized"]["tried"] == 19
    assert second["minimized"] is None


def test_the_line_while_the_rest_is_minimized() -> None:
    filled = summary(("S1", 4.0))
    filled.minimizing = 3, 7
    assert status_line(filled, 60) == "minimizing 3 of 7 findings; ctrl-C stops"
