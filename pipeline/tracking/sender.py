"""What is on its way to MLflow while a training goes on."""

import queue
import sys
import threading
import time
from collections.abc import Callable

from pipeline.errors import first_line
from pipeline.tracking import server

RETRY_SECONDS = (0.5, 2.0, 5.0)
# A server that answers has taken what was left within this time.
SOON_SECONDS = 2.0


class Sender:
    """Makes calls of MLflow in a thread of its own, in order, so that a training never waits for a server.

    A call that fails is made again until it succeeds: it has to be one that may be made twice.
    """

    def __init__(self) -> None:
        # A signal that interrupts the main thread over a Queue's put can leave it deaf to the next one.
        self._waiting: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._reason = "no answer yet"
        self._thread = threading.Thread(target=self._send_all, daemon=True, name="sender")
        self._thread.start()

    def send(self, call: Callable[[], object]) -> None:
        """Make a call soon."""
        self._waiting.put(call)

    def close(self) -> bool:
        """Wait until all calls are made, or as long as `server.patience` says; returns whether they are."""
        self._closing.set()
        self._waiting.put(None)
        self._thread.join(SOON_SECONDS)
        if self._thread.is_alive():
            server.say_waiting(f"it has not taken all that was trained ({self._reason})")
            self._thread.join(server.patience())
        if self._thread.is_alive():
            server.give_up(self._reason)
        return not self._thread.is_alive()

    def _send_all(self) -> None:
        while (call := self._waiting.get()) is not None:
            attempt = 0
            while not self._made(call):
                # A thread that nobody waits for any more ends with the process.
                self._closing.wait(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                if self._closing.is_set():
                    time.sleep(RETRY_SECONDS[0])
                attempt += 1

    def _made(self, call: Callable[[], object]) -> bool:
        try:
            call()
        except Exception as error:  # whatever a server or a network can answer with
            self._reason = first_line(error)
            if self._closing.is_set() and not server.is_away(error):
                print(f"MLflow did not take a part of the history: {self._reason}", file=sys.stderr)
                return True
            return False
        return True
