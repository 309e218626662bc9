import json
import subprocess
import sys

import pytest

from pipeline import terminal
from pipeline.__main__ import main

PRINTING = """
import os, sys
from pipeline import terminal
with terminal.printing({quiet}, {as_json}):
    print("of this process")
    os.system("echo of a child")
    print("a warning", file=sys.stderr)
terminal.print_json({{"value": float("nan"), "list": [1.5]}})
"""


def said(**how):
    code = PRINTING.format(**{"quiet": False, "as_json": False} | how)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *before, last = done.stdout.splitlines()
    assert json.loads(last) == {"value": None, "list": [1.5]}
    return before, done.stderr.splitlines()


def test_what_a_program_reads_holds_nothing_but_json():
    assert said(as_json=True) == ([], ["of this process", "of a child", "a warning"])


def test_what_is_quiet_prints_warnings_alone():
    assert said(quiet=True) == ([], ["a warning"])
    assert said(quiet=True, as_json=True) == ([], ["a warning"])


def test_without_either_all_is_printed_where_it_belongs():
    assert sorted(said()[0]) == ["of a child", "of this process"]


def test_a_quiet_stage_shows_no_bar(monkeypatch):
    with terminal.printing(quiet=True, as_json=False):
        assert terminal.progress_bar(total=3).disable


def test_a_refused_option_is_told_to_a_program_too(capfd):
    assert main(["train", "--json", "--dropout", "2"]) == 2
    printed = capfd.readouterr()
    told = json.loads(printed.out)
    assert (told["stage"], told["exit_code"]) == ("train", 2)
    assert f"error: {told['error']}" in printed.err


@pytest.mark.parametrize("typed", [["--json", "perhaps"], ["--quiet", "perhaps"]])
def test_what_is_neither_true_nor_false_is_refused(typed, capfd):
    assert main(["clean", *typed]) == 2
    assert "perhaps" in capfd.readouterr().err
