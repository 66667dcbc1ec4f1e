"""The dashboard of a store: nodes, findings and inputs, each file read once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.conftest import Client
from tests.web.folders import ARTIFACT, SIGNATURE
from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import dump_artifact
from vblkfuzz.store.feature_record import Entry
from vblkfuzz.store.pack import Pack
from vblkfuzz.store.shared_files import FolderFiles
from vblkfuzz.store.shared_store import Beat, SharedStore
from vblkfuzz.web import store as web_store
from vblkfuzz.web.place import PER_PAGE
from vblkfuzz.web.store import Store


@pytest.fixture
def shared(tmp_path: Path) -> SharedStore:
    store = SharedStore(FolderFiles(tmp_path / "store"))
    store.join("model", "patch-v4")
    store.add_finding(SIGNATURE, dump_artifact(ARTIFACT))
    for node, count in (("a", PER_PAGE + 10), ("b", 5)):
        entries = [Entry.of(f"{node}{at}".encode(), [at]) for at in range(count)]
        store.add_pack(node, Pack(node, "run", "print", tuple(entries)))
        seen = {SIGNATURE: 3}
        store.beat(Beat(node, "run", execs=1000, seconds=10, features=7, workers=2, seen=seen))
    return store


def test_a_store(
    client: Callable[..., Client], shared: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_store, "_FRESH_S", -1.0)
    place = Store(shared.files.url)
    figures = dict(place.overview().figures)
    assert (figures["executions"], figures["inputs"], figures["nodes"]) == ("2,000", "65", "2")
    shared.beat(Beat("a", "run", execs=3000, seconds=20, features=7, workers=2))
    shown = place.overview()
    assert dict(shown.figures)["executions"] == "4,000"
    assert [line.name for line in shown.charts[0].lines] == ["a", "b"]
    assert [row[0] for row in shown.tables[0].rows] == ["a", "b"]
    assert place.findings("S1", 1).rows[0][:2] == ("S1", SIGNATURE)
    names = [one[0] for number in (1, 2) for one in place.inputs(number).rows]
    assert len(set(names)) == 65
    assert place.input(names[-1]) == b"b4"
    browser = client(place)
    for path in ("/", "/findings", "/situations", "/corpus", f"/corpus/{names[0]}"):
        page = browser.get(path)
        assert (page.status_code, 'role="alert"' in page.text) == (200, False), path
    assert browser.get("/findings/s1-none").status_code == 404
    found = place.finding(SIGNATURE)
    assert found is not None
    with found as copy:
        assert (copy.read_bytes(), copy.name) == (dump_artifact(ARTIFACT), "finding.vblk")
    assert not copy.exists()


def test_a_store_that_is_gone(
    client: Callable[..., Client], shared: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_store, "_FRESH_S", -1.0)
    place = Store(shared.files.url)

    def refuse(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(FolderFiles, "listed", refuse)
    browser = client(place)
    for path in ("/", "/findings", "/corpus", f"/findings/{SIGNATURE}"):
        page = browser.get(path).text
        assert page.count('role="alert"') == 1
        assert "cannot be read: Input/output error" in page
    with pytest.raises(InputFileError, match="cannot be read"):
        Store(shared.files.url)


def test_a_node_may_call_itself_anything(
    client: Callable[..., Client], shared: SharedStore
) -> None:
    """Its name is in a beat, as JSON: there it can be no Unicode at all."""
    named = Beat("<b>\udcff", "run", problem="<script>")
    shared.files.replace("beats/a/more.json", named.to_bytes())
    pages = client(Store(shared.files.url))
    from vblkfuzz.web.app import Pages

    page = pages.get("/").text
    assert "&lt;b&gt;\\udcff" in page
    assert "<b>" not in page
    live = Pages(Store(shared.files.url))._live

    async def first() -> bytes:
        return (await anext(live.events())).encode()

    assert b"&lt;b&gt;\\udcff" in asyncio.run(first())


def test_many_files_that_are_left_out_hide_nothing(shared: SharedStore) -> None:
    folder = Path(shared.files.url, "shards", "c")
    folder.mkdir()
    for at in range(100):
        (folder / f"{at:06}.pack").write_bytes(b"half of a pack")
    problems = Store(shared.files.url).overview().problems
    assert len(problems) == 6
    assert problems[0].startswith("shards/c/000000.pack: not whole or not readable")
    assert problems[-1].startswith("95 more")


def test_findings_without_a_rule_are_counted(
    client: Callable[..., Client], shared: SharedStore
) -> None:
    """A link would lead to all findings: there is no rule to choose them by."""
    shared.add_finding("odd", dump_artifact(ARTIFACT))
    page = client(Store(shared.files.url)).get("/").text
    assert "No rule in the name" in page
    assert 'href="/findings?rule="' not in page
