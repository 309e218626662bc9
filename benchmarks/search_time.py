"""Where a search's time goes, what a second worker brings, and whether memory grows over trials.

    python -m benchmarks.search_time --data FOLDER --output FOLDER

Each study is a part that leaves a JSON file in the output folder; a part that is there is not repeated. On two cores
all take about 35 minutes; nothing else should run beside them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from benchmarks.shared import part, provenance

ROOT = Path(__file__).parents[1]
REPEATS = 3
# Trials of equal length, so that they can be counted: only the learning rate differs, and none is pruned.
EQUAL_TRIALS = {"space": {"learning_rate": {"low": 0.02, "high": 0.2, "log": True}}, "pruner": "none", "retrain": 0}
STUDIES = {
    "overhead": {"trials": 20, "epochs": 6, "retrain": 0},
    "memory": EQUAL_TRIALS | {"trials": 50, "epochs": 1, "image_size": 16, "input_scale": 1, "width": 16},
} | {
    f"{workers}-workers-{repeat}": EQUAL_TRIALS | {"trials": 6, "epochs": 1, "workers": workers}
    for repeat in range(REPEATS)
    for workers in (1, 2)
}


def main() -> None:
    """Run the studies that are missing, and print what they came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and their stores")
    parser.add_argument("--part", choices=STUDIES, help="run this study alone")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    if arguments.part:
        print(json.dumps(_part(arguments.part, STUDIES[arguments.part], arguments.data, output), indent=1))
        return
    results = {name: _part(name, options, arguments.data, output) for name, options in STUDIES.items()}

    overhead = results["overhead"]
    print(
        f"overhead: {overhead['overhead_fraction']:.1%} of {overhead['search_seconds']:.0f} s, and "
        f"{overhead['compile_seconds'] / overhead['search_seconds']:.1%} for building graphs"
    )
    memory = results["memory"]["memory_mib"][4:]
    print(
        f"memory: {memory[0]:.0f} MiB after trial 5, {min(memory):.0f} to {max(memory):.0f} MiB from there to trial "
        f"{len(memory) + 4}"
    )
    ratios = [
        results[f"1-workers-{repeat}"]["search_seconds"] / results[f"2-workers-{repeat}"]["search_seconds"]
        for repeat in range(REPEATS)
    ]
    print(
        f"two workers on two cores against one on one: {statistics.median(ratios):.2f} times the trials an hour "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


def _part(name: str, options: dict, data: str, output: Path) -> dict:
    return part(output / f"{name}.json", lambda: _search(name, options | {"data": data}, output / name))


def _search(name: str, options: dict, folder: Path) -> dict:
    """Run a study to its end in a store of its own; returns its metrics, and the memory after each trial."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pipeline", "search", "--study", name]
    for option, value in options.items():
        if isinstance(value, dict):
            given = folder / "space.yaml"
            given.write_text(yaml.safe_dump(value), encoding="utf-8")
        else:
            given = value
        command += [f"--{option}", str(given)]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PIPELINE_WORKDIR": str(folder.parent / "workdir"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    if options.get("workers") == 1:
        # One worker held to one core: what the other core then does is wait.
        command = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0))), *command]
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)
    return provenance(command) | _logged(folder)


def _logged(folder: Path) -> dict:
    import mlflow
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    (run,) = MlflowClient().search_runs(["0"], "tags.stage = 'search'")
    trials = pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/tables/trials.csv"))
    return run.data.metrics | {"memory_mib": trials["memory_mib"].tolist()}


if __name__ == "__main__":
    main()
