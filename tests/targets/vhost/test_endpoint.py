"""A socket without a name leaves nothing behind, also if it cannot be made."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from vblkfuzz.targets.vhost.endpoint import Endpoint


@pytest.mark.parametrize("failing", [1, 2, None])
def test_the_folder_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int | None
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened: Callable[..., int] = os.open
    opens = 0

    def limited(*arguments: object, **named: object) -> int:
        nonlocal opens
        opens += 1
        if opens == failing:
            raise OSError(errno.EMFILE, "Too many open files")
        return opened(*arguments, **named)

    monkeypatch.setattr(os, "open", limited)
    if failing is None:
        Endpoint().close()
    else:
        with pytest.raises(OSError, match="Too many open files"):
            Endpoint()
    assert list(tmp_path.iterdir()) == []
