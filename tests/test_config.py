import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline import config, models
from pipeline.__main__ import parse
from pipeline.errors import UserError

ROOT = Path(config.__file__).parents[1]


def resolve(stage="train", typed=None, recipe=None, run_config=None):
    return config.resolve(
        stage, typed or {}, recipe_of=lambda model: dict(recipe or {}), config_of_run=lambda run: dict(run_config or {})
    )


def test_each_layer_of_values_overrides_the_one_before(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("batch_size: 7\nlearning_rate: 0.3\n")
    recipe = {"epochs": 5, "batch_size": 5, "learning_rate": 0.5, "weight_decay": 0.01}
    assert resolve(recipe=recipe).weight_decay == 0.01
    resolved = resolve(typed={"preset": "reference", "config": str(file), "learning_rate": "1e-3"}, recipe=recipe)
    assert resolved.epochs == 300  # the preset over the recipe
    assert resolved.batch_size == 7  # the config over the preset
    assert resolved.learning_rate == 1e-3  # what was typed over the config
    assert resolved.patience == config.TrainConfig.patience


def test_the_recipe_is_that_of_the_model_that_the_preset_names():
    asked = []
    config.resolve(
        "train", {"preset": "reference"}, recipe_of=lambda m: asked.append(m) or {}, config_of_run=lambda run: {}
    )
    assert asked == ["lenet"]


def test_an_empty_value_means_not_given():
    resolved = resolve(typed={"dropout": "", "epochs": ""}, recipe={"dropout": 0.4})
    assert resolved.dropout == 0.4
    assert resolved.epochs == config.TrainConfig.epochs
    assert not resolved.given


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"dropout": "1.5"}, ["--dropout", "1.5", "0<=x<=0.95"]),
        ({"epochs": "0"}, ["--epochs", "0", "1<=x<=100000"]),
        ({"epochs": "2.5"}, ["--epochs", "2.5", "integer"]),
        ({"learning_rate": "fast"}, ["--learning_rate", "fast", "float"]),
        ({"learning_rate": "nan"}, ["--learning_rate", "nan"]),
        ({"model": "resnt"}, ["--model", "resnt", "lenet", "did you mean resnet?"]),
        ({"preset": "refrence"}, ["--preset", "refrence", "did you mean reference?"]),
        ({"deterministic": "maybe"}, ["--deterministic", "maybe", "boolean"]),
        ({"learnin_rate": "1"}, ["--learnin_rate", "did you mean --learning_rate?"]),
        ({"config": "/nowhere/config.yaml"}, ["/nowhere/config.yaml"]),
    ],
)
def test_a_refusal_names_option_value_and_what_is_allowed(typed, words):
    with pytest.raises(UserError) as refusal:
        resolve(typed=typed)
    message = str(refusal.value)
    assert all(word in message for word in words), message
    assert "\n" not in message


def test_a_value_in_a_file_is_checked_as_a_typed_one(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("dropout: 2\n")
    with pytest.raises(UserError, match=r"--dropout in .*mine.yaml: .*0<=x<=0.95"):
        resolve(typed={"config": str(file)})
    file.write_text("drop_out: 0.2\n")
    with pytest.raises(UserError, match=r"--drop_out in .*did you mean --dropout"):
        resolve(typed={"config": str(file)})
    file.write_text("- 1\n")
    with pytest.raises(UserError, match="holds no options"):
        resolve(typed={"config": str(file)})


def test_config_takes_a_run_id():
    resolved = resolve(typed={"config": "0123abcd"}, run_config={"epochs": 3})
    assert resolved.epochs == 3
    assert "epochs" in resolved.given


def test_what_is_logged_repeats_the_run(tmp_path):
    first = resolve(typed={"learning_rate": "0.01", "dropout": "0.1", "depth": "3"}, recipe={"width": 24})
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config.identity(first)))
    again = resolve(typed={"config": str(file)}, recipe={"width": 99})
    assert config.identity(again) == config.identity(first)
    assert "workdir" not in config.identity(first)


@given(st.floats(min_value=0, max_value=0.95, allow_nan=False))
def test_every_dropout_in_range_is_taken_as_typed(value):
    assert resolve(typed={"dropout": repr(value)}).dropout == value


def test_presets_hold_only_values_that_are_allowed():
    for preset in config.PRESETS:
        assert resolve(typed={"preset": preset}).given


@pytest.mark.parametrize("stage", config.STAGES)
def test_every_option_of_every_stage_stands_in_its_help(stage, capsys):
    assert parse([stage, "--help"]) is None
    text = capsys.readouterr().out
    for field in config.fields_of(config.STAGES[stage]):
        assert f"--{field.name}" in text


def test_help_of_train_says_what_depth_means_for_each_model(capsys):
    parse(["train", "--help"])
    shown = capsys.readouterr().out.split("Models (")[1]
    for name in config.MODELS:
        assert f"{name}:" in shown
    assert shown.count("depth:") >= len(config.MODELS)
    assert shown.count("recipe:") == len(config.MODELS)
    recipe = " ".join(shown.split("resnet:")[1].split("recipe:")[1].split())
    for option in ("epochs", "image_size", "optimizer", "learning_rate"):
        assert f"{option} {models.recipe('resnet')[option]}," in recipe


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "train"),
        (["train", "--modell", "x"], "did you mean --model"),
        (["train", "--learning-rate", "1"], "did you mean --learning_rate"),
        (["train", "--epochs"], "--epochs"),
        (["train", "surplus"], "surplus"),
        ([], "preprocess, train"),
    ],
)
def test_a_command_line_that_says_no_stage_and_options_is_refused(arguments, words):
    with pytest.raises(UserError, match=words):
        parse(arguments)


def test_mlproject_has_every_stage_and_declares_no_parameter():
    project = yaml.safe_load((ROOT / "MLproject").read_text())
    assert set(project["entry_points"]) == set(config.STAGES)
    for stage, entry in project["entry_points"].items():
        assert entry == {"command": f"python -m pipeline {stage}"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["train", "--help"], 0), (["train", "--dropout", "7"], 2), (["train", "--model", "x"], 2)],
)
def test_help_and_refusals_answer_at_once(arguments, code):
    def seconds(command):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        return time.perf_counter() - start, done.returncode

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


def test_a_folder_is_known_by_its_absolute_path(monkeypatch, tmp_path):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve(typed={"data": "photos"}).data == str(tmp_path / "photos")
    assert resolve(typed={"data": "nowhere"}).data == "nowhere"
    assert resolve().data == "glyphs"


def test_weights_are_known_by_their_absolute_path(monkeypatch, tmp_path):
    (tmp_path / "begun.keras").touch()
    (tmp_path / "imagenet").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve(typed={"weights": "begun.keras"}).weights == str(tmp_path / "begun.keras")
    assert resolve(typed={"weights": "imagenet"}).weights == "imagenet"


def test_workdir_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("PIPELINE_WORKDIR", str(tmp_path))
    assert resolve().workdir == tmp_path
    assert resolve(typed={"workdir": "elsewhere"}).workdir == Path.cwd() / "elsewhere"
    monkeypatch.delenv("PIPELINE_WORKDIR")
    assert resolve().workdir == ROOT / "workdir"


@pytest.mark.parametrize(
    ("cpuinfo", "precision"),
    [
        ("vendor_id : AuthenticAMD\nflags : avx512f avx512_bf16\n", "bfloat16"),
        ("vendor_id : GenuineIntel\nflags : avx512f avx512_bf16 amx_bf16 amx_tile\n", "bfloat16"),
        ("vendor_id : GenuineIntel\nflags : avx512f avx512_bf16\n", "float32"),
        ("vendor_id : AuthenticAMD\nflags : avx2\n", "float32"),
    ],
)
def test_arithmetic_is_what_the_processor_is_fast_at(cpuinfo, precision):
    assert config.faster_precision(cpuinfo) == precision
