"""Whether a new model takes the alias of the best one so far in the model registry."""

import re

from pipeline import config as options
from pipeline import tracking
from pipeline.config import SearchConfig
from pipeline.evaluation.comparison import SIGNIFICANT, Comparison, compare
from pipeline.tracked.evaluation import evaluated

ALIAS = "champion"
CHAMPION, CHALLENGER = "champion", "challenger"


def register(run_id: str, config: SearchConfig, data_digest: str) -> dict[str, str]:
    """Register the model of a run, and make it the champion of its data set if it is better than the present one.

    Returns the tags that say what was decided.
    """
    name = f"{re.sub(r'[^A-Za-z0-9_.-]', '_', options.data_name(config))}-{data_digest}"
    version = tracking.register(run_id, name)
    present = tracking.holder_of(name, ALIAS)
    if present and present.run_id == run_id:
        tags, sentence = {"champion_decision": CHAMPION}, f"it has the alias {ALIAS} already"
    else:
        tags, sentence = _decided(run_id, present, config)
        tracking.describe(version, tags, sentence)
        if tags["champion_decision"] == CHAMPION:
            tracking.give_alias(version, ALIAS)
    description = f"{name} version {version.version}: {sentence}"
    print(f"registered as {description}")
    return tags | {
        "registered_model": name,
        "registered_version": version.version,
        tracking.DESCRIPTION: description,
    }


def _decided(run_id: str, present: tracking.Version | None, config: SearchConfig) -> tuple[dict[str, str], str]:
    """Whether the run's model becomes the champion, as tags and as a sentence."""
    if present is None:
        return {"champion_decision": CHAMPION}, f"the first model for this data; it takes the alias {ALIAS}"
    new, old = (tracking.predictions_of(evaluated(each, "val", config)) for each in (run_id, present.run_id))
    compared = compare(new, old)
    return tags_of(compared), sentence_of(compared, f"version {present.version}")


def tags_of(compared: Comparison) -> dict[str, str]:
    """The figures of a comparison with the champion, for a model version's tags."""
    return {
        "champion_decision": CHAMPION if compared.new_is_better else CHALLENGER,
        "val_accuracy": f"{compared.new_accuracy:.4f}",
        "champion_val_accuracy": f"{compared.old_accuracy:.4f}",
        "only_this_one_right": str(compared.only_new),
        "only_champion_right": str(compared.only_old),
        "mcnemar_p": f"{compared.p:.3g}",
    }


def sentence_of(compared: Comparison, old: str) -> str:
    """The decision for a person. old: what the champion so far is called."""
    verdict = "takes the alias" if compared.new_is_better else "does not take the alias"
    return (
        f"val_accuracy {compared.new_accuracy:.2%} against {compared.old_accuracy:.2%} of {old}, on the same images: "
        f"{compared.only_new} are right here alone, {compared.only_old} there alone (McNemar, p = {compared.p:.2g}); "
        f"it {verdict} {ALIAS}, which asks for p < {SIGNIFICANT}"
    )
