import pytest

from pipeline import config, models
from pipeline.__main__ import parse


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
