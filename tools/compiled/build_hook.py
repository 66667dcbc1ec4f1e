"""Hook of hatchling: ``VBLKFUZZ_COMPILE=1 pip wheel .`` compiles the hot modules by mypyc.

Without the variable the wheel is the pure one, for any platform. With it the wheel holds the same
files and beside them a library, which Python prefers to the files. It is for one version of Python
and one platform, and needs a C compiler.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from setuptools import Extension

_ASKED: Final = "VBLKFUZZ_COMPILE"
_PACKAGE: Final = "vblkfuzz"
_SHARED: Final = ["-fvisibility=hidden"]
"""Modules are one library: they need no indirection to call each other or read constants."""
_APART: Final = ["-freorder-blocks-algorithm=stc", "-freorder-blocks-and-partition"]
"""Of GCC: code that only reports errors lies apart from code that runs, which then fits into the
caches. `primitives.h` says what reports errors."""


class CompiledBuild(BuildHookInterface):  # type: ignore[misc,unused-ignore]  # may be missing
    """Adds the libraries to the wheel, if it is asked to."""

    _folder: TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """Return what the build needs beside hatchling."""
        return ["mypy>=1.19", "setuptools>=72"] if _asked() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before the wheel is put together.

        Args:
            version: `standard`, or `editable`, which stays pure: it shows the source as it is.
            build_data: what the wheel holds.
        """
        if not _asked() or version == "editable":
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


def _asked() -> bool:
    return os.environ.get(_ASKED, "0") not in ("", "0")


def compile_into(folder: Path, checkout: Path) -> list[str]:
    """Compile the package of a checkout in a folder; return the libraries, relative to it."""
    sys.path.insert(0, str(checkout))  # hatchling loads this file by its path, without a package
    from tools.compiled import primitives
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
    (folder / f"{primitives.MODULE}.pyi").write_text(primitives.STUB)
    primitives.register()
    before = Path.cwd()
    os.chdir(folder)  # mypyc names files, in tracebacks too, as it is given them
    try:
        extensions = _c_code(files)
        for code in Path("build").glob("__native*.c"):
            if code.name != f"__native_{_PACKAGE}.c":  # the one of what all modules share
                written = with_lines(code.read_text(), lines)
                code.write_text(primitives.with_primitives(written))
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
    made = mypycify(files, opt_level="1", debug_level="0", group_name=_PACKAGE, multi_file=True)
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or ""
    for extension in made:
        extension.extra_compile_args += _SHARED + (_APART if "clang" not in compiler else [])
    return made


def _build(extensions: list[Extension]) -> None:
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    class OnAllCores(build_ext):  # type: ignore[misc,unused-ignore]  # may be missing
        """Compiles the files of a library on all cores, as setuptools does with libraries."""

        def build_extensions(self) -> None:
            self.compiler.compile = partial(_compile, self.compiler)
            super().build_extensions()

    command = OnAllCores(Distribution({"ext_modules": extensions}))
    command.inplace = True
    command.ensure_finalized()
    command.run()


def _compile(compiler: Any, sources: list[str], **given: Any) -> list[str]:  # noqa: ANN401
    """Compile the files of a library; return the object files (`CCompiler.compile`)."""
    _, objects, after, options, made_of = compiler._setup_compile(
        given.get("output_dir"),
        given.get("macros"),
        given.get("include_dirs"),
        sources,
        given.get("depends"),
        given.get("extra_postargs"),
    )
    before = compiler._get_cc_args(options, given.get("debug", False), None)

    def one(made: str) -> None:
        compiler._compile(made, *made_of[made], before, after, options)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(one, objects))
    return list(objects)
