"""Tables of findings: on a terminal of any width, a signature is one word that can be copied."""

from __future__ import annotations

import re

import pytest

from vblkfuzz.cli.views.screen import Screen

_LONG = "s16-vm_stop-virtio_blk_data_plane_stop_dma_restart_bh-nowhere_parked-request_left"
_SHORT = "s8-start-twice"
_KNOWN = "75dcb4d790: the drains inside start and stop attach (B2), in all versions since 8.1"
_COLUMNS = ("rule", "first", "finding", "known")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stdout count as a terminal without colours."""
    for name, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("known", ["", _KNOWN])
def test_a_signature_is_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, known: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = [("S16", "0.3 s", _LONG, known), ("S8", "12.0 s", _SHORT, known)]
    Screen().table(_COLUMNS, rows, whole=2)
    said = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    words = said.split()
    for word in (_LONG, _SHORT, *known.split()):
        assert word in words
    for line in said.splitlines():
        assert len(line.rstrip()) <= width or _LONG in line


@pytest.mark.usefixtures("terminal")
def test_what_has_no_room_beside_a_signature_is_below_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    Screen().table(_COLUMNS, [("S8", "1.0 s", _SHORT, "a fix of 8.1, in Debian since 2024")], 2)
    Screen().table(_COLUMNS, [("S16", "1.0 s", _LONG, "")], 2)
    assert capsys.readouterr().out.splitlines() == [
        "S8  1.0 s  s8-start-twice",
        "    known: a fix of 8.1, in Debian since",
        "    2024",
        "S16  1.0 s",
        f"    {_LONG}",
    ]


def test_without_a_terminal_each_row_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("S16", "0.3 s", _LONG, _KNOWN), ("S8", "12.0 s", _SHORT, "")]
    Screen().table(_COLUMNS, rows, whole=2)
    assert capsys.readouterr().out.splitlines() == [
        f"S16  0.3 s   {_LONG}  {_KNOWN}",
        f"S8   12.0 s  {_SHORT}",
    ]


@pytest.mark.usefixtures("terminal")
def test_a_command_to_copy_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = f"replay one with: vblkfuzz replay out/findings/{_LONG}/minimized.vblk --target qemu"
    Screen().say(command)
    assert capsys.readouterr().out == f"{command}\n"
