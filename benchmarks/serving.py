"""How a served model stands 8 clients for 30 seconds, beside the bare model in the same run.

    python -m benchmarks.serving --model_uri URI --image FILE --output FOLDER

Starts `mlflow models serve` for the model, has each client ask for one image after the other, and counts answers,
errors and times. The bare model then answers for the same image in a loop, in a process that does nothing else. Leaves
serving.json in the output folder; nothing else should run beside it.
"""

import argparse
import base64
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import mlflow
import numpy as np
import psutil
import requests

from benchmarks.shared import part, provenance

CLIENTS, SECONDS, START_SECONDS = 8, 30.0, 180.0


def main() -> None:
    """Measure, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model_uri", required=True)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    asked = parser.parse_args()
    found = part(asked.output / "serving.json", lambda: _measured(asked.model_uri, asked.image, asked.seconds))
    for name, value in found.items():
        print(f"{name}: {value}")


def _measured(uri: str, image: Path, seconds: float) -> dict:
    content = image.read_bytes()
    served = _served(uri, content, seconds)
    bare = _bare(uri, content, seconds)
    return {
        **provenance(),
        **served,
        **bare,
        "served_of_bare": served["images_a_second"] / bare["bare_images_a_second"],
    }


def _served(uri: str, content: bytes, seconds: float) -> dict:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = ["mlflow", "models", "serve", "-m", uri, "--env-manager", "local", "--port", str(port)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(command, env=os.environ | {"PATH": path}, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/ping")
        return _asked(f"{address}/invocations", {"inputs": [base64.b64encode(content).decode()]}, seconds)
    finally:
        for each in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            each.kill()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.5)
    raise TimeoutError("the server does not answer")


def _asked(address: str, body: dict, seconds: float) -> dict:
    times: list[float] = []
    errors: list[str] = []
    requests.post(address, json=body, timeout=60).raise_for_status()
    deadline = time.monotonic() + seconds

    def client() -> None:
        with requests.Session() as session:
            while time.monotonic() < deadline:
                start = time.perf_counter()
                reply = session.post(address, json=body, timeout=60)
                times.append(time.perf_counter() - start)
                if not reply.ok:
                    errors.append(reply.text)

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    low, high = np.percentile(times, [50, 99]) * 1000
    return {
        "clients": CLIENTS,
        "seconds": seconds,
        "answers": len(times),
        "errors": len(errors),
        "images_a_second": len(times) / seconds,
        "p50_ms": float(low),
        "p99_ms": float(high),
    }


def _bare(uri: str, content: bytes, seconds: float) -> dict:
    model = mlflow.pyfunc.load_model(uri)
    model.predict(content)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        model.predict(content)
        count += 1
    return {"bare_images_a_second": count / (time.perf_counter() - start)}


if __name__ == "__main__":
    main()
