"""A new field is one row: with one more row in device.py, all code that works on fields uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import vblkfuzz
from tests.checkout import source_copy
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.scenario.codec import MAX_BYTES, decode

ROOT = Path(__file__).resolve().parent.parent.parent
NEXT = "    def __post_init__("
"""The line before which a new row is inserted."""

ROWS = {
    "flag": "x: Annotated[bool, Row(FLAG, byte=5, new={True: 1, False: 3})] = False",
    "beside flags": "x: Annotated[bool, Row((True, False), byte=2)] = True",
    "choice": 'x: Annotated[str, Row(("a", "b", "c"), byte=0, changed=3)] = "a"',
    "beside policies": 'x: Annotated[str, Row(("on", "off"), byte=4, new={"off": 1})] = "on"',
    "number": "x: Annotated[int, Row((5, 9, 1), byte=7, scale=True)] = 5",
    "like another": 'x: Annotated[Werror, Row(WERRORS, byte=4, like="werror")] = "report"',
}
"""Possible rows."""


def package_with(row: str, folder: Path) -> None:
    """Copy the package and add one row."""
    source_copy(Path(vblkfuzz.__file__).parent, folder / "vblkfuzz")
    module = folder / "vblkfuzz" / "scenario" / "device.py"
    source = module.read_text()
    assert source.count(NEXT) == 1
    module.write_text(source.replace(NEXT, f'    {row}\n    """A field."""\n\n{NEXT}'))


def old_inputs() -> list[tuple[str, dict[str, object]]]:
    """Return inputs made by the mutator, each in hexadecimal and with the fields of its device."""
    mutator, data, found = Mutator(4), b"", []
    for _ in range(200):
        data = mutator.mutate(data, MAX_BYTES)
        found.append((data.hex(), asdict(decode(data).device)))
    return found


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the package copied to `folder`."""
    path = os.pathsep.join((str(folder), str(ROOT)))
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_is_enough(row: str, tmp_path: Path) -> None:
    package_with(row, tmp_path)
    inputs = tmp_path / "old.json"
    inputs.write_text(json.dumps(old_inputs()))
    script = Path(__file__).with_name("wider_device.py")
    result = python(tmp_path, str(script), "x", str(inputs))
    assert result.returncode == 0, result.stderr


PLACES = "x: expected one of the header bytes 0, 1, 2, 3, 4, 5, 7"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("x: Annotated[bool, Row((False, True), byte=2)] = True", "must be the default"),
        ("x: Annotated[int, Row(range(65), byte=0)] = 0", "no room for queues, units, x"),
        ("x: Annotated[bool, Row(FLAG, byte=6)] = False", f"{PLACES}, found 6"),
        ("x: Annotated[bool, Row(FLAG, byte=8)] = False", f"{PLACES}, found 8"),
    ],
    ids=["default", "room", "deviations", "outside"],
)
def test_a_row_that_cannot_be(row: str, complaint: str, tmp_path: Path) -> None:
    package_with(row, tmp_path)
    result = python(tmp_path, "-c", "import vblkfuzz.scenario.device_header")
    assert result.returncode != 0
    assert complaint in result.stderr
