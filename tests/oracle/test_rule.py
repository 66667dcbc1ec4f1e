from __future__ import annotations

from collections.abc import Sequence

import pytest

from vblkfuzz.oracle.judge import RULES, by_id
from vblkfuzz.oracle.naming.naming import Naming
from vblkfuzz.oracle.rule import Report, Rule, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import POP, PUSH
from vblkfuzz.trace.witness import Witness

ONE = Event(0, POP)
OTHER = Event(1, PUSH)


def test_the_decorator_makes_a_rule_of_a_function() -> None:
    situation = Situation("seen", "It was seen.")

    def check(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
        report.met(situation)

    made = rule(
        "X1",
        title="A title.",
        source="here",
        instead="The right thing.",
        needs=(POP,),
        situations=(situation,),
    )(check)
    texts = ("X1", "A title.", "here", "The right thing.")
    assert made == Rule(*texts, (POP,), (situation,), check, Witness.DEVICE)


def test_an_identifier_is_given_once() -> None:
    place = r"vblkfuzz\.oracle\.rules\.\w+"
    with pytest.raises(ValueError, match=f"^two rules are {RULES[0].id}: in {place} and {place}$"):
        by_id([RULES[0], RULES[0]])


def test_the_decorator_takes_what_makes_names() -> None:
    made = rule(
        "X1",
        title="A title.",
        source="here",
        instead="The right thing.",
        needs=(POP,),
        no_situations="It is only a test.",
        path="innermost",
        leads_to=("S1",),
        leads_to_in={"late": ("S2", "S3")},
    )(lambda scenario, events, report: None)
    late = ("late", frozenset(("S2", "S3")))
    assert made.naming == Naming("innermost", leads_to=frozenset(("S1",)), leads_to_in=(late,))


@pytest.mark.parametrize(
    ("situations", "reason"), [((), ""), ((Situation("seen", "It was seen."),), "none at all")]
)
def test_a_rule_has_situations_or_says_why_not(
    situations: tuple[Situation, ...], reason: str
) -> None:
    made = rule(
        "X1",
        title="A title.",
        source="here",
        instead="The right thing.",
        needs=(POP,),
        situations=situations,
        no_situations=reason,
    )
    with pytest.raises(ValueError, match=r"test_rule: rule X1: expected situations= that"):
        made(lambda scenario, events, report: None)


def test_a_report_keeps_the_first_violation_of_each_rule_path_and_state() -> None:
    report = Report()
    for report.rule in RULES[:2]:
        report.violation(ONE, OTHER, "first")
        report.violation(OTHER, OTHER, "same rule, path and state")
        report.violation(ONE, OTHER, "other state", "state")
        report.violation(ONE, OTHER._replace(path=2), "other path")
    kept = [(found.rule, found.sentence) for found in report.violations]
    sentences = ("first", "other state", "other path")
    assert kept == [(rule, sentence) for rule in ("S1", "S2") for sentence in sentences]


def test_a_report_collects_names_of_situations() -> None:
    report = Report()
    report.met(Situation("seen", "It was seen."))
    report.met(Situation("seen", "It was seen."))
    assert report.situations == {"seen"}
