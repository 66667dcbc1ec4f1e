"""A back-end of ours that serves one disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vblkfuzz.targets.vhost_user_frontend.disk import FORMS
from vblkfuzz.targets.vhost_user_frontend.process import BackendProcess
from vblkfuzz.targets.vhost_user_frontend.server import Order


@pytest.fixture
def backend() -> Iterator[BackendProcess]:
    process = BackendProcess()
    process.start()
    process.order(Order.START, FORMS.index((64, False)))
    yield process
    process.stop()
