"""How many workers a campaign has by default: what cpuset and control groups grant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vblkfuzz.cli.options.campaign import number_of_workers
from vblkfuzz.process import usable_cores

V2, V1 = "0::/a/b\n", "3:memory:/a\n1:cpu,cpuacct:/a/b\n"


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("", {}, 8),
        (V2, {}, 8),
        (V2, {"a/b/cpu.max": "max 100000"}, 8),
        (V2, {"a/b/cpu.max": "300000 100000"}, 3),
        (V2, {"a/cpu.max": "250000 100000", "a/b/cpu.max": "300000 100000"}, 2),
        (V2, {"cpu.max": "50000 100000"}, 1),
        (V2, {"cpu.max": "1600000 100000"}, 8),
        (V2, {"unified/a/cpu.max": "200000 100000"}, 2),
        (V2, {"cpu.max": "garbage"}, 8),
        (V1, {"cpu,cpuacct/a/b/cpu.cfs_quota_us": "200000"}, 8),
        (
            V1,
            {
                "cpu,cpuacct/a/cpu.cfs_quota_us": "200000",
                "cpu,cpuacct/a/cpu.cfs_period_us": "100000",
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
            },
            2,
        ),
    ],
)
def test_quotas(
    own: str, files: dict[str, str], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    monkeypatch.setattr(usable_cores, "_CGROUPS", tmp_path)
    monkeypatch.setattr(usable_cores, "_OWN", tmp_path / "own")
    (tmp_path / "own").write_text(own)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert number_of_workers(0) == cores
    assert number_of_workers(16) == 16
