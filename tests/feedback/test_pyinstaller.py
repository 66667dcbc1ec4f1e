"""The hook of PyInstaller: where it is, and what it collects; tests/ossfuzz makes a bundle."""

from __future__ import annotations

import runpy
from pathlib import Path

from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.feedback.pyinstaller import hook_dirs
from vblkfuzz.oracle.judge import RULES


def test_the_hook_collects_source_and_what_no_import_names() -> None:
    (folder,) = hook_dirs()
    hook = runpy.run_path(str(Path(folder) / "hook-vblkfuzz.py"))
    assert hook["module_collection_mode"] == "py"
    assert {rule.check.__module__ for rule in RULES} <= set(hook["hiddenimports"])
    assert len(DEFECTS) > 0
    assert any(name.startswith("vblkfuzz.dataplane.defects.") for name in hook["hiddenimports"])
