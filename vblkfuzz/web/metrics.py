"""Figures of a campaign for a monitoring system (Prometheus, OpenMetrics), on loopback.

The campaign notes its figures as often as it shows them; who asks gets those noted last. The format
follows from what the asker accepts (prometheus_client).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

    from vblkfuzz.store.summary import Summary

_LOOPBACK: Final = "127.0.0.1"


class Metrics:
    """Serves the figures; a context manager that leaves no thread and no socket behind."""

    def __init__(self, port: int) -> None:
        """Listen.

        Args:
            port: on loopback.

        Raises:
            UsageError: it is taken, or not allowed.
        """
        self._noted: tuple[Metric, ...] = ()
        registry = CollectorRegistry()
        registry.register(self)
        try:
            self._server, self._thread = start_http_server(port, _LOOPBACK, registry)
        except OSError as error:
            raise UsageError(
                f"--metrics-port {port}: {error.strerror or error}: choose another port"
            ) from None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def note(self, summary: Summary) -> None:
        """Keep the figures of now: the campaign goes on while somebody reads them."""
        self._noted = (*_counters(summary), *_gauges(summary))

    def collect(self) -> Iterable[Metric]:
        """Return the figures that were noted last; a registry calls it for each who asks."""
        return self._noted


def _counters(summary: Summary) -> Iterator[Metric]:
    for name, what, value in (
        ("executions", "Executions of all workers.", summary.execs),
        ("violations", "Executions with a violation, known ones included.", summary.violations),
        ("harness_errors", "Executions without a verdict.", summary.harness_errors),
        ("worker_restarts", "Workers that were started again.", summary.restarts),
    ):
        yield CounterMetricFamily(f"vblkfuzz_{name}", what, value)
    seen = CounterMetricFamily(
        "vblkfuzz_finding_executions", "Executions that showed a finding.", labels=["signature"]
    )
    for signature, times in sorted(summary.seen.items()):
        seen.add_metric([signature], times)
    yield seen


def _gauges(summary: Summary) -> Iterator[Metric]:
    for name, what, value in (
        ("executions_per_second", "In the last seconds.", summary.execs_per_s_now),
        ("campaign_seconds", "Seconds since the start.", summary.seconds),
        ("features", "Features that inputs have shown.", summary.features),
        ("corpus_inputs", "Inputs in the corpus.", summary.corpus),
        ("findings", "Findings of this campaign that are new.", len(summary.findings)),
        ("findings_saved", "Findings in the output folder.", summary.saved),
    ):
        yield GaugeMetricFamily(f"vblkfuzz_{name}", what, value)
    workers = GaugeMetricFamily("vblkfuzz_workers", "Workers by state.", labels=["state"])
    workers.add_metric(["running"], summary.alive)
    workers.add_metric(["waiting"], summary.waiting)
    yield workers
    met = sum(summary.situations.values())
    situations = GaugeMetricFamily("vblkfuzz_situations", "Situations of rules.", labels=["state"])
    situations.add_metric(["met"], met)
    situations.add_metric(["never"], len(summary.situations) - met)
    yield situations
