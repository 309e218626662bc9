"""What tests do with processes that are not theirs."""

import subprocess
import time
from collections.abc import Callable

import psutil


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    """Wait until `condition` holds; fail if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError("waited in vain")


def kill_all(process: subprocess.Popen) -> None:
    """Kill -9 a process and all that it started."""
    family = psutil.Process(process.pid)
    for each in [*family.children(recursive=True), family]:
        each.kill()
    process.wait(timeout=60)
