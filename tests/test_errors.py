import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import first_line, has_password, without_password

ROOT = Path(__file__).parents[1]
ADDRESSES = [
    ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
    ("postgresql://me:se/cr@et@host/db", "postgresql://me:***@host/db"),
    ("redis://:secret@host", "redis://:***@host"),
    ("postgresql://host/db?user=me&password=secret&x=1", "postgresql://host/db?user=me&password=***&x=1"),
    ("mysql://host/db?ssl=1&passwd=secret", "mysql://host/db?ssl=1&passwd=***"),
    ("https://host/?access_token=secret", "https://host/?access_token=***"),
]


@pytest.mark.parametrize(("address", "shown"), ADDRESSES)
def test_an_address_is_shown_without_its_password(address, shown):
    assert has_password(address)
    assert without_password(f"no answer from {address} today") == f"no answer from {shown} today"


@pytest.mark.parametrize(
    "address",
    ["sqlite:////home/me@work/optuna.db", "postgresql://me@host:5432/db?passfile=/home/me/.pgpass", "http://host:5000"],
)
def test_an_address_without_a_password_is_left_alone(address):
    assert not has_password(address)
    assert without_password(address) == address


def test_what_the_environment_holds_is_shown_by_no_error(monkeypatch):
    monkeypatch.setenv("OPTUNA_STORAGE", "postgresql://me:open%24esame@host/db")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "walnut")
    error = RuntimeError("refused: 'open$esame', as open%24esame, nor walnut")
    assert first_line(error) == "refused: '***', as ***, nor ***"


@pytest.mark.parametrize("where", ["main", "thread"])
def test_no_traceback_shows_a_password(where):
    code = """
import sys, threading
from pipeline.errors import hide_passwords
hide_passwords()
def fail():
    raise RuntimeError("no answer from postgresql://me:secret@host")
fail() if sys.argv[1] == "main" else threading.Thread(target=fail).start()
"""
    done = subprocess.run([sys.executable, "-c", code, where], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr
    assert "me:***@host" in done.stderr
    assert "secret" not in done.stderr
