"""The target of a replay: the one that the user names, else the one in the input, if allowed.

An input may come from an untrusted source. A target of this package with its own devices may be
named by the input alone: the program of a real one is what the user has installed or named, never a
path in the input. Any other device or target would import code, so the user must name it as well
(docs/decisions/0020-what-a-file-may-name.md).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.targets.device_class import defective, device_meant, is_revision
from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions
from vblkfuzz.targets.registry import MODEL, TARGETS, default_device, open_target
from vblkfuzz.triage.outcome import Outcome, Run, Setup, replay_input
from vblkfuzz.triage.rerun import measured

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

    def replay(self, path: str, artifact: Artifact, runs: int, *, measure: bool = False) -> Outcome:
        """Run an input `runs` times; an error that leaves no verdict is part of the outcome.

        So is a setup that its target refuses, if the input alone names that target: the user's
        options are for the other inputs then.

        Args:
            path: the input, as the outcome names it.
            artifact: what it says.
            runs: number of runs.
            measure: whether they measure how often it shows its bug; then it runs as often without
                its schedule, too (`triage.rerun`).

        Raises:
            UsageError: there is no target, device or defect of the name that the user gave.
        """
        asked = self._options
        setup = setup_of(artifact, asked)
        try:
            allow(setup, asked)
            target = self._start(setup)
        except (HarnessError, UsageError) as error:
            if isinstance(error, UsageError) and setup.target == (asked.target or MODEL):
                raise
            run = Run("harness_error", error=str(error))
            return Outcome(path, artifact, setup, run, harness_errors=1)
        outcome = replay_input(path, artifact, target, runs)
        if measure:
            outcome = measured(outcome, target)
        return replace(outcome, target_options=asked.target_options)

    def why_free(self, artifact: Artifact) -> str:
        """Return why the schedule of the last input did not interrupt threads; empty: it did.

        It is empty as well if the schedule names no thread, or the user wants it so.
        """
        serial = self._options.target_options.serial
        named = any(deviation.role for deviation in artifact.scenario.schedule)
        if serial is False or not (serial or named) or self._started is None:
            return ""
        why: str = getattr(self._started[1], "no_gate", "")
        return why

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
    target = options.target or artifact.target
    named = options.device or named_device(artifact, target)
    device = defective(current_name(named) if target == MODEL else named, options.defects)
    recorded = artifact.mode if target == artifact.target and artifact.mode in _MODES else None
    return Setup(target, device, options.mode or recorded or _DEFAULT_MODE)


def named_device(artifact: Artifact, target: str) -> str:
    """Return the device that an input names; on another target than its own, the default there.

    Raises:
        UsageError: there is no such target.
    """
    return artifact.device if target == artifact.target else default_device(target)


def allow(setup: Setup, options: Options) -> None:
    """Check that target and device are safe to import, or named by the user.

    Raises:
        HarnessError: code would be imported that only the input names.
        UsageError: there is no such target.
    """
    target = setup.target
    if options.target is None and not TARGETS.is_own(target):
        raise HarnessError(f"names target {target}: pass --target {target} to allow it")
    # This imports the target, which the check above has allowed.
    if options.device is None and not _is_own_device(setup):
        device = setup.device
        meant = device_meant(device)
        raise HarnessError(f"names device {device}: pass --device {device} to allow it{meant}")


def words_to_repeat(outcome: Outcome) -> list[str]:
    """Return the options without which the input would be run on something else, or not at all."""
    setup, artifact = outcome.setup, outcome.artifact
    if setup.target not in TARGETS.names():
        return []
    words = []
    if setup.target != artifact.target or not TARGETS.is_own(setup.target):
        words += ["--target", setup.target]
    if setup.device != named_device(artifact, setup.target) or not _is_own_device(setup):
        words += ["--device", setup.device]
    return words + outcome.target_options.words


def _is_own_device(setup: Setup) -> bool:
    return is_revision(setup.device) or setup.device == default_device(setup.target)
