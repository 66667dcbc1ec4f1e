"""Packages that a test installs: metadata and a module in a folder on the import path."""

from __future__ import annotations

from pathlib import Path


def install(
    folder: Path, package: str, entry_points: dict[str, dict[str, str]], code: str = ""
) -> None:
    """Install a package whose one module is named as itself.

    Args:
        folder: of the import path.
        package: its name.
        entry_points: names and values, by group.
        code: of its module.
    """
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir(parents=True)
    about = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\nSummary: summary of {package}\n"
    (metadata / "METADATA").write_text(about)
    lines = []
    for group, named in entry_points.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in named.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (folder / f"{package}.py").write_text(code)
