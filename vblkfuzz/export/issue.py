"""A finding as an issue for the project of the device, in Markdown, with no attachments.

The headings and the facts are those that QEMU's template for bug reports asks for. The reproducer
is in the text: the program of `qtest_file` for a finding on a QEMU, else the scenario and the
command that replays it. Text from a device or a file is quoted, so that it is no markup.
"""

from __future__ import annotations

import re
from dataclasses import replace
from textwrap import fill, indent
from typing import TYPE_CHECKING, Final

from vblkfuzz._version import __version__
from vblkfuzz.counted import counted
from vblkfuzz.errors import NotReproduced, UsageError
from vblkfuzz.export.bisected import bisected
from vblkfuzz.export.case_text import diagram, story_lines
from vblkfuzz.export.export import Export
from vblkfuzz.export.host import host_of
from vblkfuzz.export.licence import SPDX
from vblkfuzz.export.qtest_file import SECTIONS, command_line, left_out, program_of
from vblkfuzz.export.qtest_schedule import interrupts
from vblkfuzz.export.with_vblkfuzz import (
    device_options,
    injected,
    installation,
    why_no_program,
)
from vblkfuzz.scenario.artifact import artifact_text
from vblkfuzz.trace.kinds import MEMWRITE, PUSH
from vblkfuzz.triage.case import replay_command
from vblkfuzz.triage.printable import printable
from vblkfuzz.triage.story import again, device_facts, last_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.export.host import Host
    from vblkfuzz.triage.case import Case
    from vblkfuzz.triage.outcome import Outcome

_WIDTH: Final = 80
_WRITES: Final = (MEMWRITE, PUSH)
_AFTER_ITS_TIME: Final = ("S4", "S6")
"""Rules that a request breaks which goes on after the reset of its driver."""
_MEMORY: Final = "S24"
"""The rule about what the guest finds changed in its memory."""
_CONFIDENTIAL: Final = (
    "Report this confidentially: the device writes guest memory that the guest had got back, which"
    " may be a security bug. In GitLab the line /confidential at the end does that."
)
_FORM: Final = "issue"
_QEMU: Final = "qemu-system-x86_64"


def issue_text(cases: Sequence[Case]) -> str:
    """Return the issue about the only case.

    Raises:
        UsageError: there are several cases.
        HarnessError: the case could not be judged.
        NotReproduced: the case does not show the bug that was found on this device.
        InputFileError: `bisect.json` beside the input is none.
    """
    if len(cases) != 1:
        raise UsageError(f"issue: expected one input, found {len(cases)}; name one finding")
    (case,) = cases
    _ = case.execution  # raises if there is no verdict
    _check_reproduced(case.outcome)
    return printable("\n".join(_lines(case))) + "\n"


def _check_reproduced(outcome: Outcome) -> None:
    """Check that no other bug is reported than the one that was found on this device."""
    expected, shown = outcome.expectation, outcome.run.signature
    if expected is None or expected.verdict != "violation" or outcome.matches:
        return
    runs = counted(outcome.runs, "run")
    problem = f"does not show {expected.signature or expected.rule} in {runs}"
    but = f", but {shown}" if shown else ""
    raise NotReproduced(f"{outcome.input}: {problem}{but}; --repeat N runs it more often")


def touches_given_back(case: Case) -> bool:
    """Return whether the device wrote guest memory that the guest had got back."""
    return any(
        one.rule == _MEMORY or (one.rule in _AFTER_ITS_TIME and one.second.kind in _WRITES)
        for one in case.execution.verdict.violations
    )


def _lines(case: Case) -> Iterator[str]:
    host, text = host_of(case), _program(case)
    secret = touches_given_back(case)
    yield f"<!-- {SPDX} -->"
    yield f"<!-- Written by vblkfuzz {__version__} from a template: check each statement. -->"
    if secret:
        yield from ("", fill(f"**{_CONFIDENTIAL}**", _WIDTH))
    yield from ("", "## Host environment", *_host(case, host, text))
    yield from ("", "## Emulated/Virtualized environment", *_guest(host))
    yield from ("", "## Description of problem", *_problem(case))
    yield from ("", "## Steps to reproduce", *(_steps(case, text) if text else _replay(case)))
    yield from ("", "## Additional information", *_more(case, text))
    actions = ['/label ~"kind::Bug"'] * bool(host.program) + ["/confidential"] * secret
    yield from ["", *actions] if actions else []


def _program(case: Case) -> str:
    """Return the program that shows the bug on a QEMU; empty if it cannot, or is of no use."""
    return "" if _why_none(case) else program_of([case], _FORM)


def _why_none(case: Case) -> str:
    """Return why there is no program; empty if there is one."""
    if (target := case.outcome.setup.target) != "qemu":
        return f"it would run a QEMU, and this was found on target {target}"
    try:
        program_of([case], _FORM)
    except UsageError as error:
        return str(error).removeprefix(f"{_FORM}: ").partition(": use --")[0]
    return ""


def _host(case: Case, host: Host, text: str) -> Iterator[str]:
    yield f"- Operating system: {host.system}"
    yield f"- OS/kernel version: {host.kernel}"
    yield f"- Architecture: {host.architecture}"
    if host.program:
        yield f"- QEMU flavor: {host.program}"
        yield f"- QEMU version: {host.version or 'unknown'}"
    if text:
        null = ", 5 is /dev/null" if interrupts(case.scenario) else ""
        yield f"- QEMU command line (descriptors 3 and 4 are sockets for qtest and QMP{null}):"
    elif host.program == _QEMU:
        yield "- QEMU command line (the device; vblkfuzz adds its disks, guest memory, sockets):"
    if text or host.program == _QEMU:
        line = command_line(text) if text else device_options(case)
        words = re.sub(r" (-[a-zA-Z])", r" \\\n    \1", line)
        yield indent(_fenced(words), "  ")


def _guest(host: Host) -> Iterator[str]:
    yield "- Operating system: none; a driver outside of the guest does what a guest would do"
    yield f"- Architecture: {'x86_64' if host.program == _QEMU else 'any'}"


def _problem(case: Case) -> Iterator[str]:
    violation, rule = case.violation, case.rule
    yield fill(violation.sentence if violation else "The scenario breaks no rule.", _WIDTH)
    if violation and rule:
        yield from (
            "",
            fill(f"Rule: {rule.title}", _WIDTH),
            fill(f"Source: {rule.source}.", _WIDTH),
        )
        yield from ("", fill(f"Correct: {rule.instead}", _WIDTH))
    if violation and violation.path:
        yield from ("", f"Path: `{violation.path}`")
    yield from ("", "What guest, operator and backend do:", "")
    yield _fenced("\n".join(line.strip() for line in story_lines(case)))
    yield from ("", f"Device: {_code(device_facts(case))}")
    if output := last_output(case):
        yield from ("", "Last output of the device:", "", _fenced(output.rstrip()))
    if words := injected(case):
        yield from ("", words)


def _steps(case: Case, text: str) -> Iterator[str]:
    """Yield the steps for a reader who has no vblkfuzz."""
    race = interrupts(case.scenario)
    needs = (
        "Python 3.10, Linux on x86-64,\n   and QEMU 7.1 or later"
        if race
        else "Python 3.8 and a QEMU"
    )
    yield f"1. Save the program below as `reproducer.py`. It needs {needs}."
    yield f"2. `python3 reproducer.py {_QEMU}` prints what is wrong. Its exit status is 1 if the"
    yield "   bug shows, and 0 if not."
    if race:
        yield f"3. The control run, `python3 reproducer.py --without-schedule {_QEMU}`, interrupts"
        yield "   no thread. The exit status 2 says that this QEMU cannot be interrupted there."
    elif any(one.name in SECTIONS for one in case.scenario.ops):
        yield f"3. The control run, `python3 reproducer.py --without-drains {_QEMU}`, does the same"
        yield "   without the drained sections."
    yield from ("", _fenced(text.rstrip(), "python"))


def _replay(case: Case) -> Iterator[str]:
    """Yield the steps with vblkfuzz."""
    outcome = case.outcome
    yield from (why_no_program(_why_none(case)), "", *installation(case))
    command = replay_command(replace(outcome, input="scenario.toml"))
    yield "2. Save the scenario below as `scenario.toml`."
    yield "3. Replay it. The exit status is 77 if the bug shows, and 0 if not:"
    yield from ("", indent(_fenced(command, "sh"), "   "))
    yield from ("", _fenced(artifact_text(outcome.artifact).rstrip(), "toml"))


def _more(case: Case, text: str) -> Iterator[str]:
    yield f"- Rate: {_rate(case)}, by vblkfuzz on {_code(', '.join(case.outcome.setup))}"
    if case.confidence and "%" in str(case.confidence):
        yield "  (in brackets: the 95 % confidence interval)"
    for place in bisected(case):
        what = "First bad" if place.bad else "First good after it"
        since = f" (before it: {_code(place.before)})" if place.before else ""
        yield f"- {what}: {_code(place.after)}{since}"
    if case.known:
        yield f"- Known: {case.known}"
    if signature := case.outcome.run.signature:
        yield f"- Signature, for the search for duplicates: `{signature}`"
    if text and (missing := left_out(case.scenario)):
        yield f"- The program leaves out: {', '.join(missing)}"
    yield from ("", "The events, by actor:", "", _fenced("\n".join(diagram(case))))


def _rate(case: Case) -> str:
    """Return in how many runs this bug showed, whatever the input was saved for."""
    outcome, confidence = case.outcome, case.confidence
    if confidence and (confidence.rate.seen or not outcome.run.signature):
        return f"reproduced in {confidence}"
    if outcome.reproduced or not outcome.run.signature:
        return again(case)
    return f"shown in at least {outcome.same} of {counted(outcome.runs, 'run')}"


def _fenced(text: str, language: str = "") -> str:
    """Return text as a block of code, whatever is in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _code(text: str) -> str:
    """Return text as code within a line."""
    line = " ".join(text.split())
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"


EXPORT: Final = Export(
    summary="an issue about one finding, in Markdown, after QEMU's template",
    text=issue_text,
    program=lambda cases: _program(cases[0]),
)
