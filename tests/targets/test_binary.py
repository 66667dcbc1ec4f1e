"""What is said of a program that is not there: the option, only to users who have named none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qsd.binary import find_qsd


@pytest.mark.parametrize(
    ("find", "option"), [(find_qemu, "--qemu-binary"), (find_qsd, "--qsd-binary")]
)
def test_the_option_is_for_those_who_have_named_none(
    find: Callable[[str], str], option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceUnavailable, match=f"or name one by {option}$"):
        find("")
    for named in ("other", str(tmp_path / "other")):
        with pytest.raises(DeviceUnavailable) as raised:
            find(named)
        assert "install QEMU" in str(raised.value)
        assert option not in str(raised.value)
