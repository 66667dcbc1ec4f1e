"""``vblkfuzz serve``: what is said before there is a server."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vblkfuzz.cli.verbs import serve


def test_without_the_extra(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> ModuleSpec | None:
        return None if name == "uvicorn" else importlib.util.find_spec(name)

    monkeypatch.setattr(serve, "find_spec", none)
    result = cli("serve", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == "vblkfuzz: serve needs uvicorn: pip install 'vblkfuzz[web]'\n"


def test_no_campaign(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the extra web is not installed")
    for folder, found in (
        (tmp_path, "no campaign.sqlite in it"),
        (tmp_path / "x", "no such folder"),
    ):
        result = cli("serve", folder)
        assert result.exit_code == 2
        expected = f"{folder}: expected the output folder of a campaign, found {found}"
        assert result.stderr.splitlines() == [f"vblkfuzz: {expected}"]
