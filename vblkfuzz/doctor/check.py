"""One check of the machine: its name, what needs it, and what it has found."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple


class Use(NamedTuple):
    """What a user wants to do on the machine."""

    name: str
    summary: str


MODEL: Final = Use("model", "campaigns on the model: vblkfuzz fuzz")
REPORTS: Final = Use("reports", "reports: vblkfuzz export --to html, vblkfuzz coverage")
QEMU: Final = Use("qemu", "a real QEMU: vblkfuzz fuzz --target qemu")
QSD: Final = Use("qsd", "a real storage daemon: vblkfuzz fuzz --target qsd")
GATE: Final = Use("gate", "the order of threads of a real QEMU as part of the input")
COVERAGE: Final = Use("coverage", "coverage of a real process, by breakpoints")
TESTS: Final = Use("tests", "developing vblkfuzz, and its tests")
USES: Final = (MODEL, REPORTS, QEMU, QSD, GATE, COVERAGE, TESTS)


class Verdict(StrEnum):
    """Whether the machine has something."""

    YES = "yes"
    LIMITED = "limited"
    NO = "no"


class Found(NamedTuple):
    """What a check has found."""

    verdict: Verdict
    fact: str
    """What was seen, such as a version or an error."""
    advice: str = ""
    """What to do about it; empty: that of the check."""


class Check(NamedTuple):
    """One thing that a machine may have."""

    name: str
    look: Callable[[], Found]
    """Tries it, in a process of its own (`trial`), so it may raise, hang or leave files open."""
    needed_by: tuple[Use, ...] = ()
    """Uses that are impossible without it."""
    helps: tuple[Use, ...] = ()
    """Uses that are possible without it, but know or do less."""
    advice: str = ""
    """What to do if it is missing; empty: another check says it."""
    reads_only: bool = False
    """Nothing can go wrong, so it needs no process of its own, which not each system has."""


def yes(fact: str) -> Found:
    """Return that it is there."""
    return Found(Verdict.YES, fact)


def limited(fact: str, advice: str = "") -> Found:
    """Return that it is there, but not all of it or not enough."""
    return Found(Verdict.LIMITED, fact, advice)


def no(fact: str, advice: str = "") -> Found:
    """Return that it is not there."""
    return Found(Verdict.NO, fact, advice)
