"""A program is exported only for a rule that it can judge."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import pytest

from tests.export.test_issue import blocks, on_qemu
from tests.export.test_qtest_file import RESET
from tests.triage.stories import case
from vblkfuzz.errors import UsageError
from vblkfuzz.export.iotest_file import iotest_text
from vblkfuzz.export.issue import EXPORT
from vblkfuzz.export.program_rules import SHOWN_BY, check_rule
from vblkfuzz.export.qtest_file import qtest_text
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.triage.case import Case

SAVED = (op("init"), op("save"), op("restore"))


def breaks(rule: str, ops: tuple[Op, ...] = RESET) -> Case:
    """Return a case on a QEMU with a violation of a rule."""
    one = on_qemu(Scenario(ops=ops))
    assert one.violation
    run = replace(one.outcome.run, violation=replace(one.violation, rule=rule))
    return Case(replace(one.outcome, run=run))


def test_each_row_is_a_rule_and_words_of_the_program() -> None:
    assert SHOWN_BY.keys() <= {rule.id for rule in RULES}
    text = (files("vblkfuzz.export") / "qtest_program.txt").read_text()
    assert [words for words in SHOWN_BY.values() if words not in text] == []


@pytest.mark.parametrize("rule", [rule.id for rule in RULES if rule.id not in SHOWN_BY])
def test_a_rule_that_it_cannot_judge_is_refused(rule: str) -> None:
    with pytest.raises(UsageError, match=rf"^qtest: the program cannot judge rule {rule} \("):
        check_rule(breaks(rule, SAVED), "qtest")


@pytest.mark.parametrize("rule", SHOWN_BY)
def test_a_rule_that_it_judges(rule: str) -> None:
    check_rule(breaks(rule, SAVED), "qtest")


@pytest.mark.parametrize("rule", ["S34", "L1", "L3"])
def test_what_it_judges_after_a_restore_only(rule: str) -> None:
    with pytest.raises(UsageError, match=r"after a restore only, and the scenario has none$"):
        check_rule(breaks(rule), "qtest")


@pytest.mark.parametrize(("text", "form"), [(qtest_text, "qtest"), (iotest_text, "iotest")])
def test_both_forms_refuse(text: type, form: str) -> None:
    with pytest.raises(UsageError, match=f"^{form}: the program cannot judge rule L6"):
        text([breaks("L6")])


def test_an_issue_says_why_it_has_no_program() -> None:
    text = EXPORT.text([breaks("L6")])
    assert not blocks(text, "python")
    assert "reproducer.py" not in text
    assert "vblkfuzz replay scenario.toml" in text
    assert "the program cannot judge rule L6" in " ".join(text.split())
    assert "there is no program" not in EXPORT.text([breaks("S1")]).lower()
    assert "this was found on target model" in " ".join(EXPORT.text([case()]).split())
