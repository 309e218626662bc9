import dataclasses

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ablation.ladder import ALONE, CLIMB, COMMON, DATA, GROUPS, WITHOUT, changes, read_groups, rungs
from pipeline.config import TrainConfig, fields_of, identity
from pipeline.errors import UserError

START = TrainConfig(data="colours", learning_rate=0.1, augment="none", label_smoothing=0.0, epochs=3)
GOAL = dataclasses.replace(START, learning_rate=0.2, batch_size=32, augment="crop", seed=4, epochs=9)


def test_what_differs_is_grouped_by_what_it_is_about():
    found = changes(START, GOAL, {})
    assert [change.name for change in found] == ["augmentation", "optimizer"]
    assert found[1].start == {"learning_rate": 0.1, "batch_size": 128}
    assert found[1].goal == {"learning_rate": 0.2, "batch_size": 32}
    assert found[0].describe() == "augment none → crop"
    # One option alone says more than the name of its group.
    assert [change.title for change in found] == ["augment none → crop", "optimizer"]


def test_groups_of_the_users_come_first_and_the_rest_stays_ours():
    found = changes(START, GOAL, {"steps": ["batch_size"]})
    assert [change.name for change in found] == ["steps", "augmentation", "optimizer"]
    assert found[2].goal == {"learning_rate": 0.2}


def test_a_group_with_a_name_of_ours_takes_the_rest_of_it():
    found = changes(START, GOAL, {"optimizer": ["batch_size"]})
    assert [change.name for change in found] == ["optimizer", "augmentation"]
    assert found[0].goal == {"batch_size": 32, "learning_rate": 0.2}


def test_every_option_that_makes_a_recipe_has_a_group():
    recipe = {field.name for field in fields_of(TrainConfig) if field.metadata["identifies"]} - set(COMMON)
    grouped = [name for members in GROUPS.values() for name in members]
    assert sorted(grouped) == sorted(recipe)


def test_the_groups_are_those_of_the_documented_ladders():
    assert list(GROUPS) == ["input", "augmentation", "network", "optimizer", "targets", "arithmetic"]
    assert {name: " ".join(members) for name, members in GROUPS.items()} == {
        "input": "resize standardize",
        "augmentation": "augment mirror flips min_crop_area cutmix",
        "network": "model weights head_epochs head_learning_rate trained_body depth width dropout whiten image_size "
        "input_scale initial_scale",
        "optimizer": "optimizer learning_rate schedule warmup batch_size weight_decay",
        "targets": "label_smoothing class_weight",
        "arithmetic": "precision devices deterministic",
    }
    assert set(DATA) >= {"data", "val_fraction", "test_fraction", "data_seed", "on_error", "on_leak"}
    assert {"epochs", "patience", "preset", "test_each_epoch", "seed", *DATA} < set(COMMON)


@given(st.sets(st.sampled_from(["learning_rate", "augment", "label_smoothing", "depth", "image_size"]), min_size=1))
def test_the_climb_ends_at_the_goal_and_each_rung_changes_its_group_alone(names):
    values = {"learning_rate": 0.3, "augment": "flip", "label_smoothing": 0.2, "depth": 2, "image_size": 32}
    goal = dataclasses.replace(START, **{name: values[name] for name in names})
    found = changes(START, goal, {})
    ladder = rungs(START, found, (ALONE, WITHOUT))
    climb = [rung for rung in ladder if rung.reading == CLIMB]
    assert climb[0].config == START
    assert climb[-1].config == goal
    for before, after, change in zip(climb, climb[1:], found, strict=False):
        first, second = identity(before.config), identity(after.config)
        assert {name for name in first if first[name] != second[name]} == set(change.goal)
    for rung in ladder:
        by_name = {change.name: change for change in found}
        if rung.reading == ALONE:
            assert rung.config == dataclasses.replace(START, **by_name[rung.change].goal)
        if rung.reading == WITHOUT:
            assert rung.config == dataclasses.replace(goal, **by_name[rung.change].start)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"a": ["learningrate"]}, "a names learningrate, which does not differ"),
        ({"a": ["label_smoothing"]}, "a names label_smoothing, which does not differ"),
        ({"a": ["batch_size"], "b": ["batch_size"]}, "b names batch_size, which a has already"),
        ({"start": ["batch_size"]}, "start is the name of the first rung"),
    ],
)
def test_groups_that_do_not_fit_are_refused(groups, words):
    with pytest.raises(UserError, match=words):
        changes(START, GOAL, groups)


def test_ends_that_do_not_differ_are_refused():
    with pytest.raises(UserError, match="do not differ"):
        changes(START, dataclasses.replace(START, epochs=50, seed=3), {})


def test_more_than_six_groups_are_refused():
    values = {"learning_rate": 0.3, "batch_size": 1, "warmup": 0.0, "augment": "flip", "label_smoothing": 0.2}
    goal = dataclasses.replace(START, **values, depth=2, standardize="global")
    with pytest.raises(UserError, match="7 groups differ, 6 or fewer"):
        changes(START, goal, {name: [name] for name in values})


@pytest.mark.parametrize("content", ["- a", "a: b", "a: [", "a: [{b: c}]", "a: [~]", "~: [batch_size]"])
def test_a_file_that_holds_no_groups_is_refused(tmp_path, content):
    path = tmp_path / "groups.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"groups.yaml"):
        read_groups(str(path))


def test_a_file_of_groups(tmp_path):
    path = tmp_path / "groups.yaml"
    path.write_text(yaml.safe_dump({"steps": ["batch_size"]}), encoding="utf-8")
    assert read_groups(str(path)) == {"steps": ["batch_size"]}
    assert read_groups(None) == {}
