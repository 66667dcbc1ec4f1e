"""Checks of a minimized finding: run on a few findings in CI, on many in tests/soak."""

from __future__ import annotations

from tests.triage.findings import Finding, bugs
from vblkfuzz.minimize.minimize import Minimized, minimize
from vblkfuzz.minimize.reproduce import Reproducer
from vblkfuzz.minimize.weight import weight
from vblkfuzz.targets.target import Target


def check_minimized(target: Target, finding: Finding) -> Minimized:
    """Minimize. The bug still shows, the result is a fixed point, a second run gives the same."""
    shows = Reproducer(target, finding.bug)
    found = minimize(finding.scenario, shows)
    assert found.complete
    assert finding.bug in bugs(target, found.scenario)
    assert weight(found.scenario) <= weight(finding.scenario)
    assert minimize(found.scenario, shows).scenario == found.scenario
    assert minimize(finding.scenario, shows) == found
    return found
