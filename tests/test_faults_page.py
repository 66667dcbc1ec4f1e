"""docs/faults.md has a row for each test of a fault, and no other."""

from __future__ import annotations

import pytest

from tests.checkout import CHECKOUT
from tests.faults.table import faults, rows_of

MARKED = '@pytest.mark.fault("A is " "done", "b")\ndef test_a(): ...\n'


def test_a_row_for_each_test() -> None:
    page = (CHECKOUT / "docs" / "faults.md").read_text()
    assert faults() in page
    assert page.count("::test_") == faults().count("::test_") > 20


def test_a_test_without_a_mark_is_named() -> None:
    assert list(rows_of(f"{MARKED}def other(): ...")) == [("A is done", "b", "test_a")]
    with pytest.raises(ValueError, match="test_b: expected @pytest"):
        list(rows_of(f"{MARKED}def test_b(): ..."))
