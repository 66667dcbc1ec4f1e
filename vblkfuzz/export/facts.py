"""The facts about a case, as pairs of a name and a sentence or a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.triage import story

if TYPE_CHECKING:
    from vblkfuzz.triage.case import Case


def facts(case: Case) -> list[tuple[str, str]]:
    """Return the facts about a case, except what its violation and its story say."""
    rule, violation = case.expected_rule, case.violation
    found = []
    if rule:
        found += [
            ("Rule", f"{rule.id}: {rule.title}"),
            ("Source", rule.source),
            ("Correct", rule.instead),
        ]
    if violation and violation.path:
        found.append(("Path", violation.path))
    if case.known:
        found.append(("Known", case.known))
    found += [
        ("Seen", story.seen(case)),
        *((name.capitalize(), value) for name, value in story.shown_again(case)),
        ("Run on", ", ".join(case.outcome.setup)),
        ("Device", story.device_facts(case)),
        *([("Size", str(case.reduction))] if case.reduction else []),
        *(("Note", note) for note in case.outcome.notes),
    ]
    return found
