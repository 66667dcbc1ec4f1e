"""The schedule of a finding as a part of the program of `qtest_file`: its deviations, and the gate.

The gate is the source of `vblkfuzz.gate` itself, so the program interrupts the threads of its QEMU
at the same places. `qtest_schedule.txt` is what ties it to the program. A program whose scenario
interrupts no thread has none of this.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.export.python_source import Part, source_of, with_imports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vblkfuzz.scenario.scenario import Deviation, Scenario

_TEMPLATE: Final = "qtest_schedule.txt"
_PARTS: Final = (
    Part("vblkfuzz.scenario.place", ("Place",)),
    Part("vblkfuzz.scenario.scenario", ("Go", "Role", "Deviation")),
    Part("vblkfuzz.targets.activity.stillness", ("AWAKE", "_AT_GATE")),
    Part("vblkfuzz.targets.qemu.gated", ("LIGHT",)),
    Part("vblkfuzz.gate.filter"),
    Part("vblkfuzz.gate.installation"),
    Part("vblkfuzz.gate.listener"),
    Part("vblkfuzz.gate.line"),
    Part("vblkfuzz.gate.calls"),
    Part("vblkfuzz.gate.core"),
    Part("vblkfuzz.gate.thread_files"),
    Part("vblkfuzz.gate.threads"),
    Part("vblkfuzz.gate.points"),
    Part("vblkfuzz.gate.order"),
    Part("vblkfuzz.gate.neighbours"),
    Part("vblkfuzz.gate.gate"),
)
"""Each after those whose names it needs when it is defined."""
_IMPORTS: Final = (
    *(("contextlib", "suppress"), ("os", ""), ("re", ""), ("select", ""), ("threading", "")),
)
_BEFORE: Final = "class Unusable(Exception):\n"
_OPTION: Final = '    parser.add_argument("--without-drains", action="store_true")\n'
_CHOSEN: Final = "    options = parser.parse_args()\n"
_HEAD: Final = """\
Shows a bug of QEMU's virtio-blk-pci. Needs Python 3.8 and a QEMU, nothing else.

    python3 FILE [--without-drains] [--transcript] [QEMU]

Exit status: 1 the bug shows, 0 it does not, 2 QEMU cannot be used. --without-drains leaves the
drained sections out; --transcript prints QEMU's command line and every raw qtest and QMP line.
"""
_HEAD_OF_RACE: Final = """\
Shows a race in QEMU's virtio-blk-pci. Needs Python 3.10, Linux on x86-64, QEMU 7.1 or later.

    python3 FILE [--without-schedule] [--without-drains] [--transcript] [QEMU]

Exit status: 1 the bug shows, 0 it does not, 2 nothing is known of it: QEMU cannot be used or cannot
be interrupted here, or no thread came to a place of SCHEDULE, as may be in another version.
--without-schedule interrupts no thread, --without-drains leaves the drained sections out;
--transcript prints QEMU's command line, every raw qtest and QMP line, and the trace lines.

SCHEDULE says at which trace events threads of QEMU are held, in which step. A thread that writes
the line of an event sleeps in the kernel until this program answers (seccomp(2), user notification;
no privilege is needed). One thread goes on at a time. A thread that is held with Go.MAIN or Go.IO0
goes on when all others sleep, one with Go.NEXT after the next step.
"""
_FILLED: Final = (
    (_HEAD, _HEAD_OF_RACE),
    ("import argparse\n", "from __future__ import annotations\n\nimport argparse\n"),
    ("qemu = Qemu(binary, ", "qemu = SerialQemu(binary, "),
    ("story = Story(qemu, ", "story = SerialStory(qemu, "),
    (_OPTION, _OPTION + _OPTION.replace("drains", "schedule")),
    (_CHOSEN, f"{_CHOSEN}    if options.without_schedule:\n        SCHEDULE.clear()\n"),
)


def interrupts(scenario: Scenario) -> bool:
    """Whether the schedule of a scenario interrupts threads of a QEMU."""
    return any(deviation.role for deviation in scenario.schedule)


def with_schedule(text: str, scenario: Scenario, steps: Mapping[int, int], form: str) -> str:
    """Return a program that interrupts the threads of its QEMU.

    Args:
        text: a program that does not.
        scenario: it has such a schedule.
        steps: the step of the program that an operation is, by its index.
        form: names the export in errors.

    Raises:
        UsageError: an operation is interrupted that the program does not have.
    """
    for before, after in _FILLED:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    gate = source_of(_PARTS)
    own = (files("vblkfuzz.export") / _TEMPLATE).read_text()
    schedule = _schedule(scenario.schedule, steps, form)
    text = text.replace(_BEFORE, f"{gate.text}\n\n{own}{schedule}\n\n{_BEFORE}")
    return with_imports(text, [*gate.imports, *_IMPORTS])


def _schedule(schedule: Sequence[Deviation], steps: Mapping[int, int], form: str) -> str:
    lines = [f"    {_deviation(one, steps, form)},\n" for one in schedule if one.role]
    return "".join(("SCHEDULE = [\n", *lines, "]\n"))


def _deviation(deviation: Deviation, steps: Mapping[int, int], form: str) -> str:
    """Return the expression that makes a deviation in the program."""
    step = steps.get(deviation.op)
    if step is None:
        problem = f"the program has no operation {deviation.op}"
        raise UsageError(f"{form}: {problem}, which the schedule interrupts")
    words = [str(step), str(deviation.point), f"Go.{deviation.go.name}"]
    words.append(f"role=Role.{deviation.role.name}")
    words += ["locks=True"] * deviation.locks
    words += [f"place={deviation.place!r}"] * (deviation.place is not None)
    return f"Deviation({', '.join(words)})"
