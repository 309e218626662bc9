"""make audit, with its database out of reach."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_a_database_out_of_reach_is_said_and_is_no_clean_bill():
    pytest.importorskip("pip_audit")
    # Nothing listens there.
    environment = os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "tests/audit.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("the database of known holes is out of reach, so nothing was checked: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
