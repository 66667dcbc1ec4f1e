"""A campaign with a weak feedback says so, once for all workers."""

from __future__ import annotations

import py_compile
from pathlib import Path

import pytest

from tests.campaign.conftest import Fuzz

pytestmark = pytest.mark.e2e


def test_a_device_without_source_is_fuzzed_without_its_coverage(
    fuzz: Fuzz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "compiled.py"
    source.write_text(
        "from vblkfuzz import VirtioBlk\nclass Device(VirtioBlk):\n    summary = 'x'\n"
    )
    py_compile.compile(str(source), cfile=f"{source}c", doraise=True)
    source.unlink()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    ended = fuzz("--device", "compiled:Device", "--mode", "inline", "--workers", "2", "--runs", "4")
    assert ended.status == 0, ended.stderr
    assert ended.stderr.count("warning: no coverage of compiled: no source code\n") == 1
