"""Nobody gets in without the token, and a page can load nothing from anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import PORT, TOKEN, Client
from tests.web.folders import SIGNATURE
from vblkfuzz.web.folder import Folder

ADDRESSES = (
    *("/", "/live", "/findings", f"/findings/{SIGNATURE}", "/situations", "/corpus", "/corpus/x"),
    *("/favicon.ico", "/nothing"),
)


@pytest.mark.parametrize(
    ("cookie", "query"), [("", ""), ("b-token", ""), ("", "?token=b-token"), ("", "?token=%FF")]
)
def test_a_stranger_gets_401(
    client: Callable[..., Client], out: Path, cookie: str, query: str
) -> None:
    stranger = client(Folder(out), cookie)
    for path in ADDRESSES:
        answer = stranger.get(path + query)
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
        assert answer.text.startswith("401: open the URL")
        assert SIGNATURE not in answer.text


def test_the_printed_url_gives_a_cookie(client: Callable[..., Client], out: Path) -> None:
    browser = client(Folder(out), "")
    answer = browser.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert f"vblkfuzz-{PORT}={TOKEN}" in cookie
    assert {"httponly", "samesite=lax", "path=/"} <= set(cookie.split("; "))
    page = browser.get("/")
    assert page.status_code == 200
    assert TOKEN not in page.text


def test_no_address_leads_elsewhere(client: Callable[..., Client], out: Path) -> None:
    answer = client(Folder(out), "").get(f"//elsewhere.example/?token={TOKEN}")
    assert answer.headers["location"] == "/"


class Loads(HTMLParser):
    """What a page makes a browser do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "action", "srcset", "data"):
                self.found.append(value or "")
            if name.startswith("on") or name == "style":
                self.handlers.append(name)


def test_a_page_loads_nothing_and_its_policy_allows_its_own_parts(
    client: Callable[..., Client], out: Path
) -> None:
    browser = client(Folder(out))
    for path in ("/", "/findings", "/situations", "/corpus", "/nothing"):
        answer = browser.get(path)
        loads = Loads(answer.text)
        assert loads.handlers == []
        assert all(one == "data:," or re.match(r"/(?!/)", one) for one in loads.found)
        headers = answer.headers
        assert_allowed(answer.text, headers["content-security-policy"])
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert headers["x-content-type-options"] == "nosniff"


def assert_allowed(page: str, policy: str) -> None:
    from vblkfuzz.web.access import policy as policy_of

    parts = [re.findall(f"<{one}>(.*?)</{one}>", page, re.DOTALL) for one in ("style", "script")]
    assert len(parts[0]) == 1
    given = dict(one.strip().split(" ", 1) for one in policy.split(";"))
    assert given["default-src"] == "'none'"
    own = dict(one.strip().split(" ", 1) for one in policy_of(*parts).split(";"))
    assert given["style-src"] == own["style-src"]
    assert not parts[1] or given["script-src"] == own["script-src"]
    assert "unsafe" not in policy


def test_a_report_has_the_parts_that_its_policy_allows() -> None:
    from tests.triage.stories import case
    from vblkfuzz.export.html_report import html_text, inline_parts
    from vblkfuzz.web.access import policy

    pytest.importorskip("starlette", reason="the extra web is not installed")
    assert_allowed(html_text([case()]), policy(*inline_parts()))


def test_other_methods_are_refused(client: Callable[..., Client], out: Path) -> None:
    browser: Any = client(Folder(out))
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert browser.request(method, "/findings").status_code == 405
