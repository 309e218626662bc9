import pytest
import yaml
from resolved import resolve

from pipeline import config


def test_what_is_logged_repeats_the_run(tmp_path):
    first = resolve(typed={"learning_rate": "0.01", "dropout": "0.1", "depth": "3"}, recipe={"width": 24})
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config.identity(first)))
    again = resolve(typed={"config": str(file)}, recipe={"width": 99})
    assert config.identity(again) == config.identity(first)
    assert "workdir" not in config.identity(first)


def test_a_training_is_known_by_its_recipe_and_its_data_by_their_own_digest():
    first = resolve(typed={"learning_rate": "0.01"})
    otherwise_split = resolve(typed={"learning_rate": "1e-2", "val_fraction": "0.2", "path_column": "x"})
    assert config.digest(first) == config.digest(otherwise_split)
    assert config.digest(first) != config.digest(resolve(typed={"learning_rate": "0.02"}))
    assert config.digest(first) != config.digest(resolve(typed={"learning_rate": "0.01", "image_size": "32"}))


def test_what_the_digest_of_the_data_says_is_not_said_of_the_training():
    usual, smaller = resolve(), resolve(typed={"max_pixels": "1000000"})
    assert config.digest(usual) == config.digest(smaller)
    assert "max_pixels" not in config.recipe_of_training(usual)
    assert config.identity(smaller)["max_pixels"] == 1_000_000


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("glyphs", "glyphs"),
        ("/somewhere/photos", "photos"),
        ("/somewhere/photos.npz", "photos.npz"),
        ("keras:cifar10", "cifar10"),
        ("tfds:cifar10:3.0.2", "cifar10-3.0.2"),
        ("tfds:imagenet_resized/32x32", "imagenet_resized-32x32"),
        ("hf:somebody/photos", "somebody-photos"),
        ("hf:somebody/photos:small", "somebody-photos-small"),
        ("hf:", "hf:"),
        ("other:photos", "other:photos"),
    ],
)
def test_data_have_a_short_name(data, name):
    assert config.data_name(resolve(typed={"data": data})) == name


def test_a_folder_of_a_library_is_called_by_its_name(tmp_path):
    (tmp_path / "photos").mkdir()
    assert config.data_name(resolve(typed={"data": f"hf:{tmp_path / 'photos'}"})) == "photos"
