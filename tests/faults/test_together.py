"""Several processes at once, on one work folder and one store."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
OPTIONS = {"model": "two-layer-numpy", "image_size": "16", "batch_size": "8", "epochs": "3"}
# The first two are the very same training.
SEEDS = (0, 0, 1, 2, 3, 4)


def test_six_trainings_at_once_prepare_their_data_once_and_lose_nothing(image_folder, here, environment, runs):
    def start(seed):
        words = [f"--{name}={value}" for name, value in {"data": image_folder, "seed": seed, **OPTIONS}.items()]
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", "train", *words],
            cwd=here,
            env=environment | {"PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    ended = [(process, *process.communicate(timeout=900)) for process in [start(seed) for seed in SEEDS]]
    assert [process.returncode for process, _, _ in ended] == [0] * 6, [errors for _, _, errors in ended]
    found = runs()
    assert {run.info.status for run in found} == {"FINISHED"}
    trained = [run for run in found if run.data.tags["stage"] == "train"]
    assert sorted(int(run.data.params["seed"]) for run in trained) == sorted(SEEDS)
    assert all(run.outputs.model_outputs for run in trained)
    (same, twin) = (run.data.metrics for run in trained if run.data.params["seed"] == "0")
    assert all(same[name] == twin[name] for name in ("train_loss", "val_loss", "val_accuracy", "best_epoch"))
    prepared = [path.name for path in (here / "workdir" / "prepared").iterdir() if path.name != "index"]
    assert prepared == [trained[0].data.tags["data_digest"]]
    assert not list((here / "workdir" / "runs").glob("*/checkpoint-*"))
