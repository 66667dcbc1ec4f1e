"""In a bundle of PyInstaller the files of Python lie elsewhere; they are no device's own."""

from __future__ import annotations

import abc

import pytest

from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.process.own_code import OwnCode


def test_a_built_in_device_has_no_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would get a process of its own, which OSS-Fuzz does not want."""
    monkeypatch.setattr(abc, "__file__", "/bundle/abc.pyc")
    assert not OwnCode(REVISIONS["reference"])


def test_ones_own_device_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abc, "__file__", "/bundle/abc.pyc")
    assert OwnCode(type("Mine", (REVISIONS["reference"],), {"poll": lambda self: None}))
