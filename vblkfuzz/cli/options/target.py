"""The options of targets, the same for every verb that runs scenarios.

    @takes_target_options
    def verb(path: ..., *, target_options: TargetOptions) -> None: ...

The decorator replaces the parameter `target_options` in the verb's signature by one option for each
field of `TargetOptions`.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

import typer

from vblkfuzz.targets.options import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Callable

_PANEL: Final = "Real targets"
_PARAMETER: Final = "target_options"


def _text(metavar: str, summary: str) -> Any:  # noqa: ANN401 -- a type, made for typer
    return Annotated[str, typer.Option(metavar=metavar, help=summary, rich_help_panel=_PANEL)]


_OPTIONS: Final = {
    "qemu_binary": _text("PATH", "qemu-system-x86_64 to run.  [default: on PATH]"),
    "qsd_binary": _text("PATH", "qemu-storage-daemon to run.  [default: on PATH]"),
    "iothread": Annotated[
        bool | None,
        typer.Option(
            "--iothread/--no-iothread",
            help="Dataplane in an IOThread, or in the main loop.  [default: as in the scenario]",
            rich_help_panel=_PANEL,
        ),
    ],
    "serial": Annotated[
        bool | None,
        typer.Option(
            "--serial/--no-serial",
            help="Threads of the device one at a time, in a fixed order; or as they like, "
            "whatever the schedule says.  [default: one at a time if the schedule interrupts one]",
            rich_help_panel=_PANEL,
        ),
    ],
    "vhost_user_socket": _text("PATH", "Socket of a running vhost-user-blk back-end."),
    "vhost_user_command": _text("COMMAND", "Starts a back-end; {socket} is its socket."),
    "rss_limit_mb": Annotated[
        int,
        typer.Option(min=0, help="MiB of memory that a device of your own may take; 0: no limit."),
    ],
}


def takes_target_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options of real targets."""
    hints = get_type_hints(verb, include_extras=True)
    own = inspect.signature(verb).parameters.values()
    parameters = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in own
        if parameter.name != _PARAMETER
    ]
    defaults = TargetOptions()
    parameters += [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(defaults, name),
            annotation=annotation,
        )
        for name, annotation in _OPTIONS.items()
    ]

    @functools.wraps(verb)
    def with_options(**arguments: Any) -> None:  # noqa: ANN401 -- whatever the verb takes
        options = TargetOptions(**{name: arguments.pop(name) for name in _OPTIONS})
        verb(**arguments, **{_PARAMETER: options})

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    del with_options.__wrapped__  # typer would use the signature of the wrapped function
    return with_options
