"""A finding as a program for QEMU's maintainers: one file, Python's standard library, no vblkfuzz.

The program is `qtest_program.txt` with the scenario filled in. It exits with 1 if the bug shows and
with 0 if not. `--without-drains` is the control run. `--transcript` prints every raw qtest and QMP
line, for a bug report, and each answer that the driver finds.

It negotiates the scenario's features and lays out its buffers. Left out, and named, are operations
that change nothing in a real QEMU. One that the program lacks and that does is refused: without it
the bug may not show, and "nothing is wrong" would say that it is not there.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.features import accepted, scenario_features
from vblkfuzz.driver.forms import form_of
from vblkfuzz.errors import UsageError
from vblkfuzz.export.export import Export
from vblkfuzz.export.program_rules import check_rule, words_of
from vblkfuzz.export.qtest_hostile import broken, is_shown
from vblkfuzz.export.qtest_packed import MISSING, with_packed_rings
from vblkfuzz.export.qtest_request import is_shaped, shaped
from vblkfuzz.export.qtest_schedule import interrupts, with_schedule
from vblkfuzz.scenario.alphabet.ops import OPS, PUBLISHES
from vblkfuzz.scenario.op import op
from vblkfuzz.targets.qemu.bus import MMIO
from vblkfuzz.targets.qemu.without import WITHOUT
from vblkfuzz.trace.kinds import OP
from vblkfuzz.trace.probe import EPILOGUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.event import Event
    from vblkfuzz.triage.case import Case

_TEMPLATE: Final = "qtest_program.txt"
_STEPS: Final = "STEPS: list = []  # [(operation, {argument: value}), ...]\n"
_SIZES: Final = "QUEUES, SIZE, SECTORS = 1, 8, 64\n"
_FLAGS: Final = "IOTHREADS, IOEVENTFD, POLLING, READ_ONLY = 1, True, False, False\n"
_KIND: Final = 'KIND, UNITS = "blk", 1  # of the device\n'
_SENTENCE: Final = 'SENTENCE = ""  # the violation that vblkfuzz found\n'
_SHOWS: Final = 'SHOWS = ""  # words of the sentences that show the bug; others are only printed\n'
_LEFT_OUT: Final = "LEFT_OUT: list = []  # operations of the scenario that are not in STEPS\n"
SECTIONS: Final = ("drain_begin", "mirror_begin")
"""Operations that the control run leaves out."""
_ELSEWHERE: Final = ("qsd", "vhost-user", "vhost-user-frontend")
"""Targets of which a program for QEMU shows nothing."""
_WITHOUT_EFFECT: Final = WITHOUT | {"read_config", "set_iothread"}
"""Operations that change nothing in a QEMU, which refuses set_iothread for a disk in use."""


def qtest_text(cases: Sequence[Case]) -> str:
    """Return the program for the only case.

    Raises:
        UsageError: there are several cases, or one that the program cannot carry out or judge.
    """
    return program_of(cases, "qtest")


def program_of(cases: Sequence[Case], form: str) -> str:
    """Return the program for the only case; `form` names the export in errors.

    Raises:
        UsageError: there are several cases, or one that the program cannot carry out or judge.
    """
    if len(cases) != 1:
        raise UsageError(f"{form}: expected one input, found {len(cases)}; name one finding")
    (case,) = cases
    target = case.outcome.setup.target
    if target in _ELSEWHERE:
        raise UsageError(f"{form}: the program runs a QEMU, not {target}: use --target qemu")
    if case.outcome.setup.device == MMIO:
        raise UsageError(
            f"{form}: the program has no {MMIO}: try whether it shows on virtio-blk-pci"
        )
    check_rule(case, form)
    sentence = case.violation.sentence if case.violation else ""
    return program(_as_met(case), sentence, form, words_of(case))


def left_out_of(cases: Sequence[Case]) -> list[str]:
    """Return the operations of cases that the program does not have."""
    return [name for case in cases for name in left_out(case.scenario)]


def left_out(scenario: Scenario) -> list[str]:
    """Return the operations that the program does not have, each name once, in order."""
    return [*dict.fromkeys(one.name for one in scenario.ops if not _has(one))]


def program(scenario: Scenario, sentence: str, form: str = "qtest", shows: str = "") -> str:
    """Return the program for a scenario.

    Args:
        scenario: it.
        sentence: says what is wrong, for its help.
        form: names the export in errors.
        shows: words of the program's sentences that show the bug, if it has a schedule: its control
            run may show another bug. Any sentence does in other programs.

    Raises:
        UsageError: the program cannot carry out an operation of the scenario.
    """
    packed = scenario.device.ring == "packed"
    if scenario.device.in_order:
        raise UsageError(f"{form}: the program has no in_order: leave it out of [device]")
    for index, operation in enumerate(scenario.ops):
        lacks = operation.name == "hostile" and scenario.device.kind != "blk"
        lacks |= packed and operation.name in MISSING
        lacks |= operation.args.get("way") == "function"
        if lacks or not (_has(operation) or _has_no_effect(operation)):
            raise UsageError(f"{form}: operation {index}: the program has no {operation}")
    text = (files("vblkfuzz.export") / _TEMPLATE).read_text()
    device = scenario.device
    sizes = device.queues, device.queue_size, device.disk_sectors
    units = device.units if device.kind == "scsi" else 1
    flags = device.iothreads, device.ioeventfd, device.polling, device.read_only
    made = [_step(one, device) if _has(one) else "" for one in scenario.ops]
    steps = "".join(f"    {step},\n" for step in made if step)
    serial = interrupts(scenario)
    for line, filled in (
        (_STEPS, f"STEPS = [\n{steps}]\n"),
        (_SIZES, f"{_SIZES.partition(' = ')[0]} = {', '.join(map(repr, sizes))}\n"),
        (_FLAGS, f"{_FLAGS.partition(' = ')[0]} = {', '.join(map(repr, flags))}\n"),
        (_KIND, f"KIND, UNITS = {device.kind!r}, {units}{_KIND[_KIND.index('  #') :]}"),
        (_SENTENCE, f"SENTENCE = {sentence!r}\n"),
        (_SHOWS, f"SHOWS = {shows if serial else ''!r}{_SHOWS[_SHOWS.index('  #') :]}"),
        (_LEFT_OUT, f"LEFT_OUT = {left_out(scenario)!r}{_LEFT_OUT[_LEFT_OUT.index('  #') :]}"),
    ):
        assert text.count(line) == 1, line
        text = text.replace(line, filled)
    if packed:
        text = with_packed_rings(text)
    if serial:
        kept = [index for index, step in enumerate(made) if step]
        text = with_schedule(text, scenario, {op: at for at, op in enumerate(kept)}, form)
    return text.replace("virtio-blk-pci", f"virtio-{device.kind}-pci", 1)


def _as_met(case: Case) -> Scenario:
    """Return the scenario of a case as it ran.

    It has the places at which its run was interrupted, and the operations of the epilogue if the
    bug shows in one of them.
    """
    run = case.outcome.run.execution
    if run is None:
        return case.scenario
    scenario = run.scenario if interrupts(case.scenario) else case.scenario
    return replace(scenario, ops=(*scenario.ops, *_epilogue(run.trace.events, case.violation)))


def _epilogue(events: Sequence[Event], violation: Violation | None) -> list[Op]:
    """Return the operations of an epilogue in which a bug shows; none if it shows before."""
    added = [event for event in events if event.kind == OP and event.head == EPILOGUE]
    if violation is None or not added or violation.second in events[: events.index(added[0])]:
        return []
    return [one for one in (op(OPS[event.flag].name) for event in added) if _has(one)]


def _has(operation: Op) -> bool:
    """Whether the program has an operation."""
    return operation.spec.qtest or is_shown(operation)


def _has_no_effect(operation: Op) -> bool:
    """Whether a QEMU goes on as without an operation. On files, its backend has no part."""
    if operation.name == "hold":
        return False
    return operation.spec.owner == "backend" or operation.name in _WITHOUT_EFFECT


def command_line(text: str) -> str:
    """Return the command line of the QEMU that a program starts, in the current folder."""
    # A dataclass looks for its module.
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(text, _TEMPLATE, "exec"), names)
    qemu = object.__new__(names.get("SerialQemu", names["Qemu"]))
    qemu.log, qemu.null = "trace.log", 5
    return shlex.join(qemu.command("qemu-system-x86_64", ".", 3, 4, None))


def _step(operation: Op, device: DeviceConfig) -> str:
    """Return an operation as the program takes it; empty if it does nothing on this device."""
    name, arguments = operation.name, operation.args
    if name == "init":
        packed = device.ring == "packed"
        features = accepted(scenario_features(device), operation.b, packed=packed)
        return f"({name!r}, {{'how': {arguments['how']!r}, 'features': {features:#x}}})"
    if name == "hostile":
        return repr((name, broken(operation)))
    arguments.pop("shape", None)
    form = form_of(device)
    if is_shaped(operation) or (form is not BLK and operation.code in PUBLISHES):
        more = shaped(operation, device.queue_size, form)
        if more is None:  # the request does not fit into the ring; the kick remains
            return f"('kick', {{'queue': {operation.a}}})" if name == "publish_kick" else ""
        arguments |= more
    return repr((name, arguments))


EXPORT: Final = Export(
    summary="a program that shows one finding on a QEMU, without vblkfuzz",
    text=qtest_text,
    left_out=left_out_of,
    program=qtest_text,
)
