import dataclasses
import warnings

import optuna
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from pipeline import config as options
from pipeline import models
from pipeline.errors import UserError
from pipeline.search.space import CORE, FIXED, describe, first_configurations, space_of

RANGES = {"depth": (1, 3), "width": (16, 64)}


def config_of(**typed):
    return options.resolve(
        "search",
        {"model": "two-layer-numpy"} | typed,
        recipe_of=models.recipe,
        config_of_run=dict,
        trial_budget_of=models.trial_budget,
    )


def write(path, content):
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def test_core_is_learning_rate_dropout_and_depth_around_the_configuration():
    space = space_of(config_of(learning_rate="0.05"), RANGES)
    assert tuple(space) == CORE
    assert space["learning_rate"] == FloatDistribution(0.005, 0.5, log=True)
    assert space["depth"] == IntDistribution(1, 3)


def test_wide_adds_to_core():
    space = space_of(config_of(space="wide", augment="crop"), RANGES)
    added = {"width", "weight_decay", "label_smoothing", "batch_size", "min_crop_area"}
    assert set(space) == {*CORE, *added}
    assert space["width"] == IntDistribution(16, 64, step=16)
    assert "augment" in space_of(config_of(space="wide", augment="flip"), RANGES)


@pytest.mark.parametrize("name", options.MODELS)
@pytest.mark.parametrize("space", ["core", "wide"])
def test_every_model_has_spaces_that_hold_its_own_configuration(name, space):
    config = config_of(model=name, space=space)
    assert first_configurations(config, space_of(config, models.ranges(name)))


@pytest.mark.parametrize("option", ["dropout", "depth", "width"])
def test_what_the_model_leaves_no_choice_of_is_not_searched(option):
    config = dataclasses.replace(config_of(space="wide"), **{option: None})
    space = space_of(config, {})
    assert set(space_of(config_of(space="wide"), {})) - set(space) == {option}
    assert first_configurations(config, space)


def test_a_file_gives_ranges_for_any_option(tmp_path):
    ranges = {
        "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
        "batch_size": {"low": 32, "high": 128, "step": 32},
        "optimizer": ["sgd", "adamw"],
        "label_smoothing": {"low": 0, "high": 0.2},
    }
    space = space_of(config_of(space=write(tmp_path / "ranges.yaml", ranges)), RANGES)
    assert space["learning_rate"] == FloatDistribution(0.001, 0.1, log=True)
    assert space["batch_size"] == IntDistribution(32, 128, step=32)
    assert space["optimizer"] == CategoricalDistribution(["sgd", "adamw"])
    assert space["label_smoothing"] == FloatDistribution(0.0, 0.2)
    assert describe(space) == ranges


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ({"learning_rate": 0.1}, "is no range"),
        ({"learning_rate": {"low": 0.1}}, "is no range"),
        ({"learning_rate": {"low": 1, "high": 0.1}}, "--learning_rate"),
        ({"learning_rate": {"low": -1, "high": 1}}, "--learning_rate"),
        ({"dropout": {"low": 0, "high": 1.5}}, "--dropout"),
        ({"optimizer": ["sgd", "adm"]}, "did you mean adam"),
        ({"optimizer": {"low": "adam", "high": "sgd"}}, "give a list of values"),
        ({"learningrate": [0.1]}, "did you mean --learning_rate"),
        ({"epochs": [1, 2]}, "cannot be searched: it is the budget"),
        ({"data_seed": [1, 2]}, "cannot be searched"),
        ({"model": ["lenet", "resnet"]}, "cannot be searched"),
        ({}, "holds no ranges"),
        ([1], "holds no ranges"),
    ],
)
def test_a_file_that_holds_anything_else_is_refused_in_one_sentence(tmp_path, ranges, words):
    with pytest.raises(UserError, match=words) as refused:
        space_of(config_of(space=write(tmp_path / "ranges.yaml", ranges)), RANGES)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("label_smoothing: {low: 0, high: 0.2, step: 1e-2}", FloatDistribution(0.0, 0.2, step=0.01)),
        ("learning_rate: {low: 1e-3, high: 1e-1, log: yes}", FloatDistribution(0.001, 0.1, log=True)),
        ("learning_rate: {low: 1e-3, high: 1e-1, log: 'true'}", FloatDistribution(0.001, 0.1, log=True)),
        ("learning_rate: {low: 1e-3, high: 1e-1, log: 'false'}", FloatDistribution(0.001, 0.1)),
        ("learning_rate: {low: 1e-3, high: 1e-1, log: false}", FloatDistribution(0.001, 0.1)),
        ("batch_size: {low: 1e1, high: 2.0e+1, step: 5.0}", IntDistribution(10, 20, step=5)),
        ("batch_size: {low: 8, high: 64, log: true}", IntDistribution(8, 64, log=True)),
        ("mirror: [yes, no]", CategoricalDistribution(["yes", "no"])),
        ("mirror: [true, false]", CategoricalDistribution(["yes", "no"])),
        ("whiten: [yes, no]", CategoricalDistribution([True, False])),
        ("learning_rate: [1e-2, 1]", CategoricalDistribution([0.01, 1.0])),
    ],
)
def test_a_file_means_what_it_would_mean_typed(tmp_path, text, expected):
    (distribution,) = space_of_text(tmp_path, text).values()
    assert distribution == expected
    assert repr(distribution) == repr(expected)


# Why what is no hyperparameter cannot be searched: a word of each reason.
OF_IMAGES = [
    field.name
    for field in options.fields_of(options.PreprocessConfig)
    if field.metadata["group"] == "data" and field.name != "data"
]
NOT_SEARCHED = {
    "workdir": "where files lie",
    "data": "one study searches on one data set",
    **dict.fromkeys(OF_IMAGES, "on the same images"),
    "model": "make a study of each",
    "weights": "begin with the same weights",
    "epochs": "budget of every trial",
    "folds": "how a trial is scored",
    "patience": "the pruner's work",
    "objective": "what better means",
    **dict.fromkeys(["precision", "devices", "deterministic"], "about speed"),
    **dict.fromkeys(["preset", "config"], "stands for other options"),
    **dict.fromkeys(["json", "quiet"], "what is printed"),
    "seed": "a study would pick a lucky seed",
    "resume": "which interrupted training to continue",
    "test_each_epoch": "does not open the test split",
}


@pytest.mark.parametrize("name", NOT_SEARCHED)
def test_what_is_no_hyperparameter_is_refused_with_the_reason(tmp_path, name):
    with pytest.raises(UserError, match=f"--{name} .*cannot be searched: .*{NOT_SEARCHED[name]}"):
        space_of_text(tmp_path, f"{name}: [1, 2]")


def test_every_option_of_a_training_is_a_hyperparameter_or_has_a_reason():
    hyperparameters = (
        "image_size resize head_epochs head_learning_rate trained_body depth width dropout whiten input_scale "
        "initial_scale optimizer learning_rate schedule warmup batch_size weight_decay label_smoothing class_weight "
        "augment mirror flips min_crop_area cutmix standardize"
    )
    names = [field.name for field in options.fields_of(options.TrainConfig)]
    assert sorted(names) == sorted([*hyperparameters.split(), *NOT_SEARCHED])
    assert set(FIXED) == set(NOT_SEARCHED)


def space_of_text(folder, text):
    (folder / "ranges.yaml").write_text(text, encoding="utf-8")
    return space_of(config_of(space=str(folder / "ranges.yaml")), RANGES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("label_smoothing: {low: 0, high: 0.2, step: .inf}", "--label_smoothing .*step: '.inf' is not a valid float"),
        ("label_smoothing: {low: 0, high: 0.2, step: inf}", "step: inf is not a finite number"),
        ("label_smoothing: {low: 0, high: 0.2, step: .nan}", "step: '.nan' is not a valid float"),
        ("label_smoothing: {low: 0, high: 0.2, step: nan}", "step: nan is not a finite number"),
        ("label_smoothing: {low: 0, high: 0.2, step: 0}", "step: .*x>0"),
        ("label_smoothing: {low: 0, high: 0.2, step: -0.1}", "step: .*x>0"),
        ("label_smoothing: {low: 0, high: 0.2, step: 0.5}", "step: 0.5 is more than the whole range"),
        ("label_smoothing: {low: 0, high: 0.2, step: }", "step: one value is expected"),
        ("label_smoothing: {low: 0, high: 0.2, step: [0.1]}", "step: one value is expected"),
        ("label_smoothing: {low: 0.1, high: 0.2, step: 0.1, log: true}", "--label_smoothing .*`step`"),
        ("label_smoothing: {low: .nan, high: 0.2}", "'.nan' is not a valid float"),
        ("label_smoothing: {low: [0], high: 0.2}", "one value is expected"),
        ("batch_size: {low: 4, high: 16, step: 0.5}", "--batch_size .*step: '0.5' is not a valid integer"),
        ("batch_size: {low: 4.5, high: 16}", "'4.5' is not a valid integer"),
        ("learning_rate: {low: 0.1, high: 1, log: perhaps}", "log: 'perhaps' is not a valid boolean"),
        ("learning_rate: {low: 0, high: 1, log: true}", "--learning_rate"),
        ("learning_rate: {low: 0.1, high: 1, ~: 3}", "no name before a colon"),
        ("learning_rate: [0.1, ~]", "one value is expected, not None"),
        ("learning_rate: [[0.1]]", "one value is expected"),
        ("~: [0.1]", "no name before a colon"),
        ("1: [0.1]", "--1 .*is no option"),
        ("[1]: [0.1]", "is no YAML file"),
    ],
)
def test_a_range_that_cannot_be_meant_is_refused_in_one_sentence(tmp_path, text, words):
    with pytest.raises(UserError, match=words) as refused:
        space_of_text(tmp_path, text)
    assert "\n" not in str(refused.value)


SCALARS = st.sampled_from(["0", "1", "2.0", "1e-2", ".inf", "nan", "~", "yes", "'false'", "[]", "{}", "sgd", "-3"])


@given(
    st.sampled_from(["learning_rate", "batch_size", "depth", "mirror", "whiten", "optimizer"]),
    st.dictionaries(st.sampled_from(["low", "high", "log", "step", "~"]), SCALARS) | st.lists(SCALARS),
)
def test_a_range_of_anything_is_a_distribution_or_refused(tmp_path_factory, name, described):
    inside = (
        "{" + ", ".join(f"{key}: {value}" for key, value in described.items()) + "}"
        if isinstance(described, dict)
        else f"[{', '.join(described)}]"
    )
    try:
        (distribution,) = space_of_text(tmp_path_factory.getbasetemp(), f"{name}: {inside}").values()
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert describe({name: distribution})


def test_a_space_that_is_no_name_and_no_file_is_refused():
    with pytest.raises(UserError, match="neither core nor wide nor a file"):
        space_of(config_of(space="wider"), RANGES)


def test_what_is_tried_first():
    config = config_of(learning_rate="0.02")
    space = space_of(config, RANGES)
    assert first_configurations(config, space) == [{"learning_rate": 0.02, "dropout": 0.0, "depth": 1}]
    assert first_configurations(config_of(enqueue="none"), space) == []


def test_own_values_outside_a_space_of_the_users_are_not_tried(tmp_path):
    config = config_of(space=write(tmp_path / "ranges.yaml", {"depth": {"low": 5, "high": 7}}))
    assert first_configurations(config, space_of(config, RANGES)) == []


@given(st.integers(0, 200))
def test_a_stepped_range_holds_what_it_can_draw_and_nothing_else(value):
    distribution = IntDistribution(16, 64, step=16)
    config = config_of(width=str(max(value, 1)))
    tried = first_configurations(config, {"width": distribution})
    assert bool(tried) == (value in {16, 32, 48, 64})


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ([{"width": 32}], "which is not searched"),
        ([{"learning_rate": 50}], "outside the space"),
        ([{"dropout": "much"}], "not a valid float"),
        ([{"dropout": None}], "one value is expected"),
        ([{"dropout": [0.1]}], "one value is expected"),
        ({"learning_rate": 0.1}, "holds no list"),
        ([0.1], "holds no list"),
    ],
)
def test_a_list_of_first_configurations_is_held_against_the_space(tmp_path, listed, words):
    config = config_of(enqueue=write(tmp_path / "first.yaml", listed))
    with pytest.raises(UserError, match=words):
        first_configurations(config, space_of(config, RANGES))


def test_a_list_of_first_configurations(tmp_path):
    listed = [{"learning_rate": 0.001, "depth": 2}, {"dropout": 0.5}]
    config = config_of(enqueue=write(tmp_path / "first.yaml", listed))
    assert first_configurations(config, space_of(config, RANGES)) == listed


ENDS = st.sampled_from(["low", "high", "log", "step"])
NUMBERS = st.integers().map(str) | st.floats().map(repr) | st.sampled_from([".inf", ".nan", "0", "1e-320", "yes", ""])
RANGE = st.lists(NUMBERS, max_size=4) | st.dictionaries(ENDS, NUMBERS | st.booleans(), max_size=4) | NUMBERS
SEARCHED = st.sampled_from([*options.TrainConfig.__dataclass_fields__, "neither"])


@given(st.dictionaries(SEARCHED, RANGE, min_size=1, max_size=4))
def test_any_file_of_ranges_is_a_space_that_can_be_drawn_from_or_refused(tmp_path_factory, ranges):
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    try:
        with warnings.catch_warnings():
            # Optuna says that it takes a range to the last of its steps.
            warnings.simplefilter("ignore", UserWarning)
            space = space_of(config_of(space=write(file, ranges)), RANGES)
            assert set(optuna.create_study().ask(space).params) == set(ranges)
    except UserError as error:
        assert str(error).isprintable()


CONFIGURATIONS = st.lists(st.dictionaries(st.sampled_from([*CORE, "width", "neither"]), RANGE, max_size=3), max_size=3)


@given(CONFIGURATIONS | RANGE)
def test_any_file_of_configurations_is_queued_or_refused(tmp_path_factory, configurations):
    file = tmp_path_factory.getbasetemp() / "first.yaml"
    config = config_of(enqueue=write(file, configurations))
    space = space_of(config, RANGES)
    try:
        assert all(set(first) <= set(space) for first in first_configurations(config, space))
    except UserError as error:
        assert str(error).isprintable()
