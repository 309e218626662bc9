import pytest

from pipeline.errors import UserError
from pipeline.models.networks.architecture import architecture
from pipeline.models.networks.keras_network import keras_model
from pipeline.models.networks.numpy_network import numpy_model


def built(spec):
    raise AssertionError("nothing is built here")


def test_defaults_of_hyperparameters_belong_to_the_recipe():
    def builder(input_shape, classes, *, width=8, dropout=0.1):
        pass

    known = architecture(built, builder, {"epochs": 3, "dropout": 0.5}, {"width": (4, 16)})
    assert known.recipe == {"width": 8, "dropout": 0.5, "epochs": 3}
    assert known.search == {"width": (4, 16)}
    assert known.builder is builder


def test_an_argument_that_no_option_sets_is_refused():
    def attentive(input_shape, classes, *, depth=2, heads=4):
        pass

    words = "builder attentive has an argument heads, .*input_shape, classes, depth, width, dropout, whiten are allowed"
    with pytest.raises(UserError, match=words):
        keras_model(recipe={})(attentive)
    words = "attentive has an argument heads, .*input_shape, classes, seed, depth, width, dropout, whiten are allowed"
    with pytest.raises(UserError, match=words):
        numpy_model(recipe={})(attentive)


def test_a_seed_is_given_to_hand_written_networks_alone():
    def seeded(input_shape, classes, *, seed=0):
        pass

    assert numpy_model(recipe={})(seeded).builder is seeded
    with pytest.raises(UserError, match="seeded has an argument seed, which no option sets"):
        keras_model()(seeded)


def test_a_builder_that_takes_any_argument_is_refused():
    def vague(input_shape, classes, **arguments):
        pass

    with pytest.raises(UserError, match="vague has an argument arguments"):
        keras_model()(vague)


def test_a_hyperparameter_without_a_default_is_refused():
    def hungry(input_shape, classes, *, depth):
        pass

    with pytest.raises(UserError, match="hungry has no default for depth"):
        keras_model()(hungry)
