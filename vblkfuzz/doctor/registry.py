"""All checks, in the order in which they are shown, and what needs each of them.

To add one: a function that returns `Found`, a row here, and a row in
tests/doctor/test_taken_away.py, which takes the thing away.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from vblkfuzz.doctor.check import (
    COVERAGE,
    GATE,
    MODEL,
    QEMU,
    QSD,
    REPORTS,
    TESTS,
    Check,
)
from vblkfuzz.doctor.checks import kernel, programs, python, resources, tracing
from vblkfuzz.doctor.checks.runs import run_on
from vblkfuzz.doctor.checks.user_notification import user_notification
from vblkfuzz.targets.options import TargetOptions

_REAL: Final = (QEMU, QSD)
_ON_QEMU: Final = (QEMU, GATE)
_ALL: Final = (MODEL, *_REAL, GATE, COVERAGE)
_ATHERIS: Final = "pip install atheris; it has wheels for Linux on x86-64 only"
_TEST_PACKAGES: Final = ("pytest", "hypothesis", "psutil", "jsonschema")


def checks(options: TargetOptions) -> tuple[Check, ...]:
    """Return all checks; those of programs look at the binaries that the options name."""
    qemu, qsd = options.qemu_binary, options.qsd_binary
    return (
        Check("system", kernel.system, _ALL, (TESTS,), reads_only=True),
        Check("python", python.python, _ALL, reads_only=True),
        Check("atheris", partial(python.package, "atheris", _ATHERIS), (MODEL, *_REAL)),
        Check("memfd", kernel.memfd, _ALL),
        Check("events", kernel.events, _ALL),
        Check("semaphores", kernel.semaphores, (MODEL,)),
        Check("cores", resources.cores, (MODEL,), (GATE,)),
        Check("processes", resources.processes, _ALL),
        Check("open files", resources.open_files, (MODEL, *_REAL), (GATE,)),
        Check("model runs", partial(run_on, "model", "reference", options), (MODEL,)),
        Check("jinja2", partial(python.package, "jinja2"), (REPORTS,)),
        Check("coverage", partial(python.package, "coverage"), (REPORTS,)),
        Check("qemu.qmp", partial(python.package, "qemu.qmp"), (*_REAL, GATE)),
        Check("qemu", partial(programs.qemu, qemu), _ON_QEMU),
        Check("qemu trace", partial(programs.qemu_trace, qemu), _ON_QEMU),
        Check("qemu tcg", partial(programs.qemu_accelerator, qemu), _ON_QEMU),
        Check("qemu runs", partial(run_on, "qemu", "", options), _ON_QEMU),
        Check("qsd", partial(programs.storage_daemon, qsd), (QSD,)),
        Check("qsd runs", partial(run_on, "qsd", "", options), (QSD,)),
        Check("ptrace", tracing.ptracing, (COVERAGE,), _REAL),
        Check("child memory", tracing.child_memory, (GATE, COVERAGE), _REAL),
        Check("user notification", user_notification, (GATE,)),
        Check("core files", resources.core_files, (), _REAL),
        Check("gdb", partial(programs.program, "gdb", "apt-get install gdb"), (), _REAL),
        Check("test packages", partial(python.packages, *_TEST_PACKAGES), (TESTS,)),
        Check("qemu-img", partial(programs.program, "qemu-img", _QEMU_IMG), (), (TESTS,)),
        Check("chromium", partial(programs.program, *_CHROMIUM), (), (TESTS,)),
        Check("/dev/shm", resources.shared_files, (), (TESTS,)),
    )


_QEMU_IMG: Final = "apt-get install qemu-utils; only QEMU's own suites need it (export --to iotest)"
_CHROMIUM: Final = ("chromium", "apt-get install chromium", "chromium-browser")
