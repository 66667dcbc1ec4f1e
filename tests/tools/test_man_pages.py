"""tools/man_pages.py: a page for each verb, with all that its help has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.checkout import CHECKOUT
from tests.cli.test_app import ALL
from vblkfuzz.cli.app import app

TOOL = CHECKOUT / "tools" / "man_pages.py"

pytest.importorskip("click_man")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the pages by the name of their files."""
    folder = tmp_path_factory.mktemp("man") / "man1"
    subprocess.run([sys.executable, TOOL, folder], check=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_each_verb_has_a_page(pages: dict[str, str]) -> None:
    assert set(pages) == {"-".join(("vblkfuzz", *verb)) + ".1" for verb in ((), *ALL)}


@pytest.mark.parametrize("verb", [(), *ALL], ids=" ".join)
def test_a_page_has_what_the_help_has(pages: dict[str, str], verb: tuple[str, ...]) -> None:
    page = pages["-".join(("vblkfuzz", *verb)) + ".1"]
    text = page.replace(r"\-", "-")
    shown = CliRunner().invoke(app, [*verb, "--help"], env={"COLUMNS": "200"}).stdout
    options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", shown, re.MULTILINE)
    commands = re.findall(r"^    (vblkfuzz .*)$", shown, re.MULTILINE)
    assert len(options) >= 1
    assert len(commands) == 2
    for word in (*options, *commands):
        assert word in text
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES"):
        assert page.count(f"\n.SH {section}\n") == 1


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_nothing_to_complain_about(pages: dict[str, str], tmp_path: Path) -> None:
    files: list[Path] = []
    for name, page in pages.items():
        files.append(tmp_path / name)
        files[-1].write_text(page)
    command = ["groff", "-man", "-Tutf8", "-ww", "-z", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
