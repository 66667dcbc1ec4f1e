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
    Use,
)
from vblkfuzz.doctor.checks import kernel, programs, python, resources, tracing
from vblkfuzz.doctor.checks.runs import run_on
from vblkfuzz.doctor.checks.user_notification import user_notification
from vblkfuzz.doctor.trial import MORE_PROCESSES
from vblkfuzz.targets.options import TargetOptions

_REAL: Final = (QEMU, QSD)
_ON_QEMU: Final = (QEMU, GATE)
_ALL: Final = (MODEL, *_REAL, GATE, COVERAGE)
_TEST_PACKAGES: Final = ("pytest", "hypothesis", "psutil", "jsonschema")

# What to do.
_LINUX: Final = "use Linux on x86-64; README.md, Where it runs, says what works elsewhere"
_ATHERIS: Final = "pip install atheris; it has wheels for Linux on x86-64 only"
_KERNEL: Final = "use Linux 5.3 or later; in a sandbox, one that allows the call"
_PINNED: Final = "in a sandbox: one that allows sched_setaffinity(2)"
_ABOVE: Final = "see the lines above; else report it as a bug of vblkfuzz"
_OTHER: Final = "name another program by --qemu-binary or --qsd-binary"
_LOG: Final = "build QEMU with --enable-trace-backends=log, or take that of a distribution"
_TCG: Final = "build QEMU with --enable-tcg, or take that of a distribution"
_TRACER: Final = (
    "in a container: a seccomp profile that allows ptrace(2), or --cap-add=SYS_PTRACE; else:"
    " sysctl -w kernel.yama.ptrace_scope=1"
)
_SECCOMP: Final = (
    "use Linux 5.5 or later on x86-64; in a container: a seccomp profile that allows seccomp(2);"
    " gVisor has none"
)
_FILES: Final = "ulimit -n 1024"
_CORES: Final = "sysctl -w kernel.core_pattern=core"
_SUITES: Final = "apt-get install qemu-utils; only QEMU's own suites need it (export --to iotest)"


def checks(options: TargetOptions) -> tuple[Check, ...]:
    """Return all checks; those of programs look at the binaries that the options name."""
    return (*_of_processes(options), *_of_devices(options), *_of_tracing(), *_of_tests())


def _of_processes(options: TargetOptions) -> tuple[Check, ...]:
    model = partial(run_on, "model", "reference", options)
    return (
        Check("system", kernel.system, _ALL, (TESTS,), _LINUX, reads_only=True),
        Check("python", python.python, _ALL, reads_only=True),
        Check("processes", resources.processes, _ALL, (), MORE_PROCESSES),
        Check("atheris", partial(python.package, "atheris"), (MODEL, *_REAL), (), _ATHERIS),
        Check("memfd", kernel.memfd, _ALL, (), _KERNEL),
        Check("events", kernel.events, _ALL, (), _KERNEL),
        Check("semaphores", kernel.semaphores, (MODEL,), (), "use the C library of a distribution"),
        Check("cores", resources.cores, (MODEL,), (GATE,), _PINNED),
        Check("open files", resources.open_files, _ALL, (), _FILES),
        Check("model runs", model, (MODEL,), (), _ABOVE),
        _package("jinja2", REPORTS),
        _package("coverage", REPORTS),
    )


def _package(name: str, *needed_by: Use) -> Check:
    return Check(name, partial(python.package, name), needed_by, (), f"pip install {name}")


def _of_devices(options: TargetOptions) -> tuple[Check, ...]:
    qemu, qsd = options.qemu_binary, options.qsd_binary
    return (
        Check("qemu", partial(programs.qemu, qemu), _ON_QEMU, (COVERAGE,), _OTHER),
        Check("qemu trace", partial(programs.qemu_trace, qemu), _ON_QEMU, (), _LOG),
        Check("qemu tcg", partial(programs.qemu_accelerator, qemu), _ON_QEMU, (), _TCG),
        Check("qemu runs", partial(run_on, "qemu", "", options), _ON_QEMU, (), _ABOVE),
        Check("qsd", partial(programs.storage_daemon, qsd), (QSD,), (COVERAGE,), _OTHER),
        Check("qsd runs", partial(run_on, "qsd", "", options), (QSD,), (), _ABOVE),
    )


def _of_tracing() -> tuple[Check, ...]:
    return (
        Check("ptrace", tracing.ptracing, (COVERAGE,), _REAL, _TRACER),
        Check("child memory", tracing.child_memory, (GATE, COVERAGE), _REAL, _TRACER),
        Check("user notification", user_notification, (GATE,), (), _SECCOMP),
        Check("device files", resources.device_files, (), (*_REAL, GATE), _FILES),
        Check("core files", resources.core_files, (), _REAL, _CORES),
        Check("gdb", partial(programs.program, "gdb"), (), _REAL, "apt-get install gdb"),
    )


def _of_tests() -> tuple[Check, ...]:
    packages = partial(python.packages, *_TEST_PACKAGES)
    chromium = partial(programs.program, "chromium", "chromium-browser")
    return (
        Check("test packages", packages, (TESTS,), (), "pip install -e . --group dev"),
        Check("qemu-img", partial(programs.program, "qemu-img"), (), (TESTS,), _SUITES),
        Check("chromium", chromium, (), (TESTS,), "apt-get install chromium"),
        Check("/dev/shm", resources.shared_files, (), (TESTS,), "in a container: --shm-size=1g"),
    )
