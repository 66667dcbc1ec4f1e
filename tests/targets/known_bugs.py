"""Bugs of some versions of QEMU that show in tests of something else (docs/real-devices.md).

Whether such a bug shows may depend on the clock. A test that meets one is an expected failure,
since the device has ended before the test could see more. Any other finding fails the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatchcase
from typing import NamedTuple

import pytest

from vblkfuzz.executor import Execution


class Bug(NamedTuple):
    signature: str
    """With `*` for what changes with each build."""
    since: int
    """The first major version that has it, of those that were tried."""
    needs: str = ""
    """The operation that leads to it, if the signature does not tell."""


QEMU = (Bug("crash-sigabrt-bdrv_co_write_req_prepare-ff23dff6", 10, "block_job"),)
QSD = (
    Bug("crash-sigabrt-vhost_user_server_attach_aio_context-3291a7dd", 10),
    Bug("hang-operator-bdrv_drain_all_begin", 10),
    Bug("hang-operator-bdrv_reopen_queue", 10),  # the same drain, begun by a reopen
    Bug("crash-sigsegv-*", 10, "resize"),
)

_BUGS: ContextVar[tuple[Bug, ...]] = ContextVar("_BUGS", default=())


@contextmanager
def on(bugs: tuple[Bug, ...], version: str) -> Iterator[None]:
    """Expect the bugs that a version has, while a test runs."""
    major = int(version.partition(".")[0])
    token = _BUGS.set(tuple(bug for bug in bugs if bug.since <= major))
    yield
    _BUGS.reset(token)


def excused(execution: Execution) -> Execution:
    """Return an execution; if it shows a known bug and nothing else, the test ends here."""
    found = [one.signature for one in execution.verdict.violations]
    names = {operation.name for operation in execution.scenario.ops}
    if found and all(any(_is(bug, one, names) for bug in _BUGS.get()) for one in found):
        pytest.xfail(f"a bug of this QEMU: {', '.join(found)}")
    return execution


def _is(bug: Bug, signature: str, operations: set[str]) -> bool:
    return fnmatchcase(signature, bug.signature) and bug.needs in ("", *operations)
