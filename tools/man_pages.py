"""Write a man page for each verb: ``python tools/man_pages.py FOLDER``, or ``tox -e man``.

The text is that of ``--help``: the commands are walked here, by typer's own interface, and
click-man lays out the pages. SOURCE_DATE_EPOCH sets their date. Why click-man does not walk the
commands itself: docs/decisions/0020.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

from click_man.man import ManPage
from typer.main import get_command

from vblkfuzz import __version__
from vblkfuzz.cli.app import app

NAME: Final = "vblkfuzz"


def main(folder: Path) -> None:
    """Write the pages; ``vblkfuzz-bench-core.1`` is that of ``vblkfuzz bench core``."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, page in pages():
        (folder / path).write_text(page, encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Yield name and text of each page."""
    command = get_command(app)
    yield from _below(command, command.make_context(NAME, [], resilient_parsing=True))


def _below(command: Any, context: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 -- of typer
    """Yield the page of a command, and those of the commands in it."""
    yield f"{context.command_path.replace(' ', '-')}.1", _page(command, context)
    for name, one in getattr(command, "commands", {}).items():
        yield from _below(one, one.make_context(name, [], parent=context, resilient_parsing=True))


def _page(command: Any, context: Any) -> str:  # noqa: ANN401 -- of typer
    page = ManPage(context.command_path)
    page.version = __version__
    page.short_help = _roff(command.get_short_help_str(limit=200))
    page.synopsis = " ".join(command.collect_usage_pieces(context))
    page.description = _roff(cleandoc(command.help or ""))
    records = (parameter.get_help_record(context) for parameter in command.get_params(context))
    page.options = [(names, _roff(text)) for names, text in filter(None, records)]
    inner = getattr(command, "commands", {})
    page.commands = [(name, _roff(one.get_short_help_str(200))) for name, one in inner.items()]
    return f"{page}{_examples(command.epilog)}"


def _examples(epilog: str) -> str:
    """Return the section of the examples, which keep their lines."""
    commands = epilog.partition("Examples:\n")[2].splitlines()
    lines = (_roff(line.strip()).replace("-", r"\-") for line in commands)
    return "\n".join((".SH EXAMPLES", ".nf", *lines, ".fi", ""))


def _roff(text: str) -> str:
    r"""Return text as roff has it: no ``\``, ``.`` or ``'`` of it is a command."""
    plain = text.replace("\b\n", "").replace("\\", r"\e")
    return re.sub(r"^(?=[.'])", r"\&", plain, flags=re.MULTILINE)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: man_pages.py FOLDER")
    main(Path(sys.argv[1]))
