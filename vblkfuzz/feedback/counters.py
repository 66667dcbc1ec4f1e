"""Memory in which libFuzzer looks for what is new: a byte each, cleared before each execution.

It is registered by the sanitizer ABI that every instrumented C library uses
(`__sanitizer_cov_8bit_counters_init`), so no private API of Atheris is needed.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.feedback import libfuzzer_core

_COUNTERS_INIT: Final = "__sanitizer_cov_8bit_counters_init"
_PCS_INIT: Final = "__sanitizer_cov_pcs_init"
_KEPT: Final[list[Any]] = []
"""What libFuzzer uses as long as the process lives."""


def register(view: memoryview) -> None:
    """Register bytes with libFuzzer. Call in the first execution: Fuzz() loads its core.

    Raises:
        HarnessError: this build of Atheris does not export the sanitizer ABI.
    """
    size = len(view)
    core = libfuzzer_core.loaded()
    anchor = (ctypes.c_char * size).from_buffer(view)
    base = ctypes.addressof(anchor)
    # libFuzzer needs a (pc, flags) pair for each counter; any distinct numbers will do.
    table = (ctypes.c_uint64 * (2 * size))(*range(1, 2 * size + 1))
    pcs = ctypes.addressof(table)
    try:
        counters_init, pcs_init = core[_COUNTERS_INIT], core[_PCS_INIT]
    except AttributeError as error:
        raise HarnessError(f"Atheris without the sanitizer ABI: {error}") from error
    _KEPT.extend((anchor, table))
    counters_init(ctypes.c_void_p(base), ctypes.c_void_p(base + size))
    pcs_init(ctypes.c_void_p(pcs), ctypes.c_void_p(pcs + ctypes.sizeof(table)))
