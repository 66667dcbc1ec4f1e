"""Tests that run on each qemu-storage-daemon that there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.known_bugs import QSD, on
from tests.targets.qsd.binary import EACH_QSD
from vblkfuzz.targets.binary import version_of


@pytest.fixture(scope="module", params=EACH_QSD)
def binary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bugs(binary: str) -> Iterator[None]:
    with on(QSD, version_of(binary)):
        yield
