"""The server of the dashboard: `serve` runs until a signal ends it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import signal
import socket
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

import uvicorn

from vblkfuzz.errors import ExitStatus, UsageError
from vblkfuzz.web.access import TOKEN, Access
from vblkfuzz.web.app import Pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.web.place import Place

_ENDS: Final = {
    signal.SIGINT: ExitStatus.USER_STOP,
    signal.SIGTERM: ExitStatus.INTERRUPTED,
    signal.SIGHUP: ExitStatus.INTERRUPTED,
}


def serve(place: Place, host: str, port: int, announce: Callable[[str], None]) -> ExitStatus:
    """Serve the pages of a place until a signal comes; return the exit status for it.

    Args:
        place: the place.
        host: address to listen on.
        port: port; 0: any that is free.
        announce: is given the URL when it can be opened.

    Raises:
        UsageError: the address cannot be used.
    """
    with _listening(host, port) as listener:
        return asyncio.run(_serve(place, listener, announce))


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"{host}, port {port}: cannot be listened on: {said}") from None


async def _serve(
    place: Place, listener: socket.socket, announce: Callable[[str], None]
) -> ExitStatus:
    host, port = listener.getsockname()[:2]
    token = secrets.token_urlsafe(24)
    server = uvicorn.Server(
        uvicorn.Config(
            Access(Pages(place).app, token, port),
            lifespan="off",
            ws="none",
            log_config=None,  # its lines would have the token
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=0,
        )
    )
    # It would handle signals in its own way, also those that the parent has set to be ignored.
    server.capture_signals = nullcontext
    ended = ExitStatus.CLEAN

    def end(status: ExitStatus) -> None:
        nonlocal ended
        ended, server.should_exit = status, True
        logging.getLogger("uvicorn.error").disabled = True  # it reports each page that is cut off

    loop = asyncio.get_running_loop()
    for number, status in _ENDS.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, end, status)
    shown = f"[{host}]" if ":" in host else host
    announce(f"http://{shown}:{port}/?{TOKEN}={token}")
    await server.serve(sockets=[listener])
    return ended
