"""The model card of the best training: what it is for, what it learned from, and where it ends."""

import pandas as pd

from pipeline.report.contents import Facts, Paragraph, Section
from pipeline.report.differences import differing
from pipeline.report.material import SCORE, Material
from pipeline.report.wording import listed, percent, with_interval
from pipeline.tracking import StoredRun, model_address

# Classes that are named, of those that are recognised worst.
WORST = 3


def section(material: Material) -> Section:
    """Intended use, data, scores and limits of the best model."""
    found = Section("model-card", "Model card")
    run = material.best
    if run is None:
        found.missing.append("Model card: no training has finished.")
        return found
    found.blocks.append(Facts(_facts(run, material)))
    found.blocks.append(Paragraph("The sections above show the data, the scores and the mistakes in full."))
    return found


def _loaded_by(run: StoredRun) -> str:
    address = model_address(run.id)
    return f"{address} loads it" if address else "it was deleted"


def _facts(run: StoredRun, material: Material) -> list[tuple[str, str]]:
    data = run.data.get("name", "its data")
    rows = [
        ("model", f"{run.params.get('model')}, run {run.id}, {_parameters(run)}; {_loaded_by(run)}"),
        (
            "intended use",
            f"To say which class of {data} an image shows that is like those it was trained on.",
        ),
        (
            "not intended for",
            "Images of none of these classes, which get an answer too, often a certain one.",
        ),
        ("trained on", _trained_on(run, data)),
        ("scores", _scores(run, material)),
        ("limits", " ".join(_limits(run, material))),
    ]
    if machine := run.tags.get("machine"):
        rows.append(("trained with", machine))
    if registered := _registered(run, material):
        rows.append(("registered as", registered))
    return rows


def _parameters(run: StoredRun) -> str:
    return f"{int(run.params.get('params_total', 0)):,} parameters"


def _trained_on(run: StoredRun, data: str) -> str:
    images = run.data.get("profile", {}).get("train", 0)
    start = "" if run.params.get("weights", "none") == "none" else f", starting from weights {run.params['weights']}"
    digest, epochs = run.data.get("digest", "unknown"), run.params.get("epochs")
    return f"{images:,} images of {data}, digest {digest}, for {epochs} epochs{start}"


def _scores(run: StoredRun, material: Material) -> str:
    chosen_by = run.tags.get("judged_by", "val_accuracy").replace("_", " ")
    said = [f"val accuracy {percent(run.metrics[SCORE])}, in the epoch that was best by {chosen_by}"]
    if tested := material.evaluation(run, "test"):
        said.append(f"test accuracy {with_interval(tested.metrics, 'test_accuracy')}, 95 % interval")
    return "; ".join(said)


def _limits(run: StoredRun, material: Material) -> list[str]:
    """What the figures say against the model."""
    said = []
    if len(material.ranked) > 1:
        said.append(
            f"It was chosen out of {len(material.ranked)} by the validation images: its score on them is too high."
        )
    seeds = {each.params.get("seed") for each in material.ranked}
    if len(seeds) == 1 and "seed" not in differing(material.ranked):
        said.append("It was trained with one seed: another one gives another accuracy.")
    evaluation = material.evaluation(run, "test") or material.evaluation(run, "val")
    if evaluation is None:
        return [*said, "It has not been evaluated."]
    metrics = {name.partition("_")[2]: value for name, value in evaluation.metrics.items()}
    if "ece" in metrics:
        said.append(f"Its certainty is {percent(metrics['ece'])} off on average.")
    if "disturbed_accuracy" in metrics:
        said.append(f"On blurred, noisy, dark and turned images it has {percent(metrics['disturbed_accuracy'])}.")
    classes = material.table(evaluation, "per_class")
    return [*said, *([_worst(classes)] if classes is not None else [])]


def _worst(classes: pd.DataFrame) -> str:
    seen = classes[pd.to_numeric(classes["images"]) > 0].sort_values("recall", key=pd.to_numeric, kind="stable")
    named = [f"{row['class']} ({percent(float(row['recall']))})" for row in seen.head(WORST).to_dict("records")]
    return f"It recognises {listed(named)} least often."


def _registered(run: StoredRun, material: Material) -> str | None:
    for search in material.of_stage("search"):
        if search.tags.get("final_run") == run.id and "registered_model" in search.tags:
            return f"{search.tags['registered_model']}, version {search.tags.get('registered_version')}"
    return None
