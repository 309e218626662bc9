"""What the machine does while a long training goes on: MLflow's system metrics."""

import contextlib
import logging
import threading
from collections.abc import Iterator

from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from pipeline.tracking.store import Run

LONG_SECONDS = 60.0
# A server that is gone must not hold up the end of a training.
SECONDS_TO_END = 5.0

# It says at length that a run is over, or a server away: both are said elsewhere, or no matter.
logging.getLogger("mlflow.system_metrics").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def system_metrics(run: Run, after: float = LONG_SECONDS) -> Iterator[None]:
    """Log MLflow's system metrics of this machine while the block runs, once it has run for `after` seconds."""
    monitor = SystemMetricsMonitor(run.id)
    start = threading.Timer(after, monitor.start)
    start.daemon = True
    start.start()
    try:
        yield
    finally:
        start.cancel()
        start.join()
        end = threading.Thread(target=monitor.finish, daemon=True, name="system-metrics-end")
        end.start()
        end.join(SECONDS_TO_END)
