"""A study in a PostgreSQL server: Debian's package, started here on a socket of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import optuna
import pytest

OPTIONS = [
    "model=two-layer-numpy",
    "image_size=16",
    "final_image_size=16",
    "batch_size=8",
    "epochs=2",
    "final_epochs=2",
]


def program(name):
    found = shutil.which(name) or next(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)
    if found is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    return found


def as_owner(folder, *command):
    """The command as a user that may run a server, which root may not."""
    if os.getuid() != 0:
        return list(command)
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--", *command]


@pytest.fixture
def address(tmp_path_factory):
    """The address of an empty database."""
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    initialise = as_owner(folder, program("initdb"), "-D", str(folder / "data"), "-U", "me", "-A", "trust")
    subprocess.run(initialise, check=True, capture_output=True, cwd=folder)
    control = [program("pg_ctl"), "-D", str(folder / "data"), "-l", str(folder / "log"), "-w"]
    options = f"-k {folder} -c listen_addresses=''"
    subprocess.run(as_owner(folder, *control, "-o", options, "start"), check=True, capture_output=True, cwd=folder)
    yield f"postgresql://me:secret@/postgres?host={folder}"
    subprocess.run(as_owner(folder, *control, "-m", "immediate", "stop"), check=True, capture_output=True, cwd=folder)
    shutil.rmtree(folder)


def test_a_study_in_postgresql_is_searched_and_continued(address, image_folder, here, environment, mlflow_run, runs):
    environment["OPTUNA_STORAGE"] = address
    options = [f"data={image_folder}", "workers=2", "study=served", *OPTIONS]
    for trials in (2, 4):
        done = mlflow_run("search", *options, f"trials={trials}")
        assert done.returncode == 0, done.stderr
    study = optuna.load_study(study_name="served", storage=address)
    assert [trial.state.is_finished() for trial in study.trials] == [True] * 4
    assert not (here / "workdir" / "optuna.db").exists()
    newest = next(run for run in runs() if run.data.tags["stage"] == "search")
    trials = [run for run in runs() if run.data.tags["stage"] == "trial"]
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {newest.info.run_id}
    assert "secret" not in str(newest.to_dictionary())


def test_a_server_that_is_not_there_is_said_in_one_sentence(image_folder, mlflow_run):
    done = mlflow_run("search", f"data={image_folder}", "storage=postgresql://me:secret@127.0.0.1:1/none", *OPTIONS)
    assert done.returncode != 0
    assert "error: --storage postgresql://me:***@127.0.0.1:1/none cannot be opened" in done.stderr
    assert "Traceback" not in done.stderr
