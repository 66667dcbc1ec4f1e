"""The fuzzing engine, Atheris: whether it is installed. Only `campaign` needs it.

Its wheels are for Linux on x86-64; elsewhere the package installs without it (pyproject.toml).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.suggestion import SEE_DOCTOR

_ENGINE: Final = "atheris"


def check_engine() -> None:
    """Check, before workers start, that there is an engine; it is not imported.

    Raises:
        HarnessError: Atheris is not installed.
    """
    if find_spec(_ENGINE) is None:
        raise HarnessError(
            "a campaign needs Atheris, which is not installed (it has wheels for Linux on x86-64"
            f" only): pip install atheris; all other commands work without it{SEE_DOCTOR}"
        )
