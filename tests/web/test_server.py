"""The server as a process: who gets in, live figures, and an end that leaves nothing."""

from __future__ import annotations

import signal
import socket
import urllib.error
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from tests.waiting import WAIT_S, until
from tests.web.folders import SIGNATURE
from tests.web.serving import opener, serving, text_of
from vblkfuzz.store.history import LEDGER
from vblkfuzz.store.ledger import Ledger

pytest.importorskip("uvicorn", reason="the extra web is not installed")
pytestmark = pytest.mark.e2e


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_is_live_and_reads_only(out: Path) -> None:
    before = content(out)
    with serving(out) as server:
        browser = opener()
        assert "594,880" in text_of(browser, server.url)
        with pytest.raises(urllib.error.HTTPError) as refused:
            text_of(opener(), server.address)
        assert refused.value.code == 401
        refused.value.close()
        assert content(out) == before
        ledger = Ledger(out / LEDGER)
        with browser.open(f"{server.address}/live", timeout=WAIT_S) as events:
            ledger.begin("2026-01-03T00:00:00+00:00", "patch-v4", "inline", 1, 3)
            ledger.progress(1, 1234, 5, (0, 0))
            assert events.headers["content-type"].startswith("text/event-stream")
            for line in events:
                assert line.startswith((b"data: ", b":")) or not line.strip()
                if b"596,114" in line:
                    break
            # A browser that stays connected does not keep the server.
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(WAIT_S) == 72
        ledger.close()
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGHUP, 72)])
def test_a_signal_ends_it(out: Path, number: signal.Signals, status: int) -> None:
    with serving(out) as server:
        server.process.send_signal(number)
        assert server.process.wait(WAIT_S) == status


def test_it_ends_while_a_finding_runs(out: Path) -> None:
    with serving(out) as server:
        me = psutil.Process(server.process.pid)
        port, _, token = server.url.rpartition(":")[2].partition("/?token=")
        cookie = f"vblkfuzz-{port}={token}"
        with socket.create_connection(("127.0.0.1", int(port)), WAIT_S) as asking:
            request = f"GET /findings/{SIGNATURE} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n"
            asking.sendall(request.encode())
            until(me.children)
            children = me.children(recursive=True)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(WAIT_S) == 72
        until(lambda: not any(one.is_running() for one in children))


def test_a_port_that_is_taken(out: Path) -> None:
    with serving(out) as first:
        port = first.address.rpartition(":")[2]
        with serving(out, "--port", port) as second:
            assert second.process.wait(WAIT_S) == 2
            assert second.process.stderr is not None
            (line,) = second.process.stderr.read().splitlines()
            assert f"127.0.0.1, port {port}: cannot be listened on" in line
