import pytest
from resolved import resolve

from pipeline import config
from pipeline.errors import UserError

ROOT = config.PACKAGE.parent


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


def test_minutes_and_epochs_are_not_typed_together(tmp_path):
    with pytest.raises(UserError, match="give one of them"):
        resolve(typed={"minutes": "2", "epochs": "3"})
    file = tmp_path / "config.yaml"
    file.write_text("minutes: 2\nepochs: 9\n")
    assert resolve(typed={"config": str(file)}).minutes == 2
    assert resolve(typed={"config": str(file), "epochs": "3"}).minutes is None
    assert resolve(typed={"minutes": "1"}, recipe={"epochs": 5}).minutes == 1


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


def test_config_takes_a_run_id():
    resolved = resolve(typed={"config": "0123abcd"}, run_config={"epochs": 3})
    assert resolved.epochs == 3
    assert "epochs" in resolved.given


def test_presets_hold_only_values_that_are_allowed():
    for preset in config.PRESETS:
        assert resolve(typed={"preset": preset}).given


def test_a_folder_is_known_by_its_absolute_path(monkeypatch, tmp_path):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve(typed={"data": "photos"}).data == str(tmp_path / "photos")
    assert resolve(typed={"data": "nowhere"}).data == "nowhere"
    assert resolve().data == "glyphs"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("photos", "{here}/photos"),
        ("./photos", "{here}/photos"),
        ("~/photos", "{here}/photos"),
        ("/", "/"),
        ("nowhere", "nowhere"),
        ("", ""),
    ],
)
def test_of_a_data_set_of_a_library_a_folder_alone_is_a_path(monkeypatch, tmp_path, name, path):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for library in ("keras", "tfds"):
        assert resolve(typed={"data": f"{library}:{name}"}).data == f"{library}:{name}"
    assert resolve(typed={"data": f"hf:{name}"}).data == f"hf:{path.format(here=tmp_path)}"
    assert resolve(typed={"data": "hf:somebody/photos"}).data == "hf:somebody/photos"


def test_a_path_that_looks_like_a_data_set_of_a_library_is_a_path(monkeypatch, tmp_path):
    (tmp_path / "hf:photos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve(typed={"data": "hf:photos"}).data == str(tmp_path / "hf:photos")


def test_weights_are_known_by_their_absolute_path(monkeypatch, tmp_path):
    (tmp_path / "begun.keras").touch()
    (tmp_path / "imagenet").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve(typed={"weights": "begun.keras"}).weights == str(tmp_path / "begun.keras")
    assert resolve(typed={"weights": "imagenet"}).weights == "imagenet"


NO_PATHS = ["~no such user/x", "x" * 5000, "a\0b.yaml", "line\nbreak.yaml", "\x1b[31mred.yaml"]


@pytest.mark.parametrize("value", NO_PATHS)
@pytest.mark.parametrize("option", ["config", "data", "weights"])
def test_what_can_be_no_path_is_refused_in_a_short_sentence_or_left_for_later(option, value):
    def config_of_run(run_id):
        raise UserError("no such run")

    try:
        resolved = config.resolve("train", {option: value}, recipe_of=lambda model: {}, config_of_run=config_of_run)
    except UserError as refusal:
        assert str(refusal).isprintable()
        assert len(str(refusal)) < 500
    else:
        assert getattr(resolved, option) == value
