"""The pages of the dashboard and their addresses."""

from __future__ import annotations

from contextlib import suppress
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, unquote_to_bytes

import anyio.to_thread
import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from vblkfuzz._version import __version__
from vblkfuzz.errors import InputFileError
from vblkfuzz.export.html_report import inline_parts
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.text import to_text
from vblkfuzz.triage.printable import printable
from vblkfuzz.web.access import POLICY, policy
from vblkfuzz.web.chart import HEIGHT, WIDTH
from vblkfuzz.web.finding_page import FindingPages
from vblkfuzz.web.live import Live
from vblkfuzz.web.place import Overview

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from vblkfuzz.web.place import Place

_Answer = TypeVar("_Answer")
_TEMPLATES: Final = (
    "layout.html.jinja",
    "pager.html.jinja",
    "overview.html.jinja",
    "live.html.jinja",
    "findings.html.jinja",
    "situations.html.jinja",
    "corpus.html.jinja",
    "input.html.jinja",
    "problem.html.jinja",
)


class Pages:
    """Answers requests about one place.

    Args:
        place: the place.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        style, script = _text("style.css"), _text("live.js")
        self._policy: Final = policy([style], [script])
        self._report_policy: Final = policy(*inline_parts())
        self._templates = jinja2.Environment(
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            loader=jinja2.DictLoader({name: _text(name) for name in _TEMPLATES}),
        )
        self._templates.filters["quoted"] = _quoted
        self._templates.globals.update(
            place=printable(place.name),
            version=__version__,
            style=Markup(style),  # ours, without a "<"
            script=Markup(script),
            width=WIDTH,
            height=HEIGHT,
        )
        self._finding_pages = FindingPages()
        self._live = Live(self._first_page)

    @property
    def app(self) -> Starlette:
        """The application, without access control."""
        addresses = {
            "/": self.overview,
            "/live": self.live,
            "/findings": self.findings,
            "/findings/{name}": self.finding,
            "/situations": self.situations,
            "/corpus": self.inputs,
            "/corpus/{name}": self.input,
            "/favicon.ico": self.nothing,
        }
        routes = [Route(path, endpoint) for path, endpoint in addresses.items()]
        return Starlette(routes=routes, exception_handlers={404: self.missing})

    def _first_page(self) -> str:
        """Return what changes of the first page."""
        try:
            overview = self._place.overview()
        except InputFileError as error:
            overview = Overview("", "", [], problems=[str(error)])
        return self._rendered("live", overview=overview)

    async def overview(self, _: Request) -> Response:
        """Return the first page."""
        return self._page("overview", live=Markup(await self._live.now()))

    async def live(self, _: Request) -> Response:
        """Return what changes of it, again and again (server-sent events)."""
        return StreamingResponse(self._live.events(), media_type="text/event-stream")

    async def findings(self, request: Request) -> Response:
        """Return a page of the list of findings."""
        rule = request.query_params.get("rule", "")
        rule = rule if rule in {one.id for one in RULES} else ""
        number = _number(request)
        return await self._listed("findings", lambda: self._place.findings(rule, number), rule=rule)

    async def inputs(self, request: Request) -> Response:
        """Return a page of the list of inputs."""
        number = _number(request)
        return await self._listed("corpus", lambda: self._place.inputs(number), rule="")

    async def situations(self, _: Request) -> Response:
        """Return all situations."""
        titles = {rule.id: rule.title for rule in RULES}
        return await self._listed("situations", self._place.situations, titles=titles)

    async def finding(self, request: Request) -> Response:
        """Return the story of a finding, with its diagrams."""
        name = _name(request)
        try:
            found = await _in_thread(lambda: self._place.finding(name))
        except InputFileError as error:
            return self._problem(str(error))
        if found is None:
            return self.missing(request)
        with found as path:
            page, problem = await self._finding_pages.page(path)
        if problem:
            return self._problem(f"{name}: no page of it: {problem}")
        return HTMLResponse(page, headers={POLICY: self._report_policy})

    async def input(self, request: Request) -> Response:
        """Return an input as text."""
        name = _name(request)
        try:
            data = await _in_thread(lambda: self._place.input(name))
        except InputFileError as error:
            return self._problem(str(error))
        if data is None:
            return self.missing(request)
        text = to_text(decode(data))
        return self._page("input", name=printable(name), text=text, size=len(data))

    async def nothing(self, _: Request) -> Response:
        """Answer what browsers ask for by themselves."""
        return Response(status_code=204)

    def missing(self, *_: Any) -> Response:  # noqa: ANN401  # of starlette
        """Say that there is no such page."""
        return self._problem("there is nothing of this name (any more)", 404)

    async def _listed(
        self,
        template: str,
        read: Callable[[], object],
        **values: object,
    ) -> Response:
        try:
            listed = await _in_thread(read)
        except InputFileError as error:
            return self._problem(str(error))
        return self._page(template, 200, listed=listed, **values)

    def _problem(self, problem: str, status: int = 200) -> Response:
        return self._page("problem", status, problem=printable(problem))

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        page = self._rendered(template, here=template, **values)
        return HTMLResponse(page, status, headers={POLICY: self._policy})

    def _rendered(self, template: str, **values: object) -> str:
        page = self._templates.get_template(f"{template}.html.jinja").render(**values)
        # Names of files need not be UTF-8.
        return page.encode(errors="backslashreplace").decode()


async def _in_thread(work: Callable[[], _Answer]) -> _Answer:
    """Do what reads files, while others are answered; a server that ends does not wait for it."""
    done: _Answer = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    return done


def _text(name: str) -> str:
    return resources.files("vblkfuzz.web").joinpath("templates", name).read_text("utf-8")


def _quoted(name: str) -> str:
    """Return the name of a file as a part of an address; it need not be UTF-8."""
    return quote(name.encode(errors="surrogateescape"), safe="")


def _name(request: Request) -> str:
    """Return the name at the end of an address."""
    last = request.scope["raw_path"].rpartition(b"/")[2]
    return unquote_to_bytes(last).decode(errors="surrogateescape")


def _number(request: Request) -> int:
    """Return the number of the page that is asked for."""
    with suppress(ValueError):
        return max(1, int(request.query_params.get("page", "1")[:9]))
    return 1
