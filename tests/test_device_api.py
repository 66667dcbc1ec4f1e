"""docs/device-api.md: that it is complete, and what it says of locks. Its tables: test_pages."""

from __future__ import annotations

import re

import pytest

from tests.checkout import CHECKOUT
from tests.device_api import CLASSES, public, watched
from tests.pure_build import pure_build

PAGE = (CHECKOUT / "docs" / "device-api.md").read_text()
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |^<!-- end)", PAGE, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("owner", CLASSES, ids=lambda owner: owner.__name__)
def test_each_class_has_its_names_and_no_others(owner: type) -> None:
    named = re.findall(r"^\| `(\w+)", SECTIONS[owner.__name__], re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == set(public(owner))


@pure_build
def test_who_holds_the_big_lock() -> None:
    """As the page says: vCPU and main loop do, IOThreads do not."""
    assert watched().locked == {("vCPU", True), ("main loop", True), ("IOThread", False)}
