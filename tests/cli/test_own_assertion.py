"""A device checks an invariant of its own: from the campaign to a report, and a damaged file."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.conftest import Cli

DEVICE = """
from vblkfuzz.dataplane.virtio_blk import VirtioBlk


class Asserts(VirtioBlk):
    summary = "checks that no two requests are in flight at a reset"

    def reset(self, thread, *, system=False):
        assert self.blk.in_flight < 2, "requests in flight at a reset"
        yield from super().reset(thread, system=system)
"""


def test_from_a_campaign_to_a_report(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "asserts.py").write_text(DEVICE)
    device, out = f"{tmp_path}/asserts.py:Asserts", tmp_path / "out"
    setup = ("--runs", "500", "--workers", "1", "--seed", "4", "--mode", "inline")
    campaign = ("fuzz", *setup, "--device", device, "--out", out, "--no-minimize")
    assert cli(*campaign).exit_code == 77
    (finding,) = (out / "findings").iterdir()
    assert finding.name.startswith("crash-assertionerror-asserts-reset-")
    assert not list((out / "harness").iterdir())
    assert cli("replay", finding, "--device", device).exit_code == 77
    for words in (("triage", out), ("export", finding, "--to", "issue", "-o", "-")):
        result = cli(*words, "--device", device)
        assert (result.exit_code, finding.name in result.stdout) == (0, True), result.stderr

    whole = (finding / "finding.vblk").read_bytes()
    (finding / "finding.vblk").write_bytes(b"")
    shutil.rmtree(out / "corpus")  # so the second campaign runs the same inputs
    assert cli(*campaign).exit_code == 0  # it is not new
    assert (finding / "finding.vblk").read_bytes() == whole
    assert cli("triage", out, "--device", device).exit_code == 0
