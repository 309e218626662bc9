"""Whether a new model takes the alias of the best one so far in the model registry."""

import re
from collections.abc import Mapping

from pipeline import config as options
from pipeline import tracking
from pipeline.config import SearchConfig
from pipeline.evaluation.comparison import SIGNIFICANT, Comparison, compare
from pipeline.tracked.evaluation import evaluated
from pipeline.training.objective import METRICS, in_words

ALIAS = "champion"
CHAMPION, CHALLENGER = "champion", "challenger"
# The page of the registered model, in Markdown.
REGISTERED = """The best models of searches on the images of **{data}**, the same files and splits at any size.

The alias `{alias}` is of the best version: better than chance, and better than the one before it on the same validation
images. Each version's description says how that was decided.

    mlflow run . -e predict --env-manager local -P model_uri=models:/{name}@{alias} -P data=FOLDER
"""


def register(run_id: str, config: SearchConfig, metric: str, class_names: list[str]) -> dict[str, str]:
    """Register the model of a run, and make it the champion of its files and splits if it is better than the present.

    The size of the images makes no difference: the models answer for the same files. metric: what they are judged by.
    Returns the tags that say what was decided.
    """
    # A training of an earlier version knows its data by their size as well.
    trained = tracking.tags_of(run_id)
    files = trained.get("files_digest") or trained["data_digest"]
    name = tracking.registered_as("files_digest", files) or f"{_fit_for_a_name(options.data_name(config))}-{files}"
    version = tracking.register(run_id, name, {"files_digest": files})
    tracking.describe_registered(name, REGISTERED.format(data=options.data_name(config), name=name, alias=ALIAS))
    present = _present(name)
    if present and present.run_id == run_id:
        tags, sentence = {"champion_decision": CHAMPION}, f"it has the alias {ALIAS} already"
    else:
        tags, sentence = _decided(run_id, present, config, metric, class_names)
        tracking.describe(version, tags, sentence)
        if tags["champion_decision"] == CHAMPION:
            tracking.give_alias(version, ALIAS)
    description = f"{name} version {version.version}: {sentence}"
    print(f"registered as {description}")
    return tags | {
        "registered_model": name,
        "registered_version": version.version,
        "champion_reason": description,
    }


def _fit_for_a_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def _present(name: str) -> tracking.Version | None:
    """The champion so far; None if there is none, or if its run was deleted and nothing can be asked about it."""
    held = tracking.holder_of(name, ALIAS)
    return held if held and tracking.exists(held.run_id) else None


def _decided(
    run_id: str, present: tracking.Version | None, config: SearchConfig, metric: str, class_names: list[str]
) -> tuple[dict[str, str], str]:
    """Whether the run's model becomes the champion, as tags and as a sentence."""
    evaluation = evaluated(run_id, "val", config)
    scores, predictions = tracking.metrics_of(evaluation), tracking.predictions_of(evaluation)
    if refused := at_chance(scores, metric, predictions["label"].nunique()):
        return {"champion_decision": CHALLENGER, metric: f"{scores[metric]:.4f}"}, refused
    if present is None:
        return {"champion_decision": CHAMPION}, f"the first model for this data; it takes the alias {ALIAS}"
    old = tracking.predictions_of(evaluated(present.run_id, "val", config))
    compared = compare(predictions, old, metric, class_names)
    return tags_of(compared), sentence_of(compared, f"version {present.version}")


def at_chance(scores: Mapping[str, float], metric: str, classes: int) -> str | None:
    """The refusal for a person of a model that may be no better than one answer to everything; None if it is better.

    scores: those of the evaluation on the validation images. classes: those that stand among them. A model that is
    judged by its loss is held against the accuracy of the largest class.
    """
    by_balance = metric == METRICS["balanced_accuracy"]
    name = metric if by_balance else METRICS["accuracy"]
    chance = 1 / classes if by_balance else scores["val_chance_accuracy"]
    if scores[f"{name}_low"] > chance:
        return None
    return (
        f"{name} {scores[name]:.1%} (95 % interval {scores[f'{name}_low']:.1%} to {scores[f'{name}_high']:.1%}) is not "
        f"better than chance, {chance:.1%}; it does not take the alias {ALIAS}"
    )


def tags_of(compared: Comparison) -> dict[str, str]:
    """The figures of a comparison with the champion, for a model version's tags."""
    return {
        "champion_decision": CHAMPION if compared.new_is_better else CHALLENGER,
        compared.metric: f"{compared.new:.4f}",
        f"champion_{compared.metric}": f"{compared.old:.4f}",
        "only_this_one_right": str(compared.only_new),
        "only_champion_right": str(compared.only_old),
        "champion_test": compared.test,
        "champion_p": f"{compared.p:.3g}",
    }


def sentence_of(compared: Comparison, old: str) -> str:
    """The decision for a person. old: what the champion so far is called."""
    verdict = "takes the alias" if compared.new_is_better else "does not take the alias"
    new, before = (in_words(value, compared.metric) for value in (compared.new, compared.old))
    return (
        f"{compared.metric} {new} against {before} of {old}, on the same images: {compared.only_new} are right here "
        f"alone, {compared.only_old} there alone ({compared.test}, p = {compared.p:.2g}); it {verdict} {ALIAS}, which "
        f"asks for p < {SIGNIFICANT}"
    )
