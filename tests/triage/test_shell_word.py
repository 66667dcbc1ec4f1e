"""What a shell makes of a line is what was meant, for names of any bytes."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vblkfuzz.triage.shell_word import shell_line

NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name)


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@given(st.lists(NAMES, min_size=1, max_size=9))
@example([b"plain", b"it's", b"\xff0a", b"a\nb", b"\\x41\x1b", b"$HOME\t*", "größe\n".encode()])
@settings(max_examples=20, deadline=None)
def test_a_shell_reads_what_was_meant(names: list[bytes]) -> None:
    line = shell_line(["printf", "%s\\0", *map(os.fsdecode, names)])
    assert line.isprintable()
    done = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, check=True)
    assert done.stdout.split(b"\0")[:-1] == names
