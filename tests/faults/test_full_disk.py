"""A disk that fills up: one sentence, nothing damaged, and the same command goes on once there is room."""

import contextlib
import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from processes import wait_for

PROJECT = Path(__file__).parents[2]
TRAINING = {"model": "two-layer-numpy", "image_size": "16", "batch_size": "8", "epochs": "300"}
SAID = "error: no room is left on the disk"


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)]
    if os.getuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk, leaving=0):
    """Take all the room of a disk but for so many bytes."""
    with (disk / "filler").open("ab", buffering=0) as file:
        for size in (2**16, 2**12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC
        file.truncate(max(0, file.tell() - leaving))


def make_room(disk):
    (disk / "filler").unlink()


@pytest.fixture
def start(here, environment, image_folder):
    """Start a stage on the small images, as a process."""

    def begin(stage, **options):
        words = [f"--{name}={value}" for name, value in {"data": image_folder, **options}.items()]
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", stage, *words],
            cwd=here,
            env=environment | {"PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def ended(process):
    """The exit code of a process, what it printed, and the last line of its errors."""
    out, errors = process.communicate(timeout=300)
    assert "Traceback" not in errors, errors
    return process.returncode, out, (errors.strip().splitlines() or [""])[-1]


@pytest.mark.parametrize("leaving", [0, 60_000])
def test_preparing_leaves_nothing_half_and_works_once_there_is_room(small_disk, start, leaving):
    options = {"workdir": small_disk / "workdir", "image_size": "16"}
    fill(small_disk, leaving)
    code, _, said = ended(start("preprocess", **options))
    assert code != 0
    assert "no room" in said
    assert not [path for path in small_disk.glob("workdir/prepared/*") if path.name != "index"]
    make_room(small_disk)
    code, out, _ = ended(start("preprocess", **options))
    assert code == 0
    assert "48 / 6 / 6 images" in out


def test_a_training_whose_checkpoints_find_no_room_goes_on_from_the_last_one_that_did(small_disk, start):
    options = TRAINING | {"workdir": small_disk / "workdir"}
    process = start("train", **options)
    wait_for(lambda: list(small_disk.glob("workdir/runs/*/checkpoint-*.npz")))
    fill(small_disk)
    code, _, said = ended(process)
    assert code != 0
    assert said.startswith(SAID)
    assert not list(small_disk.glob("workdir/runs/*/*.part"))
    make_room(small_disk)
    code, out, _ = ended(start("train", **options))
    assert code == 0
    assert "going on after epoch" in out


def test_a_training_whose_model_finds_no_room_is_logged_by_the_same_command(small_disk, start, here, environment, runs):
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{small_disk / 'mlflow.db'}"
    options = TRAINING | {"epochs": "2"}
    make = [sys.executable, "-c", "import mlflow; mlflow.search_experiments()"]
    subprocess.run(make, cwd=small_disk, env=environment, check=True)
    fill(small_disk, leaving=200_000)
    code, _, said = ended(start("train", **options))
    assert code != 0
    assert said.startswith(SAID)
    make_room(small_disk)
    code, _, said = ended(start("train", **options))
    assert code == 0, said
    client = MlflowClient(environment["MLFLOW_TRACKING_URI"])
    trained = client.search_runs(["0"], "tags.stage = 'train'", order_by=["attributes.start_time DESC"])
    assert trained[0].info.status == "FINISHED"
    assert trained[0].outputs.model_outputs
    assert not [run for run in trained if run.info.status == "RUNNING"]


def test_a_study_whose_database_finds_no_room_goes_on_once_there_is_some(small_disk, start):
    storage = f"sqlite:///{small_disk / 'optuna.db'}"
    options = TRAINING | {"study": "full", "storage": storage, "trials": "3", "retrain": "0", "pruner": "none"}
    process = start("search", **options)
    wait_for(lambda: "RUNNING" in states_of(storage))
    fill(small_disk)
    code, _, said = ended(process)
    assert code != 0
    assert said.startswith(SAID)
    make_room(small_disk)
    code, _, said = ended(start("search", **options))
    assert code == 0, said
    assert states_of(storage).count("COMPLETE") == 3
    assert "RUNNING" not in states_of(storage)


def states_of(storage):
    """The states of the trials of a study; none before its tables are there."""
    file = f"file:{storage.removeprefix('sqlite:///')}?mode=ro"
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(file, uri=True)) as opened:
        return [state for (state,) in opened.execute("SELECT state FROM trials")]
    return []
