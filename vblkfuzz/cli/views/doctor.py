"""The table of `vblkfuzz doctor`: a line for each check, then one for each use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.doctor.check import Verdict

if TYPE_CHECKING:
    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.doctor.check import Check
    from vblkfuzz.doctor.diagnosis import Diagnosis, Readiness

_STYLES: Final = {Verdict.YES: "", Verdict.LIMITED: "yellow", Verdict.NO: "red"}
_READY: Final = {Verdict.YES: "ready", Verdict.LIMITED: "limited", Verdict.NO: "missing"}
_NAME, _VERDICT = 19, 9
"""Columns of a name and of a verdict."""


def print_check(screen: Screen, diagnosis: Diagnosis) -> None:
    """Print what a check has found; if it is not all there, what needs it and what to do."""
    check, found = diagnosis
    style = _STYLES[found.verdict]
    screen.wrapped(found.fact, label=_label(check.name, found.verdict), style=style)
    if found.verdict is not Verdict.YES:
        for text in filter(None, (_wanted(check), found.advice and f"to do: {found.advice}")):
            screen.wrapped(text, indent=len(_label("", "")))


def print_readiness(screen: Screen, readiness: Readiness) -> None:
    """Print whether the machine is ready for a use, what it lacks, and which checks limit it."""
    use, verdict, missing, lessened = readiness
    lacks = [f"lacks {', '.join(missing)}"] if missing else []
    lacks += [f"see {', '.join(lessened)}"] if lessened else []
    text = "; ".join((use.summary, *lacks))
    screen.wrapped(text, label=_label(use.name, _READY[verdict]), style=_STYLES[verdict])


def _label(name: str, verdict: str) -> str:
    return f"{name:<{_NAME}}{verdict:<{_VERDICT}}"


def _wanted(check: Check) -> str:
    """Return what cannot be done without it, and what is then worse."""
    needed = ", ".join(one.name for one in check.needed_by)
    helped = ", ".join(one.name for one in check.helps)
    parts = (f"needed for {needed}" if needed else "", f"helps {helped}" if helped else "")
    return "; ".join(filter(None, parts))
