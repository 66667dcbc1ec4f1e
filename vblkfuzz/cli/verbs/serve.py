"""`vblkfuzz serve`: the dashboard of an output folder or a store."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.complaint import say
from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from vblkfuzz.web.place import Place

_LIBRARIES: Final = ("starlette", "uvicorn")
"""Of the extra `web`, beside jinja2, which is always there."""


def serve(
    place: Annotated[
        str,
        typer.Argument(
            metavar="DIR|STORE",
            help="The output folder of a campaign, or a store.",
            show_default=False,
        ),
    ],
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any that is free.")] = 0,
) -> None:
    """Show a campaign in a browser, live: figures over time, findings, situations, the corpus.

    Prints a URL with a token, without which nobody gets in, and runs until ctrl-C or SIGTERM. It
    reads only, so a campaign in the folder is not disturbed. The page of a finding runs it again.
    With an address that others can reach, use an encrypted way, such as ssh: the pages are plain
    HTTP. Needs the extra web: pip install 'vblkfuzz[web]'.
    """
    if missing := [name for name in _LIBRARIES if find_spec(name) is None]:
        problem = f"serve needs {' and '.join(missing)}: pip install 'vblkfuzz[web]'"
        raise UsageError(problem)
    from vblkfuzz.foreign_code import end
    from vblkfuzz.web.server import is_loopback
    from vblkfuzz.web.server import serve as run

    opened = _opened(place)
    if not is_loopback(host):
        say(f"{host}: the pages, and the token, go over the network without encryption")
    # Not by an exception: a thread that waits for a file server would keep the process.
    end(run(opened, host, port, lambda url: print(url, flush=True)))


def _opened(place: str) -> Place:
    """Return what the user has named.

    Raises:
        InputFileError: it is neither an output folder nor a store.
    """
    from vblkfuzz.store.store_summary import is_store
    from vblkfuzz.web.folder import Folder
    from vblkfuzz.web.store import Store

    return Store(place) if is_store(place) else Folder(Path(place))


VERB: Final = Verb(
    serve,
    examples=(
        "vblkfuzz serve vblkfuzz-out",
        "vblkfuzz serve s3://bucket/store --port 8080",
    ),
    summary="Show a campaign in a browser, live.",
)
