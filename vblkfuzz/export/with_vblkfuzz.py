"""The steps of an issue that has no program: what its reader needs to replay the scenario."""

from __future__ import annotations

import shlex
from importlib.metadata import PackageNotFoundError, metadata
from textwrap import fill
from typing import TYPE_CHECKING, Final

from vblkfuzz._version import __version__
from vblkfuzz.targets.qemu.bus import MACHINE, MMIO, bus_options
from vblkfuzz.targets.qemu.hotplug import argument
from vblkfuzz.targets.qemu.iothreads import iothread_options
from vblkfuzz.targets.qemu.variant import variant_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.triage.case import Case

_WIDTH: Final = 80
_PACKAGE: Final = "vblkfuzz"
_REAL: Final = ("qemu", "qsd", "vhost-user", "vhost-user-frontend")
_START_FAILS: Final = (
    "The scenario has a start of the device fail (start_fail): vblkfuzz limits the number of files"
    " that QEMU may have open. So `Too many open files` and the failed ioeventfd in the output are"
    " intended; the bug is what follows."
)


def installation(case: Case) -> Iterator[str]:
    """Yield how to install this version."""
    extra = "[qemu]" if case.outcome.setup.target in _REAL else ""
    yield f"1. Install vblkfuzz {__version__}. It needs Linux and Python 3.11 or later."
    yield ""
    yield "   ```sh"
    yield f"   python3 -m pip install '{_PACKAGE}{extra}=={__version__}'"
    yield "   ```"
    if address := _address():
        yield f"   Its source: {address}"


def why_no_program(why: str) -> str:
    """Return a paragraph on why the reproducer is a scenario."""
    return fill(f"There is no program without vblkfuzz: {why}.", _WIDTH)


def injected(case: Case) -> str:
    """Return a paragraph on errors in the output that the scenario causes; empty: none."""
    fails = any(one.name == "start_fail" for one in case.scenario.ops)
    return fill(_START_FAILS, _WIDTH) if fails and case.outcome.setup.target == "qemu" else ""


def device_options(case: Case) -> str:
    """Return the options of a QEMU for the device; its disk and guest memory are not among them."""
    mmio = case.outcome.setup.device == MMIO
    variant = variant_of(case.scenario, case.outcome.target_options, mmio=mmio)
    words = [f"-M {MACHINE[variant.bus]} -accel tcg", *bus_options(variant)]
    words += [*iothread_options(variant.iothreads), argument(variant, "disk0")]
    return f"qemu-system-x86_64 {shlex.join(' '.join(words).split())}"


def _address() -> str:
    """Return the address of the source that the package names; empty if it names none."""
    try:
        named = metadata(_PACKAGE).get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return next((one.partition(", ")[2] for one in named if "source" in one.lower()), "")
