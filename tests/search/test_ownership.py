import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import optuna
import pytest

from pipeline import process
from pipeline.errors import UserError
from pipeline.search import ownership
from pipeline.search.ownership import OWNER, owned
from pipeline.search.storage import open_storage, sqlite_address

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"host": "elsewhere", "boot": "another", "namespace": "another"}
# What a second search does, in a few seconds.
SEARCH = """
import sys, optuna
from pipeline.errors import UserError
from pipeline.search import ownership
from pipeline.search.storage import open_storage
ownership.SILENT_SECONDS = float(sys.argv[2])
study = optuna.load_study(study_name="a study", storage=open_storage(sys.argv[1]))
try:
    with ownership.owned(study):
        print("owned")
except UserError as error:
    print(error)
"""


@pytest.fixture
def address(tmp_path):
    return sqlite_address(tmp_path / "optuna.db")


@pytest.fixture
def study(address, monkeypatch):
    monkeypatch.setattr(ownership, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(ownership, "SILENT_SECONDS", 1.0)
    return optuna.create_study(storage=open_storage(address), study_name="a study")


def left_by(study, **owner):
    """What an owner that did not end its ownership has left."""
    with owned(study):
        left = study.user_attrs[OWNER] | owner
    study.set_user_attr(OWNER, left)
    return left


def second_search(address, prefix=()):
    """What a search of the same study in another process says."""
    command = [*prefix, sys.executable, "-c", SEARCH, address, "20"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_one_process_at_a_time_hands_out_trials(study):
    left_by(study, **process.identity_of(1))
    with pytest.raises(UserError, match="is being searched by process 1"), owned(study):
        pass


@pytest.mark.parametrize(
    "owner",
    [
        {"process": 2**22 - 1, "started": 1.0},  # no such process
        {"process": 1, "started": 1.0},  # its number went to another one
        ELSEWHERE | {"beat": 7},  # silent
        ELSEWHERE | {"beat": time.time() + 3600},  # silent, and its clock was an hour ahead
    ],
)
def test_an_owner_that_is_no_more_holds_nobody_up(study, owner):
    left = left_by(study, **owner)
    with owned(study):
        assert study.user_attrs[OWNER]["id"] != left["id"]


@pytest.mark.parametrize("wrong_by", [-3600, 0, 3600])
def test_an_owner_elsewhere_lives_while_its_beat_changes_whatever_its_clock_says(study, address, wrong_by):
    left = left_by(study, **ELSEWHERE)
    over = threading.Event()
    beating = optuna.load_study(study_name="a study", storage=open_storage(address))

    def beat():
        while not over.wait(0.3):
            beating.set_user_attr(OWNER, left | {"beat": time.time() + wrong_by})

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(UserError, match="on elsewhere"), owned(study):
            pass
    finally:
        over.set()
        thread.join()


def test_a_search_in_another_container_with_the_same_host_name_is_refused(study, address):
    unshared = ("unshare", "--pid", "--fork", "--mount-proc")
    try:
        subprocess.run([*unshared, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no second process namespace can be had here: {error}")
    with owned(study) as mine:
        said = second_search(address, unshared)
        mine.check()
    assert "cannot be seen from here: watched" in said
    assert f"is being searched by process {os.getpid()}" in said


def test_an_owner_that_was_silent_while_another_took_over_stops(study):
    with owned(study) as mine:
        study.set_user_attr(OWNER, study.user_attrs[OWNER] | {"id": "another", "host": "elsewhere"})
        time.sleep(0.6)
        with pytest.raises(UserError, match=r"is now searched by process .* on elsewhere"):
            mine.check()
    assert study.user_attrs[OWNER]["id"] == "another"
