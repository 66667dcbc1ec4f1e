"""The target of a replay: the one that the user names, else the one in the input, if allowed.

An input may come from an untrusted source. A revision of the model may be named by the input alone.
Any other device or target would import code, so the user must name it as well.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.artifact import DEFAULT_TARGET
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.targets.device_class import defective, is_revision
from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions
from vblkfuzz.targets.registry import MODEL, default_device, open_target
from vblkfuzz.triage.outcome import Outcome, Run, Setup, replay_input

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.targets.target import Target

_DEFAULT_MODE: Final = "processes"
_MODES: Final = ("processes", "inline")
"""Modes that can run a stored schedule; an input recorded in `free` runs in the default mode."""


class Options(NamedTuple):
    """Options of the user; None: not given."""

    target: str | None = None
    device: str | None = None
    mode: str | None = None
    defects: tuple[str, ...] = ()
    """Planted in the device, whether the user or the input names it."""
    target_options: TargetOptions = NO_OPTIONS


class ReplayTarget:
    """Replays inputs, each on its own setup; the last target stays started for the next input."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stack = ExitStack()
        self._started: tuple[Setup, Target] | None = None

    def __enter__(self) -> Self:
        """Return this object; `replay` starts a target."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the target."""
        self._stop()

    def replay(self, path: str, artifact: Artifact, runs: int) -> Outcome:
        """Run an input `runs` times; an error that leaves no verdict is part of the outcome.

        Raises:
            UsageError: there is no target, device or defect of the name that the user gave.
        """
        asked = self._options
        setup = setup_of(artifact, asked)
        try:
            allow(setup, asked)
            target = self._start(setup)
        except HarnessError as error:
            return Outcome(path, artifact, setup, Run("harness_error", error=str(error)))
        outcome = replay_input(path, artifact, target, runs)
        return replace(outcome, target_options=asked.target_options)

    def _start(self, setup: Setup) -> Target:
        if self._started and self._started[0] == setup:
            return self._started[1]
        self._stop()
        target = self._stack.enter_context(open_target(*setup, self._options.target_options))
        self._started = setup, target
        return target

    def _stop(self) -> None:
        self._started = None
        self._stack.close()


def setup_of(artifact: Artifact, options: Options) -> Setup:
    """Return what an input would run on; only a target that the user names is imported.

    Raises:
        UsageError: there is no such defect or target.
    """
    recorded = artifact.mode if artifact.mode in _MODES else _DEFAULT_MODE
    target = options.target or artifact.target
    # The input's device is meaningful on the input's target only.
    named = artifact.device if target in (MODEL, artifact.target) else default_device(target)
    named = options.device or named
    device = defective(current_name(named) if target == MODEL else named, options.defects)
    return Setup(target, device, options.mode or recorded)


def allow(setup: Setup, options: Options) -> None:
    """Check that target and device are safe to import, or named by the user.

    Raises:
        HarnessError: code would be imported that only the input names.
    """
    if options.target is None and setup.target != DEFAULT_TARGET:
        target = setup.target
        raise HarnessError(f"names target {target}: pass --target {target} to allow it")
    # This imports the target, which the check above has allowed.
    safe = is_revision(setup.device) or setup.device == default_device(setup.target)
    if options.device is None and not safe:
        device = setup.device
        raise HarnessError(f"names device {device}: pass --device {device} to allow it")
