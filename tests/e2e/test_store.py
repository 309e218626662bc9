"""A tracking store that is not there."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.tracking.checking import check_store

ROOT = Path(__file__).parents[2]


def test_a_server_that_does_not_answer_is_said_within_a_quarter_of_a_minute(here, environment):
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "train", "--epochs", "1"],
        cwd=ROOT,
        env=environment | {"MLFLOW_TRACKING_URI": "http://user:secret@127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert time.monotonic() - started < 30  # it is a loaded machine that starts Python and MLflow
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no tracking server answers at http://user:***@127.0.0.1:9" in done.stderr


def test_a_folder_is_no_store_any_more(here, monkeypatch, tmp_path):
    for uri in (str(tmp_path), f"file:{tmp_path}", f"file://{tmp_path}"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(UserError, match=rf"is a folder.*sqlite:///{tmp_path}/mlflow.db"):
            check_store()
