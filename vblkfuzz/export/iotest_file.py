"""A finding as a test for QEMU's own suites: one file, Python's standard library, TAP.

The file is the program of `qtest_file` with a main part of its own (`iotest_main.txt`): unittest
with a test for the steps, and one for the control run if the steps have a drained section. It fails
with the bug and passes without it. Its QEMU is the one that the suite names in the environment.
"""

from __future__ import annotations

from importlib.resources import files
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from vblkfuzz.export.export import Export
from vblkfuzz.export.licence import SPDX
from vblkfuzz.export.python_source import with_imports
from vblkfuzz.export.qtest_file import SECTIONS, left_out_of, program_of
from vblkfuzz.export.qtest_schedule import interrupts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.triage.case import Case

_MAIN: Final = "iotest_main.txt"
_HOW: Final = "How it works: "
_ARGPARSE: Final = "import argparse\n"
_IMPORTS: Final = (("contextlib", ""), ("io", ""), ("os", ""), ("unittest", ""))
_CONTROL: Final = """
    def test_without_drains(self):
        self.check(drains=False)
"""
_UNINTERRUPTED: Final = """
    def test_without_schedule(self):
        self.addCleanup(SCHEDULE.extend, SCHEDULE[:])
        SCHEDULE.clear()
        self.check(drains=True)
"""
_RUN: Final = (
    """            found = run(binary(), drains)
""",
    """            try:
                found = run(binary(), drains)
            except Unusable as error:
                self.skipTest(str(error))
""",
)
"""A race that this machine cannot show is neither there nor gone."""
_LIMIT: Final = (
    "LIMIT_S = 28  # for each test, so that both end",
    "LIMIT_S = 19  # for each test, so that all end",
)
_AFTER: Final = "\n\nclass Tap("
_WIDTH: Final = 79


def iotest_text(cases: Sequence[Case]) -> str:
    """Return the test for the only case.

    Raises:
        UsageError: there are several cases, or one that the program cannot carry out or judge.
    """
    text = program_of(cases, "iotest")
    (case,) = cases
    body = text[text.index(_HOW) : text.index("def main():")].replace(_ARGPARSE, "", 1)
    main = (files("vblkfuzz.export") / _MAIN).read_text()
    if any(one.name in SECTIONS for one in case.scenario.ops):
        main = main.replace(_AFTER, _CONTROL + _AFTER)
    if interrupts(case.scenario):
        for before, after in ((_AFTER, _UNINTERRUPTED + _AFTER), _RUN, _LIMIT):
            assert main.count(before) == 1, before
            main = main.replace(before, after)
    return with_imports("\n".join([*_head(case), body]) + main, _IMPORTS)


def _head(case: Case) -> list[str]:
    violation, rule = case.violation, case.expected_rule
    title = f"{rule.id}: {rule.title}" if rule else "A scenario that breaks no rule."
    sentence = violation.sentence if violation else ""
    said = f"vblkfuzz found: {sentence}" if sentence else ""
    words = (
        title,
        said,
        "Written by vblkfuzz export from a template. The test fails with the bug and passes"
        " without it. The environment variable QEMU_TEST_QEMU_BINARY or QEMU_PROG names the QEMU.",
    )
    lines = ["#!/usr/bin/env python3", "# group: rw", f"# {SPDX}", "#"]
    for index, paragraph in enumerate(filter(None, words)):
        lines += [""] * (index > 0) + wrap(paragraph, _WIDTH - (0 if index else 3))
    lines[4] = f'"""{lines[4]}'
    return [*lines, ""]


EXPORT: Final = Export(
    summary="a test of one finding for QEMU's own suites: unittest and TAP",
    text=iotest_text,
    left_out=left_out_of,
    program=iotest_text,
)
