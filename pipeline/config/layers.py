"""How the value of an option is resolved.

It comes from, each overriding the one before: the declared default, the model's own recipe, `--preset`, `--config`, and
what the user typed. An empty value means "not given". What a recipe leaves to the number of training images is decided
later: `Config.undecided` names it.
"""

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pipeline.config.declarations import STAGES, Config, SearchConfig, TrainConfig, TrainWithinConfig, Values
from pipeline.config.places import PACKAGE, default_workdir
from pipeline.config.precision import fastest_precision
from pipeline.config.references import absolute
from pipeline.config.values import checked, options_in
from pipeline.config.yaml_files import read_yaml
from pipeline.errors import UserError, shown
from pipeline.paths import is_file, is_there, path_of


def resolve(
    stage: str,
    typed: Mapping[str, Any],
    *,
    recipe_of: Callable[[str], Values],
    config_of_run: Callable[[str], Values],
    trial_budget_of: Callable[[str], Values] = lambda model: {},
    following_of: Callable[[str], Collection[str]] = lambda model: (),
) -> Config:
    """Put the layers of values together.

    typed: values by option name, None or "" where not given; text is converted.
    recipe_of: a model's name -> its recipe. config_of_run: a run id -> the values of its config.yaml.
    trial_budget_of: a model's name -> the epochs and the image_size at which its hyperparameters are compared.
    following_of: a model's name -> the options of its recipe that follow the number of training images.
    Raises UserError if a value is refused, naming the option, the value and what is allowed.
    """
    kind = STAGES[stage]
    typed_values = checked(kind, typed, "")
    if issubclass(kind, TrainWithinConfig) and {"minutes", "epochs"} <= typed_values.keys():
        raise UserError("--minutes and --epochs both say how long to train; give one of them")
    file_values = _from_config(kind, typed_values.get("config") or _resumed(typed_values), config_of_run)
    preset_values = _from_preset(kind, (file_values | typed_values).get("preset"))
    given = preset_values | file_values | typed_values
    if "epochs" in typed_values:
        given.pop("minutes", None)
    values = _recipe(kind, given, recipe_of) | given
    of_training = issubclass(kind, TrainConfig)
    following = frozenset(following_of(given.get("model", TrainConfig.model)) if of_training else ())
    undecided = following.difference(given)
    if issubclass(kind, SearchConfig) and not _is_of_a_search(file_values):
        trial_budget = trial_budget_of(values.get("model", kind.model))
        values = _with_two_budgets(values, typed_values, trial_budget)
        if "epochs" in following:
            undecided |= _undecided_budgets(given, typed_values, trial_budget)
    if values.get("precision", "auto") == "auto" and of_training:
        values["precision"] = fastest_precision()
    return kind(**values | _absolute_paths(values), given=frozenset(given), undecided=undecided)


def _recipe(kind: type[Config], given: Values, recipe_of: Callable[[str], Values]) -> Values:
    if not issubclass(kind, TrainConfig):
        return {}
    return recipe_of(given.get("model", TrainConfig.model))


def _resumed(typed: Values) -> str | None:
    """The run that is to go on, if one is named: its options hold unless others are given."""
    resume = typed.get("resume")
    return None if resume in {None, "auto", "never"} else resume


def _is_of_a_search(values: Values) -> bool:
    return "final_epochs" in values


def _with_two_budgets(values: Values, typed: Values, trial_budget: Values) -> Values:
    """The values of a search: trials are cheap unless it is typed otherwise, the training at the end is not."""
    trial = values | trial_budget | typed
    for name in ("epochs", "image_size"):
        full = max(value.get(name, getattr(TrainConfig, name)) for value in (values, trial))
        trial.setdefault(f"final_{name}", full)
    return trial


def _undecided_budgets(given: Values, typed: Values, trial_budget: Values) -> frozenset[str]:
    """Which of both budgets follow the number of training images: a trial's unless it is typed, the full one unless
    anything says how long.
    """
    trial = {"epochs"} & trial_budget.keys() - typed.keys()
    full = {"final_epochs"} if given.keys().isdisjoint({"epochs", "final_epochs"}) else set()
    return frozenset(trial | full)


def _absolute_paths(values: Values) -> Values:
    """The folders and files among the values, as they are known from any current folder."""
    paths: Values = {"workdir": path_of(str(values.get("workdir") or default_workdir()))}
    if "data" in values:
        paths["data"] = absolute(values["data"])
    if "output" in values:
        paths["output"] = path_of(str(values["output"]))
    if values.get("exclude"):
        paths["exclude"] = str(path_of(values["exclude"]))
    # A folder called imagenet is not what --weights imagenet means.
    if values.get("weights", "none") not in ("none", "imagenet") and is_there(values["weights"]):
        paths["weights"] = str(path_of(values["weights"]))
    return paths


def _from_preset(kind: type[Config], name: str | None) -> Values:
    if name is None:
        return {}
    path = PACKAGE / "presets" / f"{name}.yaml"
    return checked(kind, options_in(read_yaml(path), str(path.absolute())), f" in preset {name}")


def _from_config(kind: type[Config], config: str | None, config_of_run: Callable[[str], Values]) -> Values:
    if config is None:
        return {}
    path = path_of(config)
    if is_file(config):
        values = options_in(read_yaml(path), str(path))
    elif path.suffix or os.sep in config:
        raise UserError(f"--config {shown(str(path))}: no such file; give a config.yaml or a run id")
    else:
        values = config_of_run(config)
    return checked(kind, values, f" in {shown(config)}")
