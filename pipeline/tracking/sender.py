"""Epochs' metrics on their way to MLflow."""

import queue
import sys
import threading
import time
from collections.abc import Mapping

from pipeline.errors import first_line
from pipeline.tracking.store import Run

SEND_RETRY_SECONDS = (0.5, 2.0, 5.0)

SEND_GIVE_UP_SECONDS = 60.0


class EpochSender:
    """Sends epochs' metrics to MLflow from a thread of its own, in order, so that training never waits for a server.

    An epoch that the server does not take is sent again, with its own time stamp (MLflow stores the same key, step,
    value and time once).
    """

    def __init__(self, run: Run):
        self._run = run
        self._waiting: queue.Queue = queue.Queue()
        self._closing = threading.Event()
        self._gave_up = False
        self._thread = threading.Thread(target=self._send_all, daemon=True, name="metrics")
        self._thread.start()

    def send(self, metrics: Mapping[str, float], epoch: int, timestamp: int) -> None:
        """Send the metrics of an epoch soon."""
        self._waiting.put((metrics, epoch, timestamp))

    def close(self) -> None:
        """Wait until all is sent, or the server has been silent for a minute."""
        self._closing.set()
        self._waiting.put(None)
        self._thread.join()

    def _send_all(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._gave_up |= not self._sent(*item)

    def _sent(self, metrics: Mapping[str, float], epoch: int, timestamp: int) -> bool:
        closing_since = None
        attempt = 0
        while True:
            try:
                self._run.log_metrics(metrics, step=epoch, timestamp=timestamp)
                return True
            except Exception as error:  # whatever a server or a network can answer with
                if self._closing.is_set():
                    closing_since = closing_since or time.monotonic()
                    if self._gave_up or time.monotonic() - closing_since > SEND_GIVE_UP_SECONDS:
                        print(f"epoch {epoch} did not reach MLflow: {first_line(error)}", file=sys.stderr)
                        return False
            time.sleep(SEND_RETRY_SECONDS[min(attempt, len(SEND_RETRY_SECONDS) - 1)])
            attempt += 1
