"""`vblkfuzz doctor`: what this machine can do, and what to do about each thing missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.doctor.diagnosis import Diagnosis


def doctor(
    qemu_binary: Annotated[
        str,
        typer.Option(metavar="PATH", help="qemu-system-x86_64 to check.  [default: on PATH]"),
    ] = "",
    qsd_binary: Annotated[
        str,
        typer.Option(metavar="PATH", help="qemu-storage-daemon to check.  [default: on PATH]"),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One object per line on stdout.")] = False,
) -> None:
    """Check what this machine can do, and say what to do about each thing missing.

    Each check tries the thing itself in a process of its own, which is ended afterwards: it holds
    a system call, traces a child, runs a scenario. The lines at the end say for which uses the
    machine is ready; a line with "no" or "limited" names the uses that need it.

    Exit code: 0 a campaign with the defaults of fuzz can run; 1 something that it needs is
    missing. What other uses lack does not count.
    """
    from vblkfuzz.doctor.diagnosis import diagnose
    from vblkfuzz.doctor.registry import checks
    from vblkfuzz.targets.options import TargetOptions

    options = TargetOptions(qemu_binary=qemu_binary, qsd_binary=qsd_binary)
    show = _show_json if as_json else _show_text
    raise typer.Exit(show(diagnose(checks(options))))


def _show_text(diagnoses: Iterator[Diagnosis]) -> int:
    """Print a line for each check as soon as it has ended; return the exit status."""
    from vblkfuzz.cli.views.doctor import print_check, print_readiness
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.doctor.diagnosis import readiness

    screen = Screen()
    found = []
    for diagnosis in diagnoses:
        found.append(diagnosis)
        print_check(screen, diagnosis)
    screen.say()
    for one in readiness(found):
        print_readiness(screen, one)
    return _status(found)


def _show_json(diagnoses: Iterator[Diagnosis]) -> int:
    """Print an object for each check, then for each use; return the exit status."""
    from vblkfuzz.cli.views import doctor_json
    from vblkfuzz.doctor.diagnosis import readiness

    doctor_json.print_start()
    found = []
    for diagnosis in diagnoses:
        found.append(diagnosis)
        doctor_json.print_check(diagnosis)
    for one in readiness(found):
        doctor_json.print_use(one)
    status = _status(found)
    doctor_json.print_end(status)
    return status


def _status(found: list[Diagnosis]) -> int:
    from vblkfuzz.doctor.diagnosis import is_ready

    return int(ExitStatus.CLEAN if is_ready(found) else ExitStatus.MISSING)


VERB: Final = Verb(
    doctor,
    examples=(
        "vblkfuzz doctor",
        "vblkfuzz doctor --json --qemu-binary build/qemu-system-x86_64",
    ),
    summary="Check what this machine can do, and what it lacks.",
)
