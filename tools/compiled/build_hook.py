"""Hook of hatchling: ``VBLKFUZZ_COMPILE=1 pip wheel .`` compiles the hot modules by mypyc.

Without the variable the wheel is the pure one, for any platform. With it the wheel holds the same
files and beside them a library, which Python prefers to the files. It is for one version of Python
and one platform, and needs a C compiler.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from setuptools import Extension

_ASKED: Final = "VBLKFUZZ_COMPILE"
_OPTIMIZE: Final = "VBLKFUZZ_COMPILE_LEVEL"
_PACKAGE: Final = "vblkfuzz"


class CompiledBuild(BuildHookInterface):
    """Adds the libraries to the wheel, if it is asked to."""

    _folder: TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """Return what the build needs beside hatchling."""
        return ["mypy>=1.19", "setuptools>=72"] if _is_asked() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before the wheel is put together.

        Args:
            version: `standard`, or `editable`, which stays pure: it shows the source as it is.
            build_data: what the wheel holds.
        """
        if not _is_asked() or version == "editable":
            return
        self._folder = TemporaryDirectory()
        folder = Path(self._folder.name)
        for library in compile_into(folder, Path(self.root)):
            build_data["force_include"][str(folder / library)] = library
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the folder of the compiler."""
        if self._folder is not None:
            self._folder.cleanup()


def _is_asked() -> bool:
    return os.environ.get(_ASKED, "0") not in ("", "0")


def compile_into(folder: Path, checkout: Path) -> list[str]:
    """Compile the package of a checkout in a folder; return the libraries, relative to it."""
    sys.path.insert(0, str(checkout))  # hatchling loads this file by its path, without a package
    from tools.compiled.modules import compiled_files
    from tools.compiled.source import source_to_compile, with_lines

    shutil.copytree(checkout / _PACKAGE, folder / _PACKAGE, ignore=shutil.ignore_patterns("*.pyc"))
    files = [f"{_PACKAGE}/{file}" for file in compiled_files(folder / _PACKAGE)]
    lines = {}
    for file in files:
        path = folder / file
        module = file.removesuffix(".py").replace("/", ".")
        written, lines[file] = source_to_compile(module, path.read_text())
        path.write_text(written)
    before = Path.cwd()
    os.chdir(folder)  # mypyc names files, in tracebacks too, as it is given them
    try:
        extensions = _c_code(files)
        for code in Path("build").glob("__native*.c"):
            code.write_text(with_lines(code.read_text(), lines))
        _build(extensions)
    finally:
        os.chdir(before)
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*.so")
        if "build" not in path.relative_to(folder).parts
    )


def _c_code(files: list[str]) -> list[Extension]:
    from mypyc.build import mypycify

    Path("mypy.ini").write_text("[mypy]\nignore_missing_imports = True\n")
    level = os.environ.get(_OPTIMIZE, "2")
    return mypycify(files, opt_level=level, debug_level="0", group_name=_PACKAGE)


def _build(extensions: list[Extension]) -> None:
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    command = build_ext(Distribution({"ext_modules": extensions}))
    command.inplace = True
    command.ensure_finalized()
    command.run()
