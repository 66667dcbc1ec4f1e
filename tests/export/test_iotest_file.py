"""The test for QEMU's suites: TAP, fails with the bug, passes without, and needs no package."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.export.test_qtest_file import RESET, SERVED
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.triage.stories import QUIET, case
from tests.waiting import WAIT_S
from vblkfuzz.export.iotest_file import EXPORT
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.triage.case import Case

SAVED_MODE = (op("init"), op("writeback", mode="writethrough"), op("save"), op("restore"))
"""Breaks QEMU 7.2 without a drained section."""


def of(ops: tuple[Op, ...]) -> str:
    outcome = case().outcome
    artifact = replace(outcome.artifact, scenario=Scenario(ops=ops))
    return EXPORT.text([Case(replace(outcome, artifact=artifact))])


def run(text: str, folder: Path, **env: str) -> tuple[int, list[str]]:
    path = folder / "drain-reset"
    path.write_text(text)
    # -I: neither this checkout nor a package of the user can be imported by accident.
    done = subprocess.run(
        [sys.executable, "-I", str(path)],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        env={"PATH": "/usr/bin:/bin", **env},
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_its_head_is_that_of_an_iotest() -> None:
    lines = EXPORT.text([case()]).splitlines()
    assert lines[:3] == [
        "#!/usr/bin/env python3",
        "# group: rw",
        "# SPDX-License-Identifier: MIT-0",
    ]
    assert lines[4] == '"""S1: No request is dequeued inside a drained section.'
    assert max(map(len, lines[4 : lines.index("")])) <= 79


@pytest.mark.parametrize("one", [case(), case(QUIET, "reference")], ids=["violation", "clean"])
def test_it_imports_what_it_uses_and_only_from_the_standard_library(one: Case) -> None:
    tree = ast.parse(EXPORT.text([one]))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports for alias in node.names}
    modules = {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    modules |= {
        alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names
    }
    assert modules <= sys.stdlib_module_names
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names <= used


def test_a_control_run_needs_a_drained_section() -> None:
    assert "def test_without_drains" in of(RESET)
    assert "def test_without_drains" not in of(SAVED_MODE)


def loaded(text: str) -> dict[str, Any]:
    filled: dict[str, Any] = {"__name__": "iotest"}
    exec(compile(text, "iotest.py", "exec"), filled)
    return filled


def test_both_tests_end_within_a_minute() -> None:
    test = loaded(of(RESET))
    assert 2 * test["LIMIT_S"] < 60
    with pytest.raises(test["TooLong"]):
        test["Scenario"].give_up(None, 14, None)


@pytest.mark.parametrize("names", [("QEMU_TEST_QEMU_BINARY",), ("QEMU_PROG",)])
def test_without_its_qemu_it_is_skipped(names: tuple[str], tmp_path: Path) -> None:
    status, lines = run(of(RESET), tmp_path, **dict.fromkeys(names, "/none"))
    why = "# SKIP /none: No such file or directory"
    assert (status, lines) == (
        0,
        [
            "TAP version 13",
            "1..2",
            f"ok 1 - Scenario.test_scenario {why}",
            f"ok 2 - Scenario.test_without_drains {why}",
        ],
    )


def test_a_program_that_is_no_qemu_is_skipped(tmp_path: Path) -> None:
    _, lines = run(of(SAVED_MODE), tmp_path, QEMU_PROG="/bin/true")
    assert lines[1:] == [
        "1..1",
        "ok 1 - Scenario.test_scenario # SKIP /bin/true has no -machine pc",
    ]


@pytest.mark.realdevice
@NEEDS_QEMU
def test_it_fails_with_the_bug_and_its_control_passes(tmp_path: Path) -> None:
    status, lines = run(of(RESET), tmp_path)
    assert status == 1
    first, *comments, last = lines[2:]
    assert first == "not ok 1 - Scenario.test_scenario"
    assert any("dequeued inside the drained section" in line for line in comments)
    assert all(line.startswith("# ") for line in comments)
    assert last == "ok 2 - Scenario.test_without_drains"


@pytest.mark.realdevice
@NEEDS_QEMU
def test_it_passes_where_nothing_is_wrong(tmp_path: Path) -> None:
    expected = [
        f"ok {at} - Scenario.test_{name}"
        for at, name in enumerate(("scenario", "without_drains"), 1)
    ]
    assert run(of(SERVED), tmp_path) == (0, ["TAP version 13", "1..2", *expected])
