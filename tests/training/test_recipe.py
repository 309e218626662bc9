"""What the default model's recipe makes of few training images."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline import config as options
from pipeline import models
from pipeline.training.recipe import for_images

FOLLOWING = {"batch_size", "learning_rate", "min_crop_area", "epochs"}
MANY = 10_000


def resolved(stage="train", **typed):
    return options.resolve(
        stage,
        typed,
        recipe_of=models.recipe,
        config_of_run=dict,
        trial_budget_of=models.trial_budget,
        following_of=models.following,
    )


def values_of(config, names=FOLLOWING):
    return {name: getattr(config, name) for name in names}


@given(st.integers(MANY, 10**7))
def test_many_images_are_trained_as_the_recipe_says(images):
    config = for_images(resolved(), images)
    assert not config.undecided
    assert options.identity(config) == options.identity(resolved())
    assert values_of(config).items() <= models.recipe("resnet").items()


@given(st.integers(1, MANY - 1), st.integers(1, MANY - 1))
def test_the_fewer_images_the_more_epochs_and_never_more_work_than_many_make(images, others):
    fewer, more = (for_images(resolved(), count) for count in sorted((images, others)))
    many = models.recipe("resnet")
    assert many["epochs"] <= more.epochs <= fewer.epochs <= 10 * many["epochs"]
    assert max(images, others) * more.epochs <= many["epochs"] * MANY * 1.03  # whole epochs
    assert more.learning_rate / more.batch_size == pytest.approx(many["learning_rate"] / many["batch_size"])
    assert fewer.batch_size == more.batch_size < many["batch_size"]
    assert fewer.min_crop_area == more.min_crop_area < many["min_crop_area"]


@pytest.mark.parametrize(("images", "epochs"), [(30, 200), (100, 200), (320, 112), (2000, 45), (MANY, 20)])
def test_the_epochs_that_the_formula_gives(images, epochs):
    assert for_images(resolved(), images).epochs == epochs


def test_what_is_given_wins(tmp_path):
    own = for_images(resolved(), 320)
    for name, value in {"epochs": 7, "min_crop_area": 0.9, "learning_rate": 0.03}.items():
        assert values_of(for_images(resolved(**{name: value}), 320)) == values_of(own) | {name: value}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"epochs": 7, "batch_size": 64}), encoding="utf-8")
    config = for_images(resolved(config=str(file)), 320)
    assert (config.epochs, config.batch_size, config.min_crop_area) == (7, 64, own.min_crop_area)
    assert config.learning_rate == pytest.approx(2 * own.learning_rate)


@pytest.mark.parametrize("batch_size", [128, 512])
def test_a_large_batch_that_is_given_has_the_rate_for_many(batch_size):
    assert for_images(resolved(batch_size=batch_size), 320).learning_rate == models.recipe("resnet")["learning_rate"]


@pytest.mark.parametrize("preset", options.PRESETS)
def test_what_a_preset_names_is_as_it_says_and_a_rate_goes_with_its_batch_size(preset):
    asked = resolved(preset=preset)
    named = asked.given & FOLLOWING
    assert values_of(for_images(asked, 320), named) == values_of(asked, named)
    assert ("learning_rate" in named) == ("batch_size" in named)


def test_a_model_whose_recipe_says_nothing_of_few_images_has_the_same_for_all():
    for model in {*options.MODELS, "MobileNetV2"} - {"resnet"}:
        assert not resolved(model=model).undecided


def test_equal_trainings_have_equal_digests_however_their_options_were_given():
    followed = for_images(resolved(), 320)
    typed = resolved(**values_of(followed))
    assert not typed.undecided
    assert options.digest(typed) == options.digest(followed) != options.digest(resolved())


@pytest.mark.parametrize(
    ("typed", "trial", "final"),
    [
        ({}, 34, 112),
        ({"epochs": 5}, 5, 5),
        ({"final_epochs": 30}, 30, 30),  # a trial is no longer than the training at the end
        ({"final_epochs": 3}, 6, 3),
        ({"preset": "best"}, 34, 80),
        ({"preset": "fast"}, 18, 18),
    ],
)
def test_both_budgets_of_a_search_follow_the_images_unless_they_are_given(typed, trial, final):
    config = for_images(resolved("search", **typed), 320)
    assert (config.epochs, config.final_epochs) == (trial, final)
    many = for_images(resolved("search", **typed), MANY)
    assert options.identity(many) == options.identity(resolved("search", **typed))


def test_a_part_of_a_configuration_has_the_part_of_what_is_undecided():
    whole = resolved("search")
    assert whole.undecided == FOLLOWING | {"final_epochs"}
    assert options.part(whole, options.TrainConfig).undecided == FOLLOWING
    assert options.part(whole, options.PreprocessConfig).undecided == frozenset()
