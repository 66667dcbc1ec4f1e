"""What must hold for every minimized finding; by a few in CI, by many in tests/soak."""

from __future__ import annotations

from tests.triage.findings import Finding, bugs
from vblkfuzz.minimize.minimize import Minimized, minimize
from vblkfuzz.minimize.reproduce import Reproducer
from vblkfuzz.minimize.weight import weight
from vblkfuzz.targets.target import Target


def check_minimized(target: Target, finding: Finding) -> Minimized:
    """Minimize; the bug is still there, nothing more can be done, and it is no matter of luck."""
    shows = Reproducer(target, finding.bug)
    found = minimize(finding.scenario, shows)
    assert found.complete
    assert finding.bug in bugs(target, found.scenario)
    assert weight(found.scenario) <= weight(finding.scenario)
    assert minimize(found.scenario, shows).scenario == found.scenario
    assert minimize(finding.scenario, shows) == found
    return found
