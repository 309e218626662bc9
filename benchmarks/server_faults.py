"""What a tracking server that goes away costs a training or a search.

    python -m benchmarks.server_faults --output FOLDER
    python -m benchmarks.server_faults --output FOLDER --only search killed

Starts `mlflow server`, trains a small network with it, and takes the server away: killed (connections are refused),
hung (SIGSTOP: it takes connections and answers none), or refusing (it answers 503, as a proxy does whose server is
gone); before the training, in its midst, or while the model is logged; for a while, or until the command has ended.
Where that failed, the server comes back and the same command is given again. Each case is a part that leaves a JSON
file in the output folder; a part that is there is not repeated. The images are made here.
"""

import argparse
import functools
import itertools
import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.search_faults import write_images
from benchmarks.shared import part, provenance
from benchmarks.tracking_server import TrackingServer
from pipeline.search.trial_fit import MODELS_KEPT

ROOT = Path(__file__).parents[1]
EPOCHS = 60
SMALL = {"model": "two-layer-numpy", "image_size": 16, "width": 16, "batch_size": 1, "epochs": EPOCHS}
SEARCH = {"final_image_size": 16, "final_epochs": 2, "pruner": "none", "study": "faults", "trials": 4, "workers": 2}
LOGGED_EPOCHS = {"train": [EPOCHS], "search": [EPOCHS, EPOCHS, EPOCHS, EPOCHS, SEARCH["final_epochs"]]}
# Of a search, those of its best trials and of the training at its end.
LOGGED_MODELS = {"train": 1, "search": MODELS_KEPT + 1}
HOW = ("killed", "hung", "refusing")
START, MIDST, MODEL = "before", "in the midst", "while the model is logged"
FOR_GOOD = "for good"
SECONDS_AWAY = {START: 8, MIDST: 20, MODEL: 60}
LOOK_EVERY_SECONDS = 0.002


def main() -> None:
    """Run the cases that are missing, and print what all came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and their stores")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="the cases with all of these words")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    cases = [("train", "never", START, ""), *itertools.product(["train"], HOW, [START, MIDST, MODEL], ["", FOR_GOOD])]
    cases += itertools.product(["search"], HOW, [MIDST], ["", FOR_GOOD])
    header = "stage|server|gone|back|exit codes|end waited|longest pause|epochs lost|doubled|models missing|RUNNING"
    print(f"|{header}|\n|{'---|' * len(header.split('|'))}")
    for case in cases:
        if set(arguments.only) <= set(case):
            folder = output / "-".join(filter(None, case)).replace(" ", "_")
            make = functools.partial(_case, folder, *case)
            print(_row(part(folder.with_name(f"{folder.name}.json"), make)), flush=True)


def _row(done: dict) -> str:
    back = done["back"] or f"after {SECONDS_AWAY[done['moment']]} s"
    told = [done["stage"], done["how"], *(("", "") if done["how"] == "never" else (done["moment"], back))]
    codes = ", ".join(map(str, done["exit_codes"]))
    is_said = done["moment"] == START and not done["back"]
    waited = "" if is_said else f"{done['end_waited_seconds']:.0f} s"
    measured = [codes, waited, f"{1000 * done['longest_pause_seconds']:.0f} ms"]
    counts = [f"{done[name]}" for name in ("epochs_lost", "epochs_doubled", "models_missing", "left_running")]
    return f"| {' | '.join(told + measured + counts)} |"


def _case(folder: Path, stage: str, how: str, moment: str, back: str) -> dict:
    """Take the server away once, and see what is left when all is over."""
    shutil.rmtree(folder, ignore_errors=True)
    write_images(folder / "colours")
    server = _Server(folder)
    server.start()
    try:
        if moment == START:
            server.go(how)
        began = time.time()
        process = _begin(stage, folder, server)
        if moment != START:
            _wait_for(_has_come(moment, folder), process)
            server.go(how)
        if back != FOR_GOOD:
            time.sleep(SECONDS_AWAY[moment] if how != "never" else 0)
            server.come_back()
        codes = [process.wait()]
        waited = time.time() - (_last_epoch(folder) if moment != START else began)
        server.come_back()
        if codes[0]:
            codes.append(_begin(stage, folder, server).wait())
        return {
            **provenance(),
            **{"stage": stage, "how": how, "moment": moment, "back": back, "exit_codes": codes},
            "end_waited_seconds": waited,
            "longest_pause_seconds": _longest_pause(folder),
            **_left(server, stage),
        }
    finally:
        server.come_back()
        server.kill()


def _begin(stage: str, folder: Path, server: "_Server") -> subprocess.Popen:
    options = SMALL | {"data": folder / "colours"} | (SEARCH if stage == "search" else {})
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    environment = os.environ | {
        "PIPELINE_WORKDIR": str(folder / "workdir"),
        "MLFLOW_TRACKING_URI": server.address,
        "PYTHONPATH": str(ROOT),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        command = [sys.executable, "-m", "pipeline", stage, *words]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def _has_come(moment: str, folder: Path) -> Callable[[], bool]:
    """Whether the moment has come: five epochs are trained, or a network is written that is logged next."""
    if moment == MODEL:
        return lambda: any(folder.glob("workdir/runs/*/network.*"))
    return lambda: any(len(epochs) >= 5 for epochs in _histories(folder))


def _wait_for(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    while not condition():
        if process.poll() is not None:
            raise RuntimeError("the command ended before its moment had come")
        time.sleep(LOOK_EVERY_SECONDS)


def _histories(folder: Path) -> list[list[dict]]:
    files = folder.glob("workdir/runs/*/history.jsonl")
    return [
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines(True) if line.endswith("\n")]
        for path in files
    ]


def _last_epoch(folder: Path) -> float:
    """When the last epoch ended that is trained so far."""
    return max(epochs[-1]["time"] for epochs in _histories(folder) if epochs) / 1000


def _longest_pause(folder: Path) -> float:
    """The longest time between two epochs that was neither training nor validation, over all trainings."""
    pauses = [0.0]
    for epochs in _histories(folder):
        for before, after in itertools.pairwise(epochs):
            spent = after["epoch_seconds"] + after["compile_seconds"] + after["val_seconds"]
            pauses.append((after["time"] - before["time"]) / 1000 - spent)
    return max(pauses)


def _left(server: "_Server", stage: str) -> dict:
    """What MLflow has when all is over: of each training the run that is FINISHED."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(server.address)
    runs = client.search_runs(["0"], max_results=1000)
    trained = [
        run for run in runs if run.data.tags.get("stage") in ("train", "trial") and run.info.status == "FINISHED"
    ]
    steps = [sorted(point.step for point in client.get_metric_history(run.info.run_id, "val_loss")) for run in trained]
    wanted = sum(LOGGED_EPOCHS[stage])
    models = [model.status for model in client.search_logged_models(["0"], max_results=100)]
    return {
        "epochs_lost": wanted - sum(len(set(each)) for each in steps),
        "epochs_doubled": sum(len(each) - len(set(each)) for each in steps),
        "models_missing": LOGGED_MODELS[stage] - models.count("READY"),
        "models_half": len(models) - models.count("READY"),
        "left_running": sum(run.info.status == "RUNNING" for run in runs),
    }


class _Server(TrackingServer):
    """A server that can also be replaced by one that refuses."""

    _refusing: "_Refusing | None" = None

    def go(self, how: str) -> None:
        """Go away. how: one of HOW, or never."""
        if how == "hung":
            self.hang()
        elif how != "never":
            self.kill()
        if how == "refusing":
            self._refusing = self._refuse()
            threading.Thread(target=self._refusing.serve_forever, daemon=True).start()

    def _refuse(self) -> "_Refusing":
        while True:
            try:
                return _Refusing(("127.0.0.1", self._port), _Refusal)
            except OSError:  # the last process of the server is still going away
                time.sleep(0.1)

    def come_back(self) -> None:
        """Answer again."""
        if self._refusing:
            self._refusing.shutdown()
            self._refusing.server_close()
            self._refusing = None
        self.go_on()


class _Refusal(socketserver.StreamRequestHandler):
    """Answers 503 to everything."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class _Refusing(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    main()
