"""Each check without the thing that it looks for: it says so, and what to do."""

from __future__ import annotations

import errno
import mmap
import os
import platform
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.doctor.deny import denied
from vblkfuzz.doctor.check import Check, Found, Verdict
from vblkfuzz.doctor.checks import resources
from vblkfuzz.doctor.registry import checks
from vblkfuzz.doctor.trial import tried
from vblkfuzz.process import usable_cores
from vblkfuzz.targets.options import NO_OPTIONS

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86-64")
RESOURCES: Final = "vblkfuzz.doctor.checks.resources"
CHECKS: Final = {check.name: check for check in checks(NO_OPTIONS)}


def replaced(name: str, value: object) -> Callable[[], None]:
    """Return what gives something another value, in the process of a check and for ever."""
    return lambda: pytest.MonkeyPatch().setattr(name, value)


def without_module(name: str) -> Callable[[], None]:
    return lambda: pytest.MonkeyPatch().setitem(sys.modules, name, None)


def without_programs() -> None:
    os.environ["PATH"] = "/nonexistent"


def with_private_memory() -> None:
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    replaced("vblkfuzz.doctor.checks.kernel.mmap.mmap", partial(mmap.mmap, flags=flags))()
    replaced("vblkfuzz.doctor.checks.kernel._WAIT_S", 0.2)()


def with_files(limit: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def with_a_core_handler() -> None:
    file = os.memfd_create("pattern")
    os.write(file, b"|/usr/share/apport/apport %p\n")
    replaced(f"{RESOURCES}._CORE_PATTERN", Path(f"/proc/self/fd/{file}"))()


TAKEN: Final[dict[str, tuple[Callable[[], None], str]]] = {
    "system": (replaced("platform.system", lambda: "Darwin"), "Darwin"),
    "processes": (denied("clone", errno.EAGAIN), "only 0 more can be started"),
    "atheris": (without_module("atheris"), "import of atheris halted"),
    "memfd": (denied("memfd_create", errno.ENOSYS), "Function not implemented"),
    "events": (denied("pidfd_open", errno.ENOSYS), "Function not implemented"),
    "semaphores": (with_private_memory, "another process does not see a release"),
    "cores": (denied("sched_setaffinity"), "Operation not permitted"),
    "open files": (with_files(20), "20 of 20"),
    "model runs": (denied("sched_setaffinity"), "Operation not permitted"),
    "jinja2": (without_module("jinja2"), "import of jinja2 halted"),
    "coverage": (without_module("coverage"), "import of coverage halted"),
    "qemu": (without_programs, "qemu-system-x86_64: not found"),
    "qemu trace": (without_programs, "not tried: there is no usable QEMU"),
    "qemu tcg": (without_programs, "not tried: there is no usable QEMU"),
    "qemu runs": (without_programs, "not tried: there is no usable program"),
    "qsd": (without_programs, "qemu-storage-daemon: not found"),
    "qsd runs": (without_programs, "not tried: there is no usable program"),
    "ptrace": (denied("ptrace"), "Operation not permitted"),
    "child memory": (denied("pread64"), "Operation not permitted"),
    "user notification": (denied("seccomp", errno.ENOSYS), "Function not implemented"),
    "device files": (with_files(256), "256 of 256"),
    "core files": (with_a_core_handler, "each crash starts /usr/share/apport/apport"),
    "gdb": (without_programs, "not found"),
    "test packages": (without_module("pytest"), "not installed: pytest"),
    "qemu-img": (without_programs, "not found"),
    "chromium": (without_programs, "not found"),
    "/dev/shm": (replaced(f"{RESOURCES}._SHARED_BYTES", 1 << 62), "free"),
}
"""What takes each thing away, in the process that looks for it, and what is then said."""
NEVER_MISSING: Final = {"python"}


def found_without(check: Check, take_away: Callable[[], None]) -> Found:
    """Return what a check finds after something was taken away from its process."""

    def look() -> Found:
        take_away()
        return check.look()

    return tried(look)


def test_each_check_has_a_row() -> None:
    assert list(TAKEN) == [name for name in CHECKS if name not in NEVER_MISSING]


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_missing_is_said(name: str) -> None:
    take_away, fact = TAKEN[name]
    found = found_without(CHECKS[name], take_away)
    assert found.verdict is not Verdict.YES
    assert fact in found.fact
    assert "\n" not in found.fact + found.advice


def test_python_is_never_missing() -> None:
    found = CHECKS["python"].look()
    assert (found.verdict, platform.python_version() in found.fact) == (Verdict.YES, True)


def test_each_check_says_what_to_do() -> None:
    without = CHECKS.keys() - {check.name for check in CHECKS.values() if check.advice}
    assert without == NEVER_MISSING
    for name in ("qemu", "qsd"):
        assert "install QEMU" in found_without(CHECKS[name], without_programs).advice


def test_too_few_processes_are_not_blamed_on_the_kernel() -> None:
    found = found_without(CHECKS["events"], denied("clone", errno.EAGAIN))
    assert "ulimit -u" in found.advice


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.EBUSY])
def test_the_kernel_says_why_there_is_no_user_notification(number: int) -> None:
    found = found_without(CHECKS["user notification"], denied("seccomp", number))
    assert found.verdict is Verdict.NO
    assert found.fact == f"no seccomp user notification: {os.strerror(number)}"


def test_a_call_that_cannot_go_on_is_said() -> None:
    """As before Linux 5.5, which has no SECCOMP_USER_NOTIF_FLAG_CONTINUE."""
    other_flag = replaced("vblkfuzz.gate.listener._CONTINUE", 1 << 20)
    found = found_without(CHECKS["user notification"], other_flag)
    assert found.verdict is Verdict.NO
    assert found.fact == "seccomp: a call cannot be answered: Invalid argument"


@pytest.mark.parametrize(
    ("limit", "model", "devices"),
    [(20, "no", "limited"), (256, "yes", "limited"), (512, "yes", "yes"), (-1, "yes", "yes")],
)
def test_limits_of_open_files(
    limit: int, model: str, devices: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert (resources.open_files().verdict, resources.device_files().verdict) == (model, devices)


@pytest.mark.parametrize(
    ("pattern", "soft", "fact"),
    [
        ("core", 0, "a crash leaves none"),
        ("core.%p", 1 << 20, "each crash leaves a file core.%p"),
        ("|/lib/systemd/systemd-coredump %P", 0, "each crash starts /lib/systemd/systemd-coredump"),
    ],
)
def test_core_files(
    pattern: str, soft: int, fact: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pattern").write_text(f"{pattern}\n")
    monkeypatch.setattr(resources, "_CORE_PATTERN", tmp_path / "pattern")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, resource.RLIM_INFINITY))
    assert resources.core_files().fact == fact


def test_a_quota_of_a_control_group_limits_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    monkeypatch.setattr(usable_cores, "_CGROUPS", tmp_path)
    found = tried(resources.cores)
    assert (found.verdict, found.advice) == (Verdict.LIMITED, "fuzz --workers 1")
    assert found.fact.endswith("time of 0.5")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert tried(resources.cores).verdict is Verdict.YES


def test_processes_that_are_too_few_for_all_cores() -> None:
    two = replaced(f"{RESOURCES}._started", lambda _: 2)

    def fewer() -> None:
        replaced(f"{RESOURCES}._WORKER", 1)()
        two()

    found = found_without(CHECKS["processes"], fewer)
    wanted = min(64, len(os.sched_getaffinity(0)) + 1)
    assert found.verdict is (Verdict.LIMITED if wanted > 2 else Verdict.YES)
