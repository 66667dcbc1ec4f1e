"""A QEMU whose trace log cannot be read is refused at its start, and after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.ends import PLAIN, check_unusable, script
from tests.conformance.leftovers import nothing_left
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.targets.qemu.trace_log import TraceLog

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

DOCTORED = {
    "lines without time": (
        'case "$word" in -msg|timestamp=on) continue;; esac',
        r"expected 2 dequeues, observed 0: .* QEMU 7.2 to 11.1; the last one is 'virtqueue_pop",
    ),
    "no lines": (
        'case "$word" in -trace|virtqueue_pop|virtio_queue_notify) continue;; esac',
        "observed 0: .*; there is none",
    ),
}


@pytest.mark.parametrize("case", DOCTORED)
def test_a_log_in_another_format(case: str, tmp_path: Path) -> None:
    left_out, problem = DOCTORED[case]
    text = f'n=$#\nfor word; do\n{left_out}\nset -- "$@" "$word"\ndone\nshift $n\nexec "$@"'
    binary = script(tmp_path, text.replace('exec "$@"', f'exec {find_qemu("")} "$@"'))
    check_unusable(
        qemu_target("virtio-blk-pci", "processes", TargetOptions(qemu_binary=binary)), problem
    )


def test_it_is_refused_after_a_restart_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = QemuRig(TargetOptions())
    with nothing_left(), QemuTarget("qemu", "d", rig, rig.port) as target:
        assert target.run(PLAIN).events
        monkeypatch.setattr(TraceLog, "dequeues", lambda self, actors: [])
        target.run(PLAIN)  # has proved itself
        rig.discard()
        with pytest.raises(DeviceUnavailable, match="expected 2 dequeues, observed 0"):
            target.run(PLAIN)
