"""A violation as an exception: its class, its text, and the functions of its stack."""

from __future__ import annotations

import traceback

import pytest

from tests.ossfuzz.clusterfuzz import crash_state
from vblkfuzz import Scenario, op, run
from vblkfuzz.oracle.naming.raised import ViolationFound, exception_of, raise_violation

DRAINED = (op("init"), op("drain_begin"), op("publish_kick"), op("reset"))


def test_the_class_is_the_rule_and_the_text_its_sentence() -> None:
    violations = run(Scenario(ops=DRAINED), "patch-v4").verdict.violations
    assert len(violations) > 1
    for violation in violations:
        with pytest.raises(ViolationFound) as raised:
            raise_violation(violation)
        assert raised.type is exception_of(violation.rule)
        assert raised.type.__name__ == violation.rule
        assert str(raised.value) == violation.sentence


def test_clusterfuzz_names_the_bug_by_the_signature_alone() -> None:
    """Two bugs are similar for it if two of the three functions are the same."""
    for violation in run(Scenario(ops=DRAINED), "patch-v4").verdict.violations:
        try:
            raise_violation(violation)
        except ViolationFound:
            said = f"=== Uncaught Python exception: ===\n{traceback.format_exc()}"
        assert crash_state(said) == (violation.signature,) * 3
