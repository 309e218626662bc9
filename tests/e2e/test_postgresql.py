"""A study in a PostgreSQL server, which goes away and comes back, and whose password nobody is told."""

import subprocess
import time

import optuna
import psutil
import pytest
from postgresql import running_server
from processes import wait_for

from pipeline.__main__ import main
from pipeline.errors import UserError
from pipeline.tracking.checking import check_store

OPTIONS = [
    "model=two-layer-numpy",
    "image_size=16",
    "final_image_size=16",
    "batch_size=8",
    "retrain=0",
]
PASSWORD = "open%24esame-7"
DECODED = "open$esame-7"


@pytest.fixture(scope="module")
def server():
    with running_server() as started:
        yield started


def of_stage(runs, stage):
    return [run for run in runs() if run.data.tags.get("stage") == stage]


def check_secret(here, *texts):
    """The password is in none of the texts, and in no file of the current folder."""
    for text in texts:
        assert PASSWORD not in text
        assert DECODED not in text
    for path in here.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert PASSWORD.encode() not in content, path
            assert DECODED.encode() not in content, path


def test_a_study_is_searched_and_continued_and_nobody_is_told_the_password(
    server, image_folder, here, environment, mlflow_command, runs
):
    environment["OPTUNA_STORAGE"] = server.address(PASSWORD)
    said, command_lines = [], set()
    for trials in (2, 4):
        options = [f"data={image_folder}", "workers=2", "study=served", "epochs=2", f"trials={trials}", *OPTIONS]
        command, keywords = mlflow_command("search", *options)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **keywords) as process:
            wait_for(lambda: process.poll() is not None or len(of_stage(runs, "trial")) >= trials - 1, 240)  # noqa: B023
            family = psutil.Process(process.pid).children(recursive=True)
            command_lines |= {" ".join(each.cmdline()) for each in family if each.is_running()}
            said.append(process.communicate(timeout=240)[0])
        assert process.returncode == 0, said[-1]
    study = optuna.load_study(study_name="served", storage=server.address())
    assert [trial.state.is_finished() for trial in study.trials] == [True] * 4
    assert not (here / "workdir" / "optuna.db").exists()
    newest = of_stage(runs, "search")[0]
    assert {run.data.tags["mlflow.parentRunId"] for run in of_stage(runs, "trial")} == {newest.info.run_id}
    assert "spawn_main" in str(command_lines)
    check_secret(here, *said, *command_lines)


@pytest.mark.faults
def test_a_server_that_restarts_costs_a_search_no_trial(server, image_folder, here, environment, mlflow_command, runs):
    environment["OPTUNA_STORAGE"] = server.address()
    trials, epochs = 9, 40
    options = [f"data={image_folder}", "workers=3", "study=restarted", "pruner=none", f"epochs={epochs}", *OPTIONS]
    command, keywords = mlflow_command("search", *options, f"trials={trials}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **keywords) as process:
        wait_for(lambda: process.poll() is not None or len(of_stage(runs, "trial")) >= 4, 240)
        server.stop()
        try:
            time.sleep(10)
        finally:
            server.start()
        said = process.communicate(timeout=240)[0]
    assert process.returncode == 0, said
    assert "the study's database is away" in said
    found = optuna.load_study(study_name="restarted", storage=server.address()).trials
    assert [trial.state.name for trial in found] == ["COMPLETE"] * trials, said
    assert {len(trial.intermediate_values) for trial in found} == {epochs}
    trained = sorted(int(run.data.tags["optuna.trial"]) for run in of_stage(runs, "trial"))
    assert trained == list(range(trials))
    assert {run.info.status for run in runs()} == {"FINISHED"}


def test_runs_and_studies_need_a_database_each_and_the_right_to_write(server, monkeypatch):
    server.execute("CREATE DATABASE studies")
    server.execute("CREATE TABLE studies (name text)", "studies")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address(database="studies"))
    with pytest.raises(UserError, match=r"holds the tables of Optuna.*MLflow needs a database of its own"):
        check_store()
    server.execute("CREATE DATABASE runs")
    tables = "CREATE TABLE experiments (name text); GRANT SELECT ON experiments TO reader"
    server.execute(f"CREATE ROLE reader LOGIN; {tables}", "runs")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address(database="runs", user="reader"))
    with pytest.raises(UserError, match=r"cannot be written to \(permission denied.*MLFLOW_TRACKING_URI says where"):
        check_store()


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("OPTUNA_STORAGE", f"postgresql://me:{PASSWORD}@127.0.0.1:1/none"),
        ("OPTUNA_STORAGE", f"postgresql://127.0.0.1:1/none?user=me&password={PASSWORD}"),
        ("OPTUNA_STORAGE", f"postgresql://me:{PASSWORD}@127.0.0.1:noport/none"),
        ("MLFLOW_TRACKING_URI", f"postgresql://me:{PASSWORD}@127.0.0.1:1/none"),
    ],
)
def test_a_server_that_is_not_there_is_said_in_one_sentence_without_its_password(
    image_folder, here, monkeypatch, capfd, name, address
):
    monkeypatch.setenv(name, address)
    options = [word for option in [f"data={image_folder}", "epochs=1", *OPTIONS] for word in f"--{option}".split("=")]
    assert main(["search", *options]) == 2
    printed, said = capfd.readouterr()
    assert "***" in said
    assert "Traceback" not in said
    check_secret(here, printed, said)


def test_an_address_with_a_password_is_refused_where_it_would_be_logged(here, mlflow_run, image_folder):
    done = mlflow_run("search", f"data={image_folder}", f"storage=postgresql://me:{PASSWORD}@127.0.0.1/none", *OPTIONS)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert "OPTUNA_STORAGE" in said[0]
    assert "~/.pgpass" in said[0]
    assert PASSWORD not in said[0]
