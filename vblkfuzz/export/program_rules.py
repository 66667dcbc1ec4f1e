"""The rules that the exported program for a QEMU can judge.

The program sees used rings, answers, guest memory after a reset, the log of dequeued requests, and
whether QEMU ends or answers. A rule about anything else, such as a thread that never sleeps, cannot
fail in it: "nothing is wrong" would be no result. So its findings get no program.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.export.qtest_schedule import interrupts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vblkfuzz.triage.case import Case

LOST: Final = "a request was never served"
_MEMORY: Final = "was written after the reset"
_STOPPED: Final = "a request was used while the machine was stopped"
_REFUSED: Final = "must be refused, but ended well"
_ENDED: Final = "QEMU has ended or hangs"

SHOWN_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "S1": "a request was dequeued inside the drained section",
        "S4": _MEMORY,
        "S5": "was never made available",
        "S6": "was never made available",
        "S14": "finds what no request writes in",
        "S17": _STOPPED,
        "S24": _MEMORY,
        "S29": _REFUSED,
        "S30": _REFUSED,
        "S31": "the cache mode is not",
        "S34": LOST,
        "S35": _STOPPED,
        "S43": "was still under way when",
        "L1": LOST,
        "L3": LOST,
        "CRASH": _ENDED,
        "HANG": _ENDED,
    }
)
"""Words of the program when it shows that a rule is broken, by rule. It judges no other rule."""


def check_rule(case: Case, form: str) -> None:
    """Check that the program can judge the rule of a case; `form` names the export in the error.

    Raises:
        UsageError: it cannot.
    """
    rule = case.rule or case.expected_rule
    if rule is None:
        return
    words = SHOWN_BY.get(rule.id)
    if words is None:
        raise UsageError(
            f"{form}: the program cannot judge rule {rule.id} ({rule.title.rstrip('.')}): "
            "use --to issue, which has the scenario and its replay"
        )
    restores = any(one.name == "save" for one in case.scenario.ops)
    if words == LOST and not (restores or interrupts(case.scenario)):
        problem = f"the program judges rule {rule.id} after a restore only"
        raise UsageError(f"{form}: {problem}, and the scenario has none")


def words_of(case: Case) -> str:
    """Return words of the sentences with which the program shows the bug of a case."""
    rule = case.rule or case.expected_rule
    return SHOWN_BY.get(rule.id, "") if rule else ""
