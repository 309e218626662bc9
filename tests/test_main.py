import resource
import subprocess
import sys

import pytest
import yaml

from pipeline import config
from pipeline.__main__ import parse
from pipeline.errors import UserError

ROOT = config.PACKAGE.parent


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "train"),
        (["train", "--modell", "x"], "did you mean --model"),
        (["train", "--learning-rate", "1"], "did you mean --learning_rate"),
        (["train", "--lr", "1"], "did you mean --learning_rate"),
        (["train", "--epochs"], "--epochs"),
        (["train", "surplus"], "surplus"),
        ([], "preprocess, train"),
    ],
)
def test_a_command_line_that_says_no_stage_and_options_is_refused(arguments, words):
    with pytest.raises(UserError, match=words):
        parse(arguments)


@pytest.mark.parametrize(("words", "value"), [(["--yes"], "true"), (["--yes", "false"], "false"), ([], None)])
def test_what_is_true_or_false_needs_no_value(words, value):
    stage, typed = parse(["clean", *words])
    assert (stage, typed["yes"]) == ("clean", value)


def test_mlproject_has_every_stage_and_declares_no_parameter():
    project = yaml.safe_load((ROOT / "MLproject").read_text())
    assert set(project["entry_points"]) == {name for name, kind in config.STAGES.items() if kind.is_tracked}
    for stage, entry in project["entry_points"].items():
        assert entry == {"command": f"python -m pipeline {stage}"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["train", "--help"], 0), (["train", "--dropout", "7"], 2), (["train", "--model", "x"], 2)],
)
def test_help_and_refusals_answer_at_once(arguments, code):
    """In seconds of a processor, which other work beside it does not change."""

    def seconds(command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.returncode

    bare = min(seconds([sys.executable, "-c", "pass"])[0] for _ in range(5))
    timed = [seconds([sys.executable, "-m", "pipeline", *arguments]) for _ in range(5)]
    assert {returncode for _, returncode in timed} == {code}
    assert min(taken for taken, _ in timed) - bare < 0.3


def test_the_command_line_imports_nothing_heavy():
    code = (
        "import sys; from pipeline.__main__ import main; main(['train', '--model', 'x']);"
        "print([name for name in ('numpy', 'pandas', 'mlflow', 'keras', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
