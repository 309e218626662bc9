"""python -m pipeline.open_ui: start MLflow's UI on this project's runs, and show the page in a browser."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser

from pipeline import make_store, tracking
from pipeline.errors import EXIT_USER_ERROR

SECONDS_TO_START = 60
# Whatever MLFLOW_HOST says: whoever reaches the UI can change and delete runs.
LOOPBACK = "127.0.0.1"


def main() -> int:
    """Print the address of the runs, and serve them until Ctrl-C; returns the exit code."""
    # Otherwise MLflow would make it, perhaps while a training does.
    if code := make_store.main():
        return code
    address = tracking.experiment_address()
    command = tracking.ui_command()
    if command and is_taken(tracking.UI_PORT):
        print(
            f"error: port {tracking.UI_PORT} of this machine is taken, perhaps by another mlflow ui; end that, or type "
            f"{command} --port {tracking.UI_PORT + 1}",
            file=sys.stderr,
        )
        return EXIT_USER_ERROR
    print(f"the runs are listed at\n  {address}", flush=True)
    if command is None:
        _show(address)
        return 0
    serve = ["mlflow", "ui", "--host", LOOPBACK, "--port", str(tracking.UI_PORT)]
    with subprocess.Popen(serve, env=os.environ | tracking.ui_environment()) as server:
        try:
            if _answers(address, server):
                _show(address)
            return server.wait()
        except KeyboardInterrupt:
            return server.wait()


def is_taken(port: int) -> bool:
    """Whether another program listens on a port of this machine."""
    with socket.socket() as asked:
        return asked.connect_ex((LOOPBACK, port)) == 0


def _answers(address: str, server: subprocess.Popen) -> bool:
    """Whether the server came up."""
    deadline = time.monotonic() + SECONDS_TO_START
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address.split("#", maxsplit=1)[0], timeout=1).close()
            return True
        except OSError:
            time.sleep(0.5)
    return False


def _show(address: str) -> None:
    """Open the page, unless only a browser in this terminal could."""
    if sys.platform in ("darwin", "win32") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ:
        webbrowser.open(address)


if __name__ == "__main__":
    sys.exit(main())
