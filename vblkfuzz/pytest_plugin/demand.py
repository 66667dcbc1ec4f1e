"""The demands of a scenario file, and checking them. Imported when the first scenario test runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError, InputFileError, UsageError
from vblkfuzz.pytest_plugin.replay_line import replay_line
from vblkfuzz.scenario.artifact import DEFAULT_TARGET
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.triage.device_file import found_in
from vblkfuzz.triage.excerpt import excerpt
from vblkfuzz.triage.inputs import input_at
from vblkfuzz.triage.replay_target import Options, ReplayTarget

if TYPE_CHECKING:
    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.triage.outcome import Outcome

_CLEAN: Final = Expectation("clean")
_MODEL_MODE: Final = "inline"
"""Default mode on the model: fast, with the same traces as `processes`."""


class Choice(NamedTuple):
    """The user's options; None: not given."""

    target: str | None = None
    device: str | None = None
    """Run all scenarios on this device only."""
    mode: str | None = None
    reference: str = "reference"
    folder: str = ""
    """The folder of the configuration, in which files of devices are looked for, too."""


class Demand(NamedTuple):
    """An expectation that must hold on a device."""

    device: str
    expectation: Expectation


class Broken(Exception):
    """An expectation does not hold; the text explains why."""


def check(path: str, choice: Choice) -> None:
    """Run a scenario file on each device for which it has a demand.

    Raises:
        Broken: an expectation does not hold.
        VblkfuzzError: the file cannot be read, there is no such device, or there is no verdict.
    """
    artifact = input_at(path).artifact
    for named in demands(artifact, choice):
        demand = named._replace(device=found_in(named.device, choice.folder))
        outcome = _outcome(path, artifact, demand, choice)
        if outcome.run.verdict == "harness_error" != demand.expectation.verdict:
            raise HarnessError(f"{path}: on {demand.device}: not judged: {outcome.run.error}")
        if not outcome.matches:
            raise Broken(_explained(outcome))


def demands(artifact: Artifact, choice: Choice) -> list[Demand]:
    """Return the demands of a file: its expectation, and no violation on the reference.

    The reference is a device of the model: a file of another target has its own device only.
    """
    if choice.device:
        return [Demand(choice.device, _CLEAN)]
    expected, elsewhere = artifact.expectation, artifact.target != DEFAULT_TARGET
    if expected is None:
        return [Demand(artifact.device if elsewhere else choice.reference, _CLEAN)]
    own = Demand(artifact.device, expected)
    if elsewhere:
        return [own]
    return [own] if expected.verdict == "clean" else [own, Demand(choice.reference, _CLEAN)]


def _outcome(path: str, artifact: Artifact, demand: Demand, choice: Choice) -> Outcome:
    target = choice.target or artifact.target
    mode = choice.mode or (_MODEL_MODE if target == DEFAULT_TARGET else None)
    device = current_name(demand.device) if target == DEFAULT_TARGET else demand.device
    asked = replace(artifact, target=target, device=device, expectation=demand.expectation)
    with ReplayTarget(Options(target, device, mode)) as replayer:
        try:
            return replayer.replay(path, asked, 1)
        except UsageError as error:
            raise InputFileError(path, "", str(error)) from None


def _explained(outcome: Outcome) -> str:
    """Return the message: expected, found, ten rows of the trace, and the command to replay it."""
    run, expected = outcome.run, outcome.expectation
    assert expected is not None
    wanted = " ".join(word for word in expected_words(expected) if word)
    got = " of ".join(word for word in (run.verdict, run.rule) if word)
    lines = [f"{outcome.input}: expected {wanted} on {outcome.setup.device}, got {got}"]
    if run.violation and run.execution:
        lines += ["", excerpt(run.violation, run.execution.trace)]
    return "\n".join((*lines, "", f"replay it: {replay_line(outcome)}"))


def expected_words(expected: Expectation) -> tuple[str, ...]:
    """Return an expectation in words."""
    if expected.verdict != "violation":
        return (expected.verdict,)
    return ("violation", expected.rule and f"of {expected.rule}", expected.signature)
