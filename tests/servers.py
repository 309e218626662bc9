"""A tracking server of MLflow's that tests start, stop and hang."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from processes import wait_for


class TrackingServer:
    """`mlflow server` in `folder`, on a port of its own."""

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
        command = [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--workers",
            "1",
            "--port",
            str(self._port),
            "--backend-store-uri",
            store,
        ]
        nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # What runs its background jobs takes as long to start as the server.
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        self._process = subprocess.Popen(command, cwd=self._folder, env=environment, start_new_session=True, **nowhere)
        wait_for(self.answers)

    def answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.address}/health", timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """Kill it: connections to it are refused from here on."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Stop it: it takes connections, and answers none."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it answer again, whatever had been done to it."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGCONT)
            wait_for(self.answers)
        else:
            self.start()
