"""What the options of a campaign stand for, the same for each verb that runs one."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from vblkfuzz.errors import UsageError
from vblkfuzz.process.usable_cores import usable_cores
from vblkfuzz.trace.witness import MODEL as MODEL_WITNESSES
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vblkfuzz.scenario.device import Value
    from vblkfuzz.targets.options import TargetOptions


class CoverageKind(StrEnum):
    """What is noted of a real device's own code."""

    FUNCTIONS = "functions"
    EDGES = "edges"


class RingForm(StrEnum):
    """Form of the rings."""

    SPLIT = "split"
    PACKED = "packed"


ACoverage = Annotated[
    CoverageKind | None,
    typer.Option(help="Keep inputs that reach new code of a real device: its functions or edges."),
]


class Checked(NamedTuple):
    """What a campaign runs on; it has been checked to start."""

    device: str
    """Name of the device, with defects."""
    witnesses: Witness
    listed: tuple[tuple[str, str], ...] = ()
    """The known bugs of a device of the model; a real device has no such list."""


def check_device(
    target: str, device: str | None, defects: tuple[str, ...], mode: str, options: TargetOptions
) -> Checked:
    """Check, before workers start, that the device exists and starts; return its full name.

    Raises:
        UsageError: there is no such target, device, defect or mode.
        HarnessError: a real device does not start, or there is no fuzzing engine.
    """
    from vblkfuzz.campaign.engine import check_engine
    from vblkfuzz.scenario.former_names import current_name
    from vblkfuzz.targets.device_class import defective
    from vblkfuzz.targets.listed_bugs import listed_bugs
    from vblkfuzz.targets.model import check_mode
    from vblkfuzz.targets.registry import MODEL, default_device, open_target

    check_engine()
    name = device or default_device(target)
    if target == MODEL:
        check_mode(mode)
        name = defective(current_name(name), defects)
        return Checked(name, MODEL_WITNESSES, listed_bugs(name))
    if defects:
        raise UsageError(f"--defect: defects are planted in the {MODEL} only")
    with open_target(target, name, mode, options) as started:
        return Checked(name, getattr(started, "witnesses", MODEL_WITNESSES))


def coverage_of(target: str, kind: CoverageKind | None) -> str:
    """Return what is to be noted of the device's own code; empty: nothing.

    Raises:
        UsageError: the target is the model, whose blocks are always noted.
    """
    from vblkfuzz.targets.registry import MODEL

    if kind and target == MODEL:
        raise UsageError(f"--coverage {kind}: for real devices; the {MODEL} is always covered")
    return kind.value if kind else ""


def fields_of(target: str, form: RingForm | None, *, in_order: bool) -> dict[str, Value]:
    """Return the fields of the device that all new inputs have: those that are asked for.

    Raises:
        UsageError: the target does not know one of them.
    """
    from vblkfuzz.scenario.device import DEFAULTS
    from vblkfuzz.targets.registry import TARGETS

    asked = {"--ring": ("ring", form and form.value), "--in-order": ("in_order", in_order or None)}
    fields: dict[str, Value] = {name: value for name, value in asked.values() if value is not None}
    if TARGETS.is_own(target):  # code of others is not imported for this
        ignores = TARGETS.find(target).ignores
        for option, (name, value) in asked.items():
            if name in ignores and fields.get(name, DEFAULTS[name]) != DEFAULTS[name]:
                raise UsageError(f"{option}: target {target} does not know {name}={value}")
    return fields


def schedulers_of(text: str) -> tuple[str, ...]:
    """Return the schedulers of a campaign with their shares; those of every campaign if none.

    Raises:
        UsageError: there is no such scheduler, or a share is no number.
    """
    from vblkfuzz.campaign.shares import DEFAULT, shares_of

    texts = tuple(text.split(",")) if text else DEFAULT
    shares_of(texts)
    return texts


def number_of_workers(asked: int) -> int:
    """Return the number of workers; 0 stands for one on each core that may be used."""
    return asked or usable_cores()


def seed_of(asked: int) -> int:
    """Return the seed; 0 stands for a random one."""
    return asked or secrets.randbelow(1 << 30) + 1


def silenced_by(files: Sequence[Path] | None) -> tuple[str, ...]:
    """Return the patterns of signatures in files for `--known`.

    Raises:
        InputFileError: a file cannot be read.
    """
    from vblkfuzz.store.known_file import read_known

    return tuple(pattern for path in files or () for pattern in read_known(path))
