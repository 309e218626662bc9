"""A tracking server of MLflow's that can be made to go away. Tests use it too."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SECONDS_TO_START = 300


class TrackingServer:
    """`mlflow server` with a store and a log in `folder`, on a port of its own."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._process: subprocess.Popen | None = None
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self._port = listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, or start it again, and wait until it answers."""
        store = f"sqlite:///{self._folder / 'server.db'}"
        options = ["--workers", "1", "--port", str(self._port), "--backend-store-uri", store]
        # What runs its background jobs takes as long to start as the server.
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        with (self._folder / "server.txt").open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *options],
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.answers():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.address} did not answer within {SECONDS_TO_START} s")
            time.sleep(0.2)

    def answers(self) -> bool:
        """Whether it answers now."""
        try:
            urllib.request.urlopen(f"{self.address}/health", timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """Kill it: connections to it are refused from here on."""
        if self._process:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Stop it: it takes connections, and answers none."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it answer again, whatever had been done to it."""
        if self._process:
            self._signal(signal.SIGCONT)
            self._wait()
        else:
            self.start()

    def _signal(self, number: int) -> None:
        assert self._process
        os.killpg(self._process.pid, number)
