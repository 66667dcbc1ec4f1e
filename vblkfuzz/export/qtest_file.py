"""A finding as a program for QEMU's maintainers: one file, Python's standard library, no vblkfuzz.

The program is `qtest_program.txt` with the scenario filled in. It exits with 1 if the bug shows and
with 0 if not. `--without-drains` is the control run. `--transcript` prints every raw qtest and QMP
line, for a bug report.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.export.export import Export
from vblkfuzz.scenario.alphabet.param import is_quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.triage.case import Case

_TEMPLATE: Final = "qtest_program.txt"
_STEPS: Final = "STEPS: list = []  # [(operation, {argument: value}), ...]\n"
_CONFIG: Final = "EVENT_IDX, IOTHREAD, IOEVENTFD, SECTORS, SIZE = True, True, True, 64, 8\n"
_SENTENCE: Final = 'SENTENCE = ""  # the violation that vblkfuzz found\n'


def qtest_text(cases: Sequence[Case]) -> str:
    """Return the program for the only case.

    Raises:
        UsageError: there are several cases.
    """
    if len(cases) != 1:
        raise UsageError(f"qtest: expected one input, found {len(cases)}; name one finding")
    (case,) = cases
    return program(case.scenario, case.violation.sentence if case.violation else "")


def program(scenario: Scenario, sentence: str) -> str:
    """Return the program for a scenario; `sentence` says what is wrong, for its help."""
    text = (files("vblkfuzz.export") / _TEMPLATE).read_text()
    device = scenario.device
    config = (
        device.event_idx,
        device.iothreads > 0,
        device.ioeventfd,
        device.disk_sectors,
        max(device.queue_size, 8),  # two requests of three descriptors each must fit
    )
    steps = "".join(f"    {_step(one)},\n" for one in scenario.ops if one.spec.qtest)
    for line, filled in (
        (_STEPS, f"STEPS = [\n{steps}]\n"),
        (_CONFIG, f"{_CONFIG.partition(' = ')[0]} = {', '.join(map(repr, config))}\n"),
        (_SENTENCE, f"SENTENCE = {sentence!r}\n"),
    ):
        assert text.count(line) == 1, line
        text = text.replace(line, filled)
    return text


def _step(operation: Op) -> str:
    """Return an operation as the program takes it: it knows no shapes and declines no feature."""
    quiet = {param.name for param in operation.spec.params if is_quiet(param)}
    arguments = {name: value for name, value in operation.args.items() if name not in quiet}
    return repr((operation.name, arguments))


EXPORT: Final = Export(
    summary="a program that shows one finding on a QEMU, without vblkfuzz", text=qtest_text
)
