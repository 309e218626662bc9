"""What the machine does while a long training goes on: MLflow's system metrics."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.tracking.store import Run

if TYPE_CHECKING:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

LONG_SECONDS = 60.0
# A server that is gone must not hold up the end of a training.
SECONDS_TO_END = 5.0

# It says at length that a run is over, or a server away: both are said elsewhere, or no matter.
logging.getLogger("mlflow.system_metrics").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def system_metrics(run: Run, after: float = LONG_SECONDS) -> Iterator[None]:
    """Log MLflow's system metrics of this machine while the block runs, once it has run for `after` seconds."""
    begun: list[SystemMetricsMonitor] = []
    start = threading.Timer(after, lambda: begun.append(_started(run)))
    start.daemon = True
    start.start()
    try:
        yield
    finally:
        start.cancel()
        end = threading.Thread(target=_end, args=(start, begun), daemon=True, name="system-metrics-end")
        end.start()
        end.join(SECONDS_TO_END)


def _started(run: Run) -> "SystemMetricsMonitor":
    # Importing it takes a second or two, which a short training need not wait for.
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor = SystemMetricsMonitor(run.id)
    monitor.start()
    return monitor


def _end(start: threading.Timer, begun: list["SystemMetricsMonitor"]) -> None:
    start.join()
    for monitor in begun:
        monitor.finish()
