"""A target leaves no file in /dev/shm: neither one that ends in order, nor one that is killed."""

from __future__ import annotations

import pytest

from tests.conformance.leftovers import files_left_by
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qsd.binary import NEEDS_QSD
from tests.targets.vhost_user.backend import DAEMON

USE = """
import os, signal
from vblkfuzz.api import Scenario, op
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.registry import default_device, open_target

OPS = [op(name) for name in ("init", "publish_kick", "collect", "drain_begin", "reset")]

def use(then):
    options = TargetOptions(vhost_user_command={daemon!r})
    with open_target({name!r}, default_device({name!r}), {mode!r}, options) as target:
        assert target.run(Scenario(ops=tuple(OPS))).events
        then()

use(lambda: None)
pid = os.fork()
if pid == 0:
    use(lambda: os.kill(os.getpid(), signal.SIGKILL))
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
"""

REAL = pytest.mark.realdevice


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("model", "inline"),
        ("model", "processes"),
        pytest.param("qemu", "processes", marks=[REAL, NEEDS_QEMU]),
        pytest.param("qsd", "processes", marks=[REAL, NEEDS_QSD]),
        pytest.param("vhost-user", "processes", marks=[REAL, NEEDS_QSD]),
        pytest.param("vhost-user-frontend", "processes", marks=[REAL, NEEDS_QEMU]),
    ],
)
def test_no_file_is_left(name: str, mode: str) -> None:
    assert files_left_by(USE.format(name=name, mode=mode, daemon=DAEMON)) == []
