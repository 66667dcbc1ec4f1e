"""The program of a race: it carries the gate as it is, and interrupts the threads of its QEMU."""

from __future__ import annotations

import ast
import builtins
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import getsource
from pathlib import Path
from typing import Any

import pytest

from tests.checkout import CHECKOUT
from tests.export.races import OPS, SCHEDULE, SHOWS, SUPPRESSED
from tests.export.test_issue import blocks, on_qemu
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.waiting import WAIT_S
from vblkfuzz.errors import UsageError
from vblkfuzz.export.iotest_file import iotest_text
from vblkfuzz.export.issue import EXPORT
from vblkfuzz.export.program_rules import check_rule
from vblkfuzz.export.qtest_file import command_line, program, qtest_text
from vblkfuzz.gate.filter import install
from vblkfuzz.gate.gate import Gate
from vblkfuzz.gate.order import Order
from vblkfuzz.gate.points import Points
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Place, Role, Scenario
from vblkfuzz.triage.case import Case

Form = Callable[[Sequence[Case]], str]
NOBODY, SYSTEM = 65534, "/usr/bin/python3"
"""A user without privileges, and a Python that any user may run."""
ELSEWHERE = Place("run_poll_handlers_begin", after="no_such_event")
TEXT = program(SUPPRESSED, "It waits.", shows=SHOWS)


def breaks(rule: str, scenario: Scenario) -> Case:
    one = on_qemu(scenario)
    assert one.violation
    run = replace(one.outcome.run, violation=replace(one.violation, rule=rule), execution=None)
    return Case(replace(one.outcome, run=run))


def loaded(text: str) -> dict[str, Any]:
    filled: dict[str, Any] = {"__name__": __name__}  # a dataclass looks for its module
    exec(compile(text, "reproducer.py", "exec"), filled)
    return filled


def test_its_gate_is_the_gate() -> None:
    for one in (install, Gate, Points, Order, Deviation, Role):
        assert f"\n\n\n{getsource(one)}" in TEXT


def test_a_program_without_interrupted_threads_has_none() -> None:
    plain = (Deviation(1, 0, Go.NEXT),)
    for schedule in ((), plain):
        text = program(replace(SUPPRESSED, schedule=schedule), "", shows=SHOWS)
        assert "seccomp" not in text
        assert "SCHEDULE" not in text
        assert "\nSHOWS = ''  #" in text


def test_its_text_is_the_same_each_time() -> None:
    code = "from tests.export.races import *; from vblkfuzz.export.qtest_file import program\n"
    code += "print(program(SUPPRESSED, 'It waits.', shows=SHOWS), end='')"
    path = os.pathsep.join([*sys.path, str(CHECKOUT)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": path},
    )
    assert done.stdout == TEXT


@pytest.mark.parametrize("form", [qtest_text, iotest_text])
def test_it_needs_the_standard_library_of_3_10_only(form: Form) -> None:
    text = form([breaks("L1", SUPPRESSED)])
    tree = ast.parse(text, feature_version=(3, 10))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else name.name
        for node in nodes
        for name in node.names
    }
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert {name.asname or name.name for node in nodes for name in node.names} - used == {
        "annotations"
    }
    known = {*loaded(text), *dir(builtins), *_bound(tree)}
    assert used - known == set()


def _bound(tree: ast.AST) -> set[str]:
    """Return names that are bound somewhere within functions and classes."""
    names = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names |= {node.name or "" for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)}
    kinds = ast.FunctionDef | ast.ClassDef
    return names | {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_its_schedule_counts_its_own_steps() -> None:
    first, *rest = OPS
    later = tuple(replace(one, op=one.op + 1) for one in SCHEDULE)
    scenario = replace(SUPPRESSED, ops=(first, op("power_loss"), *rest), schedule=later)
    assert repr(loaded(program(scenario, ""))["SCHEDULE"]) == repr(loaded(TEXT)["SCHEDULE"])
    found = [(one.op, one.go.name, one.role.name, one.locks) for one in loaded(TEXT)["SCHEDULE"]]
    assert found == [(1, "NEXT", "IO0", False), (3, "NEXT", "MAIN", True)]
    assert [tuple(one.place) for one in loaded(TEXT)["SCHEDULE"]] == [
        tuple(one.place or ()) for one in SCHEDULE
    ]


def test_a_step_that_it_lacks_cannot_be_interrupted() -> None:
    schedule = (Deviation(1, 0, Go.IO0, role=Role.MAIN),)
    scenario = Scenario(ops=(op("init"), op("power_loss")), schedule=schedule)
    with pytest.raises(UsageError) as caught:
        program(scenario, "")
    assert str(caught.value) == (
        "qtest: the program has no operation 1, which the schedule interrupts"
    )


@pytest.mark.parametrize("rule", ["L1", "L3", "S34"])
def test_it_judges_at_rest_what_others_judge_after_a_restore(rule: str) -> None:
    check_rule(breaks(rule, SUPPRESSED), "qtest")
    with pytest.raises(UsageError, match="after a restore only"):
        check_rule(breaks(rule, replace(SUPPRESSED, schedule=())), "qtest")


def test_only_its_own_bug_counts() -> None:
    assert loaded(qtest_text([breaks("L1", SUPPRESSED)]))["SHOWS"] == SHOWS
    counted = loaded(TEXT)["counted"]
    assert counted([SHOWS, "a request was dequeued inside the drained section"]) == [SHOWS]
    assert loaded(qtest_text([breaks("HANG", SUPPRESSED)]))["SHOWS"] == "QEMU has ended or hangs"


def test_the_command_line_has_its_log() -> None:
    line = command_line(TEXT)
    assert "-d tid -D /proc/self/task/%d/fd/5 " in line


def test_an_issue_says_what_the_program_needs() -> None:
    one = on_qemu(SUPPRESSED)
    text = EXPORT.text([one])
    words = " ".join(text.split())
    assert "needs Python 3.10, Linux on x86-64, and QEMU 7.1 or later" in words
    assert "`python3 reproducer.py --without-schedule qemu-system-x86_64`" in text
    (code,) = blocks(text, "python")
    compile(code, "reproducer.py", "exec")


# --- With a QEMU ------------------------------------------------------------------------------


def run(text: str, *arguments: str, user: int | None = None) -> tuple[int, list[str], str]:
    # -I: neither this checkout nor a package of the user can be imported by accident.
    done = subprocess.run(
        [sys.executable if user is None else SYSTEM, "-I", "-", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        user=user,
        cwd="/",
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.realdevice
@NEEDS_QEMU
def test_it_shows_the_race_to_whoever_runs_it() -> None:
    user = NOBODY if os.geteuid() == 0 and Path(SYSTEM).exists() else None
    assert run(TEXT, user=user) == (1, [SHOWS, "the bug shows"], "")


@pytest.mark.realdevice
@NEEDS_QEMU
def test_without_its_schedule_it_shows_nothing() -> None:
    assert run(TEXT, "--without-schedule") == (0, ["the bug does not show"], "")


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_place_that_is_not_met_is_no_good_news() -> None:
    schedule = (replace(SCHEDULE[0], place=ELSEWHERE), SCHEDULE[1])
    status, _, said = run(program(replace(SUPPRESSED, schedule=schedule), "", shows=SHOWS))
    assert (status, said) == (
        2,
        "nothing is known of the bug: QEMU never came to run_poll_handlers_begin after "
        "no_such_event (1) of io0 in step 1\n",
    )


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_machine_that_cannot_hold_threads() -> None:
    text = TEXT.replace('platform.machine() != "x86_64"', "True")
    assert text != TEXT
    status, _, said = run(text)
    assert status == 2
    assert said.startswith("threads cannot be interrupted on this machine: no filter for ")
    assert said.count("\n") == 1


def test_a_qemu_without_a_log_for_each_thread(tmp_path: Path) -> None:
    old = tmp_path / "qemu"
    old.write_text("#!/bin/sh\necho QEMU emulator version 7.0.0\n")
    old.chmod(0o755)
    expected = f"{old} cannot be used: expected QEMU 7.1 or later\n"
    assert run(TEXT, str(old)) == (2, [], expected)


@pytest.mark.realdevice
@NEEDS_QEMU
def test_as_a_test_for_qemu_it_has_two_control_runs(tmp_path: Path) -> None:
    path = tmp_path / "race"
    path.write_text(iotest_text([breaks("L1", SUPPRESSED)]))
    done = subprocess.run(
        [sys.executable, "-I", str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert [line for line in done.stdout.splitlines() if line[0] != "#"] == [
        "TAP version 13",
        "1..3",
        "not ok 1 - Scenario.test_scenario",
        "ok 2 - Scenario.test_without_drains",
        "ok 3 - Scenario.test_without_schedule",
    ]
