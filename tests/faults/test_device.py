"""Devices of users that do what no device should."""

from __future__ import annotations

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import long

pytestmark = pytest.mark.e2e

SETUP = ("--workers", "1", "--seed", "5", "--runs", "60", "--no-minimize")
DEVICE = """
import ctypes, os, resource, signal, sys, threading, time
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

class Device(VirtioBlk):
    def answer_at_once(self, request):
        if request.blk.type == 4:
            {deed}
        return super().answer_at_once(request)
"""
DEEDS = {
    "raise": "raise RuntimeError('no')",
    "leave": "raise GeneratorExit",
    "loop in Python": "while True: pass",
    "loop in C": "sum(range(1 << 62))",
    "5 GB": "bytearray(5 << 30)",
    "segfault": "ctypes.string_at(0)",
    "end": "os._exit(0)",
    "close all fds": "os.closerange(0, 4096)",
    "kill the parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "fork": "os.fork()",
    "threads": "threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()",
    "print": "print('x' * 100_000)",
    "chdir": "os.chdir('/')",
}


@pytest.mark.parametrize("mode", ["inline", "processes"])
@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.fault(
    "A device raises, loops in Python or in C, takes 5 GB, crashes, ends its process, closes all "
    "fds, kills its parent, forks, starts threads, prints or changes the folder",
    "A finding in its line, or nothing; the campaign spends its budget. Nothing is left.",
)
@long
def test_a_hostile_device(campaign: Campaign, deed: str, mode: str) -> None:
    device = campaign.folder / "device.py"
    device.write_text(DEVICE.format(deed=DEEDS[deed]))
    ended = campaign.run(*SETUP, "--mode", mode, "--device", f"{device}:Device")
    assert ended.end["execs"] == 60, ended.stderr
    assert "Traceback" not in ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()
