"""Of what the record of features of a worker speaks: the key under which it records and looks up.

The model is its code. A real device is a program: its version and the content of its file are part
of the key, so a program that was built again runs the whole corpus again, even if it says the same
version. What a run on a real device shows is not the same each time, so an entry says what one run
has shown, as libFuzzer itself knows it of an input that it runs once; and by such entries no input
leaves the corpus (`campaign.corpus_care`).

There is no record of a device whose program is not known, such as one behind a socket or a target
of another package, and none if the coverage of the device's own code is asked for: that is not on
record.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from vblkfuzz.schedule.registry import NONE
from vblkfuzz.targets.options import BINARY_OPTIONS
from vblkfuzz.targets.registry import MODEL, TARGETS

if TYPE_CHECKING:
    from vblkfuzz.feedback.instrument import Instrumenter
    from vblkfuzz.launch.plan import WorkerPlan
    from vblkfuzz.targets.target import Target


def key_of(plan: WorkerPlan, target: Target, probes: Instrumenter) -> str:
    """Return the fingerprint for a worker whose target has started; empty: there is no record."""
    # These import the device's code, which `instrument` must come before.
    from vblkfuzz.feedback.fingerprint import fingerprint_of, fingerprint_of_program
    from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel

    if not (plan.record and plan.feedback):
        return ""
    inputs = (plan.without, plan.schedulers == [NONE])  # what they stand for
    options = (plan.target, plan.device, plan.mode, plan.states, *inputs, probes.next)
    if isinstance(target, (InlineModel, ProcessesModel)):
        return fingerprint_of(target.device_class, options, plan.record)
    if plan.target == MODEL or plan.coverage or not TARGETS.is_own(plan.target):
        return ""
    versions: dict[str, str] = getattr(target, "versions", {})
    files = [_file_of(name, plan) for name in sorted(versions)]
    if not files or not all(files):
        return ""
    words = plan.target_options.words
    return fingerprint_of_program(files, (*options, words, sorted(versions.items())))


def _file_of(program: str, plan: WorkerPlan) -> str:
    """Return the path of a program that a target has started; empty: it is not known."""
    option = BINARY_OPTIONS.get(program, "").removeprefix("--").replace("-", "_")
    named = getattr(plan.target_options, option, "")
    return shutil.which(named or program) or ""
