"""The artifact of a run that shows a bug, as saved by campaigns and the minimizer."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, cast

from vblkfuzz._version import __version__
from vblkfuzz.scenario.artifact import Artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.trace.placed import placed

if TYPE_CHECKING:
    from vblkfuzz.executor import Execution
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.artifact import Mode
    from vblkfuzz.targets.target import Target


def finding_artifact(target: Target, execution: Execution, violation: Violation) -> Artifact:
    """Return the artifact that expects `violation` on the target, device and mode of this run.

    Its schedule has the places at which it held threads, so that it replays on other builds.
    """
    return Artifact(
        placed(execution.scenario, execution.trace),
        target=target.name,
        device=target.device,
        mode=cast("Mode", target.mode),
        expectation=Expectation("violation", violation.rule, violation.signature),
        trace_digest=execution.trace.digest,
        versions={
            "vblkfuzz": __version__,
            "python": platform.python_version(),
            **getattr(target, "versions", {}),
        },
    )
