"""Two builds give the same traces and verdicts: the installed one and the checkout, on some inputs.

With a compiled build installed (`tox -e compiled`) this compares it with the source. The whole
comparison is a command: see `builds`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import vblkfuzz
from tests.checkout import CHECKOUT, source_copy
from tests.conformance.builds import Side, differences
from tests.conformance.inputs import fuzz_inputs
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.codec import encode
from vblkfuzz.targets.model import MODES

INPUTS = 24
INSTALLED = Side(Path(vblkfuzz.__file__).resolve().parent.parent)


def runs(inputs: int) -> list[tuple[str, str, int]]:
    devices = (*REVISIONS, "reference+no_selfkick", "reference+push_twice")
    return [(device, mode, inputs) for device in devices for mode in MODES]


def test_the_installed_build_does_as_the_checkout() -> None:
    found = differences((INSTALLED, Side(CHECKOUT)), runs(INPUTS), fuzz_inputs(1, INPUTS))
    assert found == []


@pytest.mark.parametrize(
    ("file", "written", "instead"),
    [
        ("dataplane/virtio_blk.py", "self.pops += 1", "self.pops += 2"),
        ("oracle/rule.py", "second, sentence, state", "second, sentence.upper(), state"),
    ],
)
def test_another_trace_or_sentence_is_a_difference(
    file: str, written: str, instead: str, tmp_path: Path
) -> None:
    changed = source_copy(CHECKOUT / "vblkfuzz", tmp_path / "vblkfuzz") / file
    source = changed.read_text()
    assert written in source
    changed.write_text(source.replace(written, instead))
    shown = read_input(CHECKOUT / "corpus" / "defects" / "push_twice" / "scenario.toml")
    sides = (Side(CHECKOUT), Side(tmp_path))
    run = ("reference+push_twice", "inline", 1)
    (line,) = differences(sides, [run], [encode(shown.scenario)])
    assert line.startswith("reference+push_twice, inline: ")
