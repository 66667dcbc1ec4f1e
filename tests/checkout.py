"""The files of the checkout that the tests lie in, and the links of its pages.

It is the same one when the package under test is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parent.parent
LINK: Final = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
CODE_BLOCK: Final = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def project_files() -> list[Path]:
    """All files git would commit; where git or its folder is missing, all but hidden ones."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (CHECKOUT / ".git").exists():
        listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False)
        if listed.returncode == 0:
            names = [name for name in listed.stdout.decode().split("\0") if name]
            return sorted(path for name in names if (path := CHECKOUT / name).is_file())
    files = (path for path in CHECKOUT.rglob("*") if path.is_file())
    return sorted(path for path in files if not is_hidden(path.relative_to(CHECKOUT)))


def is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def source_copy(source: Path, target: Path) -> Path:
    """Copy a folder of Python sources to `target`; return that.

    Byte code stays behind: other processes write and rename it at the same time.
    """
    return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__")))


def linked_paths(page: str) -> list[str]:
    """The paths that a page links to, relative to its folder; without anchors and other sites."""
    targets = [match["target"] for match in LINK.finditer(CODE_BLOCK.sub("", page))]
    paths = [target.partition("#")[0] for target in targets if ":" not in target]
    return [path for path in paths if path]
