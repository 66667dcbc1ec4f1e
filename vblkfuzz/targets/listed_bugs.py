"""The bugs that a device lists as known; a user's device is imported in a child, and only there.

A campaign needs no more of it in its own process, whatever the module does.
"""

from __future__ import annotations

import json
from functools import partial

from vblkfuzz.errors import DeviceClassError, HarnessError, UsageError
from vblkfuzz.targets.device_class import device_class, import_file
from vblkfuzz.targets.trial_import import try_import


def listed_bugs(device: str) -> tuple[tuple[str, str], ...]:
    """Check a device of the model; return its known bugs (`oracle.naming.known`).

    Raises:
        UsageError: as of `device_class`.
    """
    place, colon, _ = device.rpartition(":")
    if not colon:
        return tuple(device_class(device).known.items())
    said = try_import(f"device {place}", partial(_said_of, device))
    if not said:
        raise HarnessError(f"device {place}: cannot be looked at in a child process")
    answer = json.loads(said)
    if problems := answer["problems"]:
        raise DeviceClassError(tuple(problems))
    if problem := answer["problem"]:
        raise UsageError(problem)
    return tuple(answer["known"].items())


def _said_of(device: str) -> bytes:
    """Return in the child what is wrong with a device, and its known bugs."""
    problems: tuple[str, ...] = ()
    problem, known = "", {}
    try:
        known = dict(device_class(device, import_file).known)
    except DeviceClassError as error:
        problems = error.lines
    except UsageError as error:
        problem = str(error)
    return json.dumps({"problems": problems, "problem": problem, "known": known}).encode()
