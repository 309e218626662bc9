"""Networks that begin with weights from a training of something else."""

import dataclasses
import time
import urllib.error
import zipfile

import h5py
import numpy as np
import pytest
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group
from network_specs import network_spec

from pipeline import models
from pipeline.data.batches import Batch
from pipeline.errors import UserError
from pipeline.models.networks import published_weights
from pipeline.models.networks.quiet_keras import keras

IMAGES = np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3), dtype=np.uint8)
SPEC = network_spec(hyperparameters={"depth": 1, "width": 8, "dropout": 0.2})


def spec(**changes):
    return dataclasses.replace(SPEC, **changes)


def batch(classes):
    return Batch(IMAGES, np.eye(classes, dtype=np.float32)[np.arange(8) % classes], np.ones(8, np.float32))


def body_and_head(network):
    """The variables of the network itself, those of its last layer apart."""
    state = {name: values for name, values in network.state().items() if name.startswith("model/")}
    head = {name for name in state if "/dense" in name or "/logits" in name}
    return {name: state[name] for name in state if name not in head}, {name: state[name] for name in head}


@pytest.mark.parametrize(
    ("name", "hyperparameters"),
    [("resnet", SPEC.hyperparameters), pytest.param("MobileNetV2", {"dropout": 0.2}, marks=pytest.mark.slow)],
)
def test_a_saved_body_is_taken_over_frozen_at_first_then_trained(name, hyperparameters, tmp_path):
    before = models.build(name, spec(hyperparameters=hyperparameters))
    file = before.save(tmp_path)
    network = models.build(name, spec(hyperparameters=hyperparameters, classes=3, seed=1, weights=str(file)))
    taken, head = body_and_head(network)
    theirs = body_and_head(before)[0]
    assert taken.keys() == theirs.keys()
    assert all(np.array_equal(taken[key], theirs[key]) for key in taken if "seed_generator" not in key)

    network.train_body(0)
    network.fit_epoch([batch(3)], [0.05])
    last = network.head()
    np.testing.assert_allclose(last.predict(last.features(IMAGES)), network.predict(IMAGES), atol=1e-5)
    frozen, new_head = body_and_head(network)
    assert all(np.array_equal(frozen[key], taken[key]) for key in taken if "seed_generator" not in key)
    assert not all(np.array_equal(head[key], new_head[key]) for key in head)

    network.train_body(1)
    network.fit_epoch([batch(3)], [0.05])
    trained = body_and_head(network)[0]
    kernels = [key for key in trained if key.endswith("kernel")]
    assert kernels
    unchanged = [key for key in kernels if np.array_equal(trained[key], taken[key])]
    assert all("whitening" in key for key in unchanged)
    assert network.predict(IMAGES).shape == (8, 3)


def test_weights_of_another_network_are_refused(tmp_path):
    file = models.build("resnet", SPEC).save(tmp_path)
    wider = spec(hyperparameters=SPEC.hyperparameters | {"width": 16}, weights=str(file))
    with pytest.raises(UserError, match=r"holds no layer .* like that of resnet"):
        models.build("resnet", wider)


@pytest.mark.parametrize(("weights", "words"), [("nowhere.keras", "no such file"), ("imagenet", "resnet has none")])
def test_weights_that_are_not_there_are_refused(weights, words):
    with pytest.raises(UserError, match=words):
        models.build("resnet", spec(weights=weights))


@pytest.fixture
def without_network(tmp_path, monkeypatch):
    """The folder of a Keras that reaches no server."""

    def unreachable(*_, **__):
        raise urllib.error.URLError("there is no network")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(published_weights.file_utils.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setattr(published_weights.file_utils, "urlretrieve", unreachable)
    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    return tmp_path


FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"


def test_without_a_network_it_says_which_file_to_fetch_and_where_to_put_it(without_network):
    with pytest.raises(UserError) as refused:
        models.check_weights("MobileNetV2", "imagenet", 96)
    assert str(refused.value) == (
        "--weights imagenet: Keras cannot download them (there is no network): fetch "
        f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{FILE} where there is a network "
        f"and save it as {without_network / 'models' / FILE}"
    )


def test_a_file_that_was_put_there_is_taken(without_network):
    published = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3))
    (without_network / "models").mkdir()
    with h5py.File(without_network / "models" / FILE, "w") as file:
        save_weights_to_hdf5_group(file, published)
    network = models.build("MobileNetV2", network_spec(96, weights="imagenet"))
    theirs, taken = published.get_weights(), network.core.get_weights()
    assert all(np.array_equal(*pair) for pair in zip(theirs, taken[: len(theirs)], strict=True))


def test_a_file_that_was_put_there_and_is_cut_is_named(without_network):
    (without_network / "models").mkdir()
    (without_network / "models" / FILE).write_bytes(b"cut")
    with pytest.raises(UserError, match=f"{FILE} does not hold these weights .*; remove it"):
        models.check_weights("MobileNetV2", "imagenet", 96)


def test_a_server_that_says_nothing_is_not_waited_for(without_network, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: time.sleep(5))
    monkeypatch.setattr(published_weights, "PATIENCE_SECONDS", 0.1)
    with pytest.raises(UserError, match=r"cannot download them \(no answer within 0.1 seconds\): fetch https"):
        models.check_weights("MobileNetV2", "imagenet", 96)


@pytest.mark.parametrize("ending", [".keras", ".h5", ".txt"])
def test_a_file_that_holds_no_weights_is_refused(ending, tmp_path):
    file = tmp_path / f"weights{ending}"
    file.write_text("nothing")
    with pytest.raises(UserError, match=str(file)):
        models.build("resnet", spec(weights=str(file)))


def test_a_hand_written_network_takes_no_weights(tmp_path):
    with pytest.raises(UserError, match=r"--weights x\.keras: lenet5_numpy takes no initial weights"):
        models.build("lenet5-numpy", spec(weights="x.keras"))
    network = models.build("two-layer-numpy", spec(hyperparameters={"width": 8}))
    for refused in (network.head, network.forget_steps, lambda: network.train_body(1)):
        with pytest.raises(UserError, match="two_layer_numpy takes no initial weights"):
            refused()


def test_an_application_refuses_a_depth_of_the_users():
    with pytest.raises(UserError, match="--depth: the model MobileNetV2 has no such option"):
        models.build("MobileNetV2", SPEC)


def test_images_too_small_for_an_application_are_refused():
    with pytest.raises(UserError, match="InceptionV3 cannot be built for images of 32 pixels"):
        models.build("InceptionV3", spec(hyperparameters={}))


@pytest.mark.parametrize("name", ["cut.keras", "other.keras", "code.keras", "cut.h5", "empty.h5"])
def test_a_file_that_is_damaged_or_brings_code_is_refused_in_a_sentence(name, tmp_path):
    file, whole = tmp_path / name, models.build("resnet", SPEC).save(tmp_path)
    if name == "other.keras":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("config.json", "{}")
    elif name == "code.keras":
        code = keras.layers.Lambda(lambda images: images, output_shape=(32, 32, 3))
        keras.Sequential([keras.Input((32, 32, 3)), code]).save(file)
    else:
        file.write_bytes(whole.read_bytes()[:3000] if name.startswith("cut") else b"")
    with pytest.raises(UserError, match=f"--weights .*{name} (is no .keras file|does not fit resnet): .") as refused:
        models.build("resnet", spec(weights=str(file)))
    assert "\n" not in str(refused.value)
