"""python -m pipeline.open_ui: start MLflow's UI on this project's runs, and show the page in a browser."""

import os
import sys
import threading
import webbrowser

from pipeline import tracking

SECONDS_TO_START = 4.0


def main() -> None:
    """Print the address of the runs, open it once the server is up, and become the server."""
    address = tracking.experiment_address()
    print(f"runs are listed at\n  {address}", flush=True)
    command = tracking.ui_command()
    if command is None:
        webbrowser.open(address)
        return
    if os.fork() == 0:
        threading.Event().wait(SECONDS_TO_START)
        webbrowser.open(address)
        sys.exit()
    os.execvp("mlflow", command.split())


if __name__ == "__main__":
    main()
