"""A tracking store that is not there, is no store, or is made by several processes at once."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from own_place import settle_in
from processes import wait_for

from pipeline.errors import UserError
from pipeline.tracking.checking import check_store

ROOT = Path(__file__).parents[2]
# What each stage does first; and what MLflow does by itself.
OURS = [sys.executable, "-m", "pipeline.make_store"]
MLFLOWS = [sys.executable, "-c", "from mlflow import MlflowClient; MlflowClient().search_experiments()"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A place of one's own in which there is no store yet."""
    return settle_in(tmp_path / "here", monkeypatch)


def test_a_server_that_does_not_answer_is_said_within_a_quarter_of_a_minute(here, environment):
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "train", "--epochs", "1", "--model", "two-layer-numpy"],
        cwd=here,
        env=environment | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": "http://user:secret@127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert time.monotonic() - started < 30  # it is a loaded machine that starts Python and MLflow
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no tracking server answers at http://user:***@127.0.0.1:9" in done.stderr
    assert not done.stdout
    assert not list(here.rglob("*"))


def test_a_folder_is_no_store_any_more(here, monkeypatch, tmp_path):
    for uri in (str(tmp_path), f"file:{tmp_path}", f"file://{tmp_path}"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(UserError, match=rf"is a folder.*sqlite:///{tmp_path}/mlflow.db"):
            check_store()


@pytest.fixture
def begin(here, environment):
    """Start a command that opens the store, in `here`."""
    started = []

    def call(command):
        keywords = {"cwd": here, "env": environment | {"PYTHONPATH": str(ROOT)}, "text": True}
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **keywords))
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.communicate()


def end(process):
    """Wait for a process; returns what it said if it failed."""
    said = process.communicate(timeout=120)[1]
    return said if process.returncode else ""


def has_tables(path):
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0


def test_processes_that_make_a_store_at_once_do_not_break_it(begin, here):
    assert [end(process) for process in [begin(OURS) for _ in range(3)]] == [""] * 3
    assert [path.name for path in here.iterdir()] == ["mlflow.db"]
    check_store()


def test_a_store_that_mlflow_is_making_is_waited_for(begin, here):
    first = begin(MLFLOWS)
    wait_for(lambda: has_tables(here / "mlflow.db"))
    others = [begin(OURS) for _ in range(2)]
    assert [end(process) for process in [first, *others]] == [""] * 3
    check_store()


def test_a_killed_maker_leaves_no_half_store(begin, here, environment, tmp_path):
    for made in (Path.exists, has_tables):
        elsewhere = tmp_path / made.__name__  # where it makes the store before that is put in its place
        elsewhere.mkdir()
        environment["TMPDIR"] = str(elsewhere)
        process = begin(OURS)
        wait_for(lambda made=made, elsewhere=elsewhere: any(made(path) for path in elsewhere.glob("*/mlflow.db")))
        process.kill()
        process.wait()
        assert not list(here.iterdir())
    assert end(begin(OURS)) == ""
    check_store()


@pytest.mark.slow
def test_a_store_that_mlflow_was_killed_over_is_said(begin, here):
    process = begin(MLFLOWS)
    wait_for(lambda: has_tables(here / "mlflow.db"))
    process.kill()
    process.wait()
    stages = [[sys.executable, "-m", *words] for words in (["pipeline", "train"], ["pipeline.open_ui"])]
    for refused in [begin(command) for command in (OURS, *stages)]:
        said = refused.communicate(timeout=120)[1]
        assert refused.returncode == 2
        assert f"error: {here / 'mlflow.db'} is a store that MLflow began to make" in said
        assert "delete it and start again" in said
    (here / "mlflow.db").unlink()
    assert end(begin(OURS)) == ""
