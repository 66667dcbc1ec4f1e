"""The libFuzzer that Atheris runs: its own one, or a preloaded one.

`LD_PRELOAD=asan_with_fuzzer.so`, as the wrappers of OSS-Fuzz have it, preloads a sanitizer together
with a libFuzzer. Atheris then uses that one. It takes coverage as the other does, but it was linked
before there was a custom mutator, so it never calls one.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

from vblkfuzz.errors import HarnessError

_OWN: Final = "atheris.core_with_libfuzzer"
_PRELOADED: Final = "atheris.core_without_libfuzzer"

NO_MUTATOR: Final = "a preloaded libFuzzer calls no mutator; start without LD_PRELOAD"
"""A warning."""


def is_preloaded() -> bool:
    """Whether Atheris runs a preloaded libFuzzer. Known once `atheris.Fuzz` was called."""
    return _PRELOADED in sys.modules


def loaded() -> ctypes.CDLL:
    """Return the library with the libFuzzer that runs. Call when `atheris.Fuzz` was called.

    Raises:
        HarnessError: this build of Atheris has neither.
    """
    if is_preloaded():
        return ctypes.CDLL(None)  # what is preloaded is found among all symbols of the process
    try:
        return ctypes.CDLL(sys.modules[_OWN].__file__)
    except KeyError:
        raise HarnessError("Atheris runs no libFuzzer that vblkfuzz knows") from None
