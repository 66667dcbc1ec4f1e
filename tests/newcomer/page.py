"""The shell commands of a page, as a reader copies them."""

from __future__ import annotations

import re
import shlex
from typing import Final

BLOCK: Final = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
REMARK: Final = re.compile(r"\s+# .*$")


def commands(page: str) -> list[str]:
    """Return the commands of the blocks marked ``sh``, without remarks; one may have many lines."""
    found: list[str] = []
    for block in BLOCK.findall(page):
        begun = ""
        for line in block.splitlines():
            if begun or not line.startswith("#"):
                begun += REMARK.sub("", line)
                if is_whole(begun):
                    found.append(begun)
                    begun = ""
                else:
                    begun += "\n"
        assert not begun, f"a command without an end: {begun}"
    return [command for command in found if command]


def is_whole(command: str) -> bool:
    """Whether its quotes are closed."""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True
