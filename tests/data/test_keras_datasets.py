"""The data sets of keras.datasets, from files in the form that Keras downloads."""

import gzip
import io
import pickle
import tarfile
import urllib.error

import numpy as np
import pytest
from PIL import Image
from source_contract import accepting, check_source

from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.data.sources import keras_datasets, open_source
from pipeline.errors import UserError

TRAIN, TEST = 200, 100


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder of an empty Keras that downloads nothing and takes any file for the right one."""
    from keras.src.utils import file_utils

    def no_network(origin, *_):
        raise urllib.error.URLError("there is no network")

    folder = tmp_path / "keras"
    (folder / "datasets").mkdir(parents=True)
    monkeypatch.setenv("KERAS_HOME", str(folder))
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(folder))
    monkeypatch.setattr(file_utils, "validate_file", lambda *_, **__: True)
    monkeypatch.setattr(file_utils, "urlretrieve", no_network)
    return folder


def configured(tmp_path, name, **options):
    return PreprocessConfig(data=f"keras:{name}", workdir=tmp_path / "workdir", **options)


def images(count, *shape):
    return np.random.default_rng(count).integers(0, 256, (count, *shape), dtype=np.uint8)


def labels(count, classes):
    return (np.arange(count) % classes).astype(np.uint8)


def write_mnist(datasets):
    np.savez(
        datasets / "mnist.npz",
        **{"x_train": images(TRAIN, 28, 28), "y_train": labels(TRAIN, 10)},
        **{"x_test": images(TEST, 28, 28), "y_test": labels(TEST, 10)},
    )


def write_fashion_mnist(datasets):
    folder = datasets / "fashion-mnist"
    folder.mkdir()
    for part, count in (("train", TRAIN), ("t10k", TEST)):
        for kind, header, array in (
            ("labels-idx1", 8, labels(count, 10)),
            ("images-idx3", 16, images(count, 28, 28)),
        ):
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(bytes(header) + array.tobytes()))


def write_cifar100(datasets):
    with tarfile.open(datasets / "cifar-100-python-target_archive", "w:gz") as archive:
        for name, count in (("train", TRAIN), ("test", TEST)):
            batch = {b"data": images(count, 3072), b"fine_labels": labels(count, 100).tolist(), b"coarse_labels": []}
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            content = pickle.dumps(batch)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    ("name", "write", "classes", "first", "mirrorable"),
    [
        ("mnist", write_mnist, 10, "0", False),
        ("fashion_mnist", write_fashion_mnist, 10, "T-shirt/top", True),
        ("cifar100", write_cifar100, 100, "apple", True),
    ],
)
def test_what_keras_loads_is_a_source(tmp_path, home, name, write, classes, first, mirrorable):
    write(home / "datasets")
    source = open_source(configured(tmp_path, name))
    assert len(source.class_names) == classes
    assert source.class_names[0] == first
    assert source.splits == ("train", "test")
    assert source.table["split"].value_counts().to_dict() == {"train": TRAIN, "test": TEST}
    assert source.table["label"].tolist() == [*labels(TRAIN, classes), *labels(TEST, classes)]
    assert source.mirrorable is mirrorable
    check_source(source)


def test_pixels_arrive_as_they_are(tmp_path, home):
    write_mnist(home / "datasets")
    source = open_source(configured(tmp_path, "mnist"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(source.read("test/7")))), images(TEST, 28, 28)[7])
    write_cifar100(home / "datasets")
    source = open_source(configured(tmp_path, "cifar100"))
    in_colour = images(TRAIN, 3072)[7].reshape(3, 32, 32).transpose(1, 2, 0)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(source.read("train/7")))), in_colour)


def test_cifar10_has_the_names_of_its_classes(tmp_path, monkeypatch):
    from keras import datasets

    arrays = [(images(count, 32, 32, 3), labels(count, 10)[:, None]) for count in (TRAIN, TEST)]
    monkeypatch.setattr(datasets.cifar10, "load_data", lambda: arrays)
    source = open_source(configured(tmp_path, "cifar10"))
    assert source.class_names == [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]
    assert source.where("train/17") == "keras:cifar10 x_train, image 17"
    check_source(source)


def test_validation_images_are_taken_from_those_for_training(tmp_path, home):
    write_mnist(home / "datasets")
    planned = plan(configured(tmp_path, "mnist", val_fraction=0.25))
    assert planned.table["split"].value_counts().to_dict() == {"train": 150, "val": 50, "test": TEST}
    assert planned.name == "mnist"


def test_keras_is_asked_once(tmp_path, home):
    write_mnist(home / "datasets")
    first = open_source(configured(tmp_path, "mnist"))
    (home / "datasets" / "mnist.npz").unlink()
    assert open_source(configured(tmp_path, "mnist")).table.equals(first.table)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mnist", "mnist.npz"),
        ("fashion_mnist", "fashion-mnist/train-labels-idx1-ubyte.gz"),
        ("cifar10", "cifar-10-batches-py-target_archive"),
        ("cifar100", "cifar-100-python-target_archive"),
    ],
)
def test_without_a_network_it_is_said_which_file_to_fetch(tmp_path, home, name, file):
    words = rf"keras:{name}: .*there is no network.*fetch http.*save it as {home / 'datasets' / file}$"
    with pytest.raises(UserError, match=words):
        open_source(configured(tmp_path, name))


def test_a_damaged_file_is_named(tmp_path, home):
    (home / "datasets" / "mnist.npz").write_bytes(b"x" * 100)
    with pytest.raises(UserError, match=r"keras:mnist: Keras cannot load it: .*mnist\.npz$"):
        open_source(configured(tmp_path, "mnist"))


@pytest.mark.parametrize("name", ["", "svhn", "mnist:1", "MNIST"])
def test_another_name_is_refused_with_those_that_are_allowed(tmp_path, name):
    assert accepting(f"keras:{name}") == ["keras_datasets"]
    with pytest.raises(UserError, match="mnist, fashion_mnist, cifar10, cifar100"):
        open_source(configured(tmp_path, name))


def test_the_names_of_classes_are_as_many_as_there_are():
    counts = {name: len(set(data.class_names)) for name, data in keras_datasets.DATA_SETS.items()}
    assert counts == {"mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cifar100": 100}
