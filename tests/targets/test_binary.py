"""What is said of a program that is not there: option and doctor, to users who have named none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import until
from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.suggestion import SEE_DOCTOR
from vblkfuzz.targets import binary
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qsd.binary import find_qsd


@pytest.mark.parametrize(
    ("find", "option"), [(find_qemu, "--qemu-binary"), (find_qsd, "--qsd-binary")]
)
def test_the_option_is_for_those_who_have_named_none(
    find: Callable[[str], str], option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceUnavailable, match=f"or name one by {option}{SEE_DOCTOR}$"):
        find("")
    for named in ("other", str(tmp_path / "other")):
        with pytest.raises(DeviceUnavailable) as raised:
            find(named)
        assert "install QEMU" in str(raised.value)
        assert option not in str(raised.value)
        assert SEE_DOCTOR not in str(raised.value)


def test_what_does_not_answer_is_ended_with_what_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, pid = tmp_path / "hangs", tmp_path / "pid"
    script.write_text(f"#!/bin/sh\nsleep 100 &\necho $! > '{pid}'\nwait\n")
    script.chmod(0o755)
    monkeypatch.setattr(binary, "_PATIENCE_S", 2.0)
    with pytest.raises(DeviceUnavailable, match="no answer to --version within 2 s"):
        find_qemu(str(script))
    stat = Path(f"/proc/{pid.read_text().strip()}/stat")
    until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z")
