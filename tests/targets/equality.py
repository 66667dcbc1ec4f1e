"""Checks that a scenario gives the same trace in both modes and survives every written form."""

from __future__ import annotations

from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, load_artifact
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import from_text, to_text
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target


def outcome(target: Target, scenario: Scenario) -> str:
    """Return the trace digest, or the kind of error."""
    try:
        return target.run(scenario).digest
    except HarnessError as error:
        return type(error).__name__


def check_modes(device: str, inputs: list[bytes]) -> list[str]:
    """Check that both modes agree on every input; return the outcomes."""
    outcomes = []
    with model(device, "inline") as inline, model(device, "processes") as processes:
        for data in inputs:
            scenario = decode(data)
            expected = outcome(inline, scenario)
            assert outcome(processes, scenario) == expected, data.hex()
            outcomes.append(expected)
    return outcomes


def check_forms(data: bytes) -> None:
    """Check that bytes, text and MessagePack hold the same scenario."""
    scenario = decode(data)
    assert encode(scenario) == data
    assert from_text(to_text(scenario), "input") == scenario
    packed = dump_artifact(Artifact(scenario))
    assert load_artifact(packed, "input").scenario == scenario
