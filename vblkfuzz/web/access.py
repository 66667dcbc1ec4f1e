"""Who may see the pages, and what a browser may do with them.

The printed URL has a random token. Who comes with it gets a cookie and goes on to the first page;
who has neither gets 401. Pages may load nothing, and run and show what was written here only:
style and script are allowed by their hashes.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKEN: Final = "token"
"""Parameter of the URL."""
POLICY: Final = "content-security-policy"
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS: Final = {
    POLICY: _NOTHING,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_REFUSED: Final = "401: open the URL that vblkfuzz serve has printed; it has the token\n"


def policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Return the policy of a page with these elements: all that is between their tags."""
    return (
        f"{_NOTHING}; connect-src 'self'; img-src data:; "
        f"style-src {_hashes(styles)}; script-src {_hashes(scripts)}"
    )


def _hashes(texts: Sequence[str]) -> str:
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return " ".join(f"'sha256-{b64encode(one).decode()}'" for one in digests) or "'none'"


class Access:
    """Lets requests through to an application, or answers them with 401.

    Args:
        app: the application (ASGI).
        token: what must be known.
        port: of the server: browsers send a cookie to all ports of a host, so its name has it.
    """

    def __init__(self, app: Any, token: str, port: int) -> None:  # noqa: ANN401  # ASGI
        self._app = app
        self._token = token
        self._cookie: Final = f"vblkfuzz-{port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # ASGI
        """Answer a request."""

        async def guarded(message: Any) -> None:  # noqa: ANN401  # ASGI
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._answer(scope)(scope, receive, guarded)

    def _answer(self, scope: Any) -> Any:  # noqa: ANN401  # ASGI
        connection = HTTPConnection(scope)
        if self._is_right(connection.query_params.get(TOKEN, "")):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self._cookie, self._token, path="/", httponly=True, samesite="lax")
            return answer
        if self._is_right(connection.cookies.get(self._cookie, "")):
            return self._app
        return PlainTextResponse(_REFUSED, 401)

    def _is_right(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(errors="replace"), self._token.encode())
