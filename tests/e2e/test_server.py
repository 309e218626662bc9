"""A tracking server that is not there for a while."""

import socket
import subprocess

from mlflow.tracking import MlflowClient

from pipeline.tracking import EpochSender, Run


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_epochs_that_a_server_did_not_take_arrive_later_once_and_with_their_own_time(here, environment, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    store = MlflowClient()
    run_id = store.create_run("0").info.run_id
    port = free_port()
    sender = EpochSender(Run(run_id, "0", MlflowClient(f"http://127.0.0.1:{port}")))
    for epoch in (1, 2, 3):
        sender.send({"val_accuracy": epoch / 10}, epoch, timestamp=1_000 * epoch)

    command = ["mlflow", "server", "--port", str(port), "--backend-store-uri", f"sqlite:///{here / 'mlflow.db'}"]
    with subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            sender.close()
        finally:
            server.terminate()
    history = store.get_metric_history(run_id, "val_accuracy")
    assert [(metric.step, metric.value, metric.timestamp) for metric in history] == [
        (1, 0.1, 1_000),
        (2, 0.2, 2_000),
        (3, 0.3, 3_000),
    ]
