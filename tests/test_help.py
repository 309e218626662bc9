import re

import pytest

from pipeline import config, models
from pipeline.__main__ import parse

OWN = {
    stage: [stage.capitalize()]
    for stage in ("evaluate", "predict", "compare", "export", "report", "search", "ablate", "diagnose", "clean")
} | {"main": ["Search"]}
TRAINING = ["Model", "Optimisation", "Augmentation"]
RECIPE, ELSE = "the model's recipe", "the model's recipe, else "
APPLICATION = "MobileNetV2"
OF_EVERY_STAGE = {field.name for field in config.fields_of(config.Config)}
# What `auto` or a folder of this machine comes to depends on the machine.
OF_THE_MACHINE = {"precision", "workdir"}


@pytest.fixture
def page(capsys):
    """A function from arguments to the help that they print."""

    def page(*arguments):
        assert parse([*arguments, "--help"]) is None
        return capsys.readouterr().out

    return page


def options_of(text):
    """Heading -> option -> what is said of it, of a stage's help."""
    sections = re.split(r"^([A-Z]\w+):\n", text, flags=re.MULTILINE)[1:]
    return {
        heading: {name: " ".join(said.split()) for name, said in re.findall(r"^  --(\w+)(.*(?:\n    .*)*)", body, re.M)}
        for heading, body in zip(sections[::2], sections[1::2], strict=True)
    }


def defaults_of(text):
    """Option -> the default that a stage's help shows, None where it shows none."""
    said = {name: said for options in options_of(text).values() for name, said in options.items()}
    found = {name: re.findall(r"\[default: (.*?)\]", words) for name, words in said.items()}
    assert all(len(each) <= 1 for each in found.values())
    return {name: each[0] if each else None for name, each in found.items()}


@pytest.mark.parametrize("stage", config.STAGES)
def test_every_option_of_a_stage_stands_once_under_a_heading(stage, page):
    shown = options_of(page(stage))
    names = [name for options in shown.values() for name in options]
    assert sorted(names) == sorted([*(field.name for field in config.fields_of(config.STAGES[stage])), "help"])
    training = (
        TRAINING if stage not in {"preprocess", "evaluate", "predict", "compare", "export", "report", "clean"} else []
    )
    data = ["Data"] if stage not in {"predict", "compare", "report", "clean"} else []
    assert [*shown] == [*OWN.get(stage, []), *data, *training, "Running"]


def test_what_is_prepared_stands_under_data(page):
    prepared = [*options_of(page("preprocess"))["Data"]]
    assert prepared == [
        each.name for each in config.fields_of(config.PreprocessConfig) if each.name not in OF_EVERY_STAGE
    ]
    assert set(prepared) <= set(options_of(page("train"))["Data"])


@pytest.mark.parametrize("stage", ["preprocess", "train", "search", "main"])
@pytest.mark.parametrize("model", [*config.MODELS, APPLICATION])
def test_the_default_that_is_shown_is_what_is_taken(stage, model, page):
    typed = {} if stage == "preprocess" else {"model": model}
    taken = config.resolve(
        stage, typed, recipe_of=models.recipe, config_of_run=dict, trial_budget_of=models.trial_budget
    )
    recipe, trial = models.recipe(model), models.trial_budget(model)
    for name, shown in defaults_of(page(stage)).items():
        if name in {*OF_THE_MACHINE, "help", "model", "study", "storage"}:
            continue
        value = getattr(taken, name)
        if shown is None:
            assert value is None
        elif shown == RECIPE:
            assert value == recipe.get(name)
        elif shown.startswith("what the model names for a search"):
            assert value == trial.get(name, recipe[name])
        elif name.startswith("final_"):
            assert value == max(recipe[name[6:]], getattr(taken, name[6:]))
        elif shown.startswith(ELSE):
            assert said(value) == said(recipe.get(name, shown.removeprefix(ELSE)))
        else:
            assert said(value) == shown


def said(value):
    return str(value).lower()


def test_a_default_names_the_recipe_where_a_recipe_names_the_option(page):
    recipes = {name for model in [*config.MODELS, APPLICATION] for name in models.recipe(model)}
    shown = defaults_of(page("train"))
    assert {name for name, default in shown.items() if default and default.startswith(RECIPE)} == recipes
    assert shown["epochs"] == "the model's recipe, else 12"
    assert shown["depth"] == "the model's recipe"


def test_an_evaluation_takes_the_data_of_the_evaluated_run(page):
    shown = defaults_of(page("evaluate"))
    prepared = {field.name for field in config.fields_of(config.PreprocessConfig)} - OF_EVERY_STAGE
    assert {shown[name] for name in prepared} == {"the evaluated run's"}
    assert shown["split"] == "test"


def test_an_export_takes_the_data_of_the_exported_run(page):
    shown = defaults_of(page("export"))
    prepared = {field.name for field in config.fields_of(config.PreprocessConfig)} - OF_EVERY_STAGE
    assert {shown[name] for name in prepared} == {"the exported run's"}
    assert (shown["format"], shown["quantize"], shown["mirror_predict"]) == ("onnx", "none", "false")


def test_an_ablation_takes_what_its_ends_have(page):
    shown = defaults_of(page("ablate"))
    assert shown["learning_rate"] == shown["image_size"] == shown["model"] == "each end's own"
    assert shown["data"] == "what start or goal says, else glyphs"
    assert (shown["epochs"], shown["patience"], shown["seed"]) == ("the goal's", "the start's", "0")


def models_of(text):
    """Model -> what is said of it, whitespace aside."""
    (shown,) = text.split("Models and their recipes:\n")[1:]
    entries = re.split(r"^  (?=\S)", shown, flags=re.MULTILINE)[1:]
    known = [*config.MODELS, "a class of keras.applications"]
    joined = " ".join(" ".join(entry.split()) for entry in entries)
    parts = re.split(rf"(?:^| )({'|'.join(map(re.escape, known))}): ", joined)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("stage", ["train", "search"])
def test_help_says_what_each_model_makes_of_depth_and_what_its_recipe_is(stage, page):
    shown = models_of(page(stage))
    assert [*shown] == [*config.MODELS, "a class of keras.applications"]
    for name, words in shown.items():
        of_keras = name not in config.MODELS
        recipe = re.search(r"recipe: (.*?)(?= few images:| search:|$)", words).group(1)
        expected = models.recipe(APPLICATION if of_keras else name)
        assert sorted(recipe.split(", ")) == sorted(f"{option} {said(value)}" for option, value in expected.items())
        assert of_keras or "depth: " in words
        assert ("search: epochs " in words) == (stage == "search" and not of_keras)


def test_help_says_what_a_recipe_is_where_images_are_few(page):
    said = models_of(page("train"))["resnet"].partition(" few images: ")[2]
    below = int(re.match(r"below ([\d,]+) training images: ", said)[1].replace(",", ""))
    most = int(re.search(r"at most (\d+) times", said)[1])
    assert not models.for_images("resnet", below, 100)
    for images, factor in ((below - 1, 1), (below // 4, 2), (1, most)):
        values = models.for_images("resnet", images, 100)
        assert values.pop("epochs") == 100 * factor
        assert f"{', '.join(f'{name} {value}' for name, value in values.items())}, and sqrt({below:,} / images)" in said


def test_a_search_says_at_what_its_trials_are_trained(page):
    assert "search: epochs 6, image_size 32, depth 1 to 3, width 16 to 64" in models_of(page("search"))["resnet"]
    assert "search: " not in models_of(page("train"))["resnet"]


def test_stages_stand_in_the_order_of_work_in_whole_sentences(page):
    text = page()
    listed = text.split("Stages:\n")[1]
    assert re.findall(r"^  (\w+)  ", listed, re.MULTILINE) == [*config.STAGES]
    entries = re.findall(r"^  \w+  +(.*(?:\n    .*)*)", listed, re.MULTILINE)
    for entry, kind in zip(entries, config.STAGES.values(), strict=True):
        assert " ".join(entry.split()) == " ".join(kind.__doc__.split("\n\n")[0].split())
        assert entry.endswith(".")
        assert not entry.endswith("..")
    assert text.splitlines()[-1].startswith("  Example: python -m pipeline train")


def test_the_example_is_a_command_line_that_is_taken(page):
    arguments = page().splitlines()[-1].split("python -m pipeline ")[1].split()
    stage, typed = parse(arguments)
    assert stage == "train"
    assert {name for name, value in typed.items() if value} == {"data", "epochs"}
