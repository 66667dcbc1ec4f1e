"""Clients of the dashboard, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.web.folders import output_folder

if TYPE_CHECKING:
    from vblkfuzz.web.place import Place

TOKEN: Final = "a-token"
PORT: Final = 1234


class Client:
    """A browser without JavaScript that follows no redirects."""

    def __init__(self, app: object, cookies: dict[str, str]) -> None:
        import httpx

        self._httpx, self._app = httpx, app
        self._cookies = httpx.Cookies(cookies)

    # httpx has types, but may be missing.
    def request(self, method: str, path: str) -> Any:  # noqa: ANN401
        async def answered() -> Any:  # noqa: ANN401
            transport = self._httpx.ASGITransport(self._app)
            async with self._httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:1234", cookies=self._cookies
            ) as browser:
                answer = await browser.request(method, path)
                self._cookies = browser.cookies
                return answer

        return asyncio.run(answered())

    def get(self, path: str) -> Any:  # noqa: ANN401
        return self.request("GET", path)


@pytest.fixture
def client() -> Callable[..., Client]:
    """Return a client of the pages of a place; by default one that has the token."""
    pytest.importorskip("httpx", reason="httpx is not installed")
    pytest.importorskip("starlette", reason="the extra web is not installed")
    from vblkfuzz.web.access import Access
    from vblkfuzz.web.app import Pages

    def made(place: Place, cookie: str = TOKEN) -> Client:
        cookies = {f"vblkfuzz-{PORT}": cookie} if cookie else {}
        return Client(Access(Pages(place).app, TOKEN, PORT), cookies)

    return made


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return output_folder(tmp_path / "out")
