"""Data sets of TensorFlow Datasets, from small ones that the library itself prepares."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image
from source_contract import accepting, check_source

from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.data.sources import open_source
from pipeline.errors import UserError

tfds = pytest.importorskip("tensorflow_datasets", reason="the extra tfds is not installed")


def image(number):
    return np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)


def prepare(folder, name, splits, features=None, values=None):
    """Have the library prepare a data set `name`.

    splits: name -> numbers of its images. features: what it has beside an image. values: number -> theirs.
    """
    features = features or {"label": tfds.features.ClassLabel(names=["blue", "green", "red"])}
    values = values or (lambda number: {"label": number % 3})

    # What is not registered is known by its files alone, as the data set of a stranger is.
    with tfds.core.registered.skip_registration():

        class Builder(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                all_features = tfds.features.FeaturesDict({"image": tfds.features.Image(shape=(8, 8, 3)), **features})
                return tfds.core.DatasetInfo(builder=self, features=all_features)

            def _split_generators(self, _):
                return {split: self._generate_examples(numbers) for split, numbers in splits.items()}

            def _generate_examples(self, numbers):
                for number in numbers:
                    yield number, {"image": image(number), **values(number)}

    Builder.name = name
    Builder(data_dir=folder).download_and_prepare()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Where the library has a few small data sets."""
    folder = tmp_path_factory.mktemp("tfds")
    label, text = tfds.features.ClassLabel, tfds.features.Text
    usual = {"train": range(30), "validation": range(30, 36), "test": range(36, 48), "extra": range(48, 51)}
    prepare(folder, "colours", usual)
    prepare(
        folder,
        "kept_back",
        {"train": range(9), "test": range(9, 12)},
        values=lambda n: {"label": n % 3 if n < 9 else -1},
    )
    prepare(folder, "unlabelled", {"train": range(3)}, {"text": text()}, lambda n: {"text": "x"})
    prepare(
        folder,
        "two_labels",
        {"train": range(9)},
        {"fine": label(num_classes=3), "coarse": label(num_classes=2)},
        lambda n: {"fine": n % 3, "coarse": n % 2},
    )
    return folder


@pytest.fixture
def configured(tmp_path, data_dir, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(data_dir))

    def make(name, **options):
        return PreprocessConfig(data=f"tfds:{name}", workdir=tmp_path / "workdir", **options)

    return make


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize("name", ["colours", "colours:1.0.0"])
def test_a_prepared_data_set_is_a_source(configured, name):
    source = open_source(configured(name))
    assert accepting(f"tfds:{name}") == ["tfds"]
    assert source.class_names == ["blue", "green", "red"]
    assert source.table["split"].value_counts().to_dict() == {"train": 30, "test": 12, "val": 6}
    assert source.warnings == ("splits of no known name are left out: extra",)
    assert source.mirrorable
    check_source(source)


def test_images_are_the_bytes_that_the_library_stored(configured):
    source = open_source(configured("colours"))
    contents = [source.read(path) for path in source.table["path"]]
    assert {content[:4] for content in contents} == {b"\x89PNG"}
    numbers = {image(number).tobytes(): number for number in range(48)}
    found = [numbers[pixels(content).tobytes()] for content in contents]
    assert sorted(found) == list(range(48))
    assert [number % 3 for number in found] == source.table["label"].tolist()


def test_the_library_is_read_once_and_anew_where_its_files_have_changed(configured, tmp_path, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    prepare(tmp_path, "changing", {"train": range(9)})
    first = open_source(configured("changing"))
    folders = list((tmp_path / "workdir" / "unpacked").iterdir())
    open_source(configured("changing"))
    assert list((tmp_path / "workdir" / "unpacked").iterdir()) == folders
    shutil.rmtree(tmp_path / "changing")
    prepare(tmp_path, "changing", {"train": range(9, 21)})
    second = open_source(configured("changing"))
    assert (len(first.table), len(second.table)) == (9, 12)
    assert len(list((tmp_path / "workdir" / "unpacked").iterdir())) == 1


def test_splits_that_are_there_are_kept(configured):
    planned = plan(configured("colours"))
    assert planned.table["split"].value_counts().to_dict() == {"train": 30, "test": 12, "val": 6}
    assert planned.name == "colours"


def test_images_whose_labels_are_kept_back_are_ignored(configured):
    source = open_source(configured("kept_back"))
    assert source.splits == ("train",)
    assert source.ignored["kind"].tolist() == ["no label"] * 3


def test_classes_of_one_character_are_not_mirrored(configured):
    from pipeline.data.library import are_mirrorable

    assert not are_mirrorable(list("0123456789"))
    assert are_mirrorable(["0", "10"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unlabelled", "has no column that may hold the label among its columns image, text"),
        ("two_labels", "has 2 columns that may hold the label: coarse, fine; --label_column names"),
        ("no_such_data_set", "Dataset no_such_data_set not found"),
        ("colours:9.9.9", "cannot load it"),
        ("", "names no data set"),
        ("a b", "cannot load it"),
    ],
)
def test_what_cannot_be_loaded_is_named(configured, name, words):
    with pytest.raises(UserError, match=words) as refusal:
        open_source(configured(name))
    assert f"tfds:{name}" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_without_a_network_it_is_said_at_once_what_to_do(configured, monkeypatch, tmp_path):
    import requests

    asked = []

    def no_network(address, **options):
        asked.append((address, options["timeout"]))
        raise requests.ConnectionError("there is no network")

    monkeypatch.setattr(requests, "head", no_network)
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(UserError, match=f"no answer from http.*copy its folder to {tmp_path / 'data' / 'mnist'}"):
        open_source(configured("mnist"))
    assert asked
    assert all(timeout <= 20 for _, timeout in asked)


def test_a_missing_library_is_named_with_its_extra(configured, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match=r'pip install "past-the-ceiling\[tfds\]"'):
        open_source(configured("colours"))
