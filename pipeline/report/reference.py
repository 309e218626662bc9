"""The reference report's own figures and tables beside ours, where its networks were trained."""

import numpy as np
import pandas as pd

from pipeline.evaluation.intervals import wilson
from pipeline.report import published
from pipeline.report.contents import Figure, Heading, Paragraph, Section, Table
from pipeline.report.material import FINISHED, SCORE, TRAIN, Material
from pipeline.report.wording import NONE, percent, short_id, with_interval
from pipeline.tracked.descriptions import command
from pipeline.tracking import StoredRun

NETWORK, BY_HAND, RECIPE = "lenet", "lenet5-numpy", "reference"
OURS, THEIRS = "here", "report"
SIDE_BY_SIDE = ["", THEIRS, OURS]


def section(material: Material) -> Section:
    """The report's network and its LeNet-5 written by hand, each beside the best training of the same here."""
    found = Section("reference", "Beside the reference report")
    ours, by_hand = _best(material, NETWORK), _best(material, BY_HAND)
    if ours is None:
        again = command("train", preset=RECIPE)
        found.missing.append(f"The reference report's network: it was not trained here; {again} trains it.")
    else:
        _add_network(found, ours, material)
    if by_hand is None:
        again = command("train", model=BY_HAND)
        found.missing.append(f"The LeNet-5 written by hand: it was not trained here; {again} trains it.")
    else:
        _add_by_hand(found, by_hand, material)
    return found


def _best(material: Material, model: str) -> StoredRun | None:
    """The best finished training of a model; one of the report's own recipe goes first."""
    runs = [
        run
        for run in material.of_stage(TRAIN)
        if run.params.get("model") == model and run.status == FINISHED and SCORE in run.metrics
    ]
    return max(runs, key=lambda run: (run.params.get("preset") == RECIPE, run.metrics[SCORE]), default=None)


def _add_network(found: Section, run: StoredRun, material: Material) -> None:
    found.blocks += [Heading(f"The network: {run.name} {short_id(run.id)}"), Paragraph(_same_data(run))]
    found.blocks.append(Table("Results", SIDE_BY_SIDE, _results(run, material), frozenset(SIDE_BY_SIDE[1:])))
    rows = [[name, value, run.params.get(name) or NONE] for name, value in published.HYPERPARAMETERS.items()]
    found.blocks.append(Table("Hyperparameters", SIDE_BY_SIDE, rows, frozenset(SIDE_BY_SIDE[1:])))
    _add_figure(found, run, "curves", "Training and validation accuracy by epoch, here", material)
    found.blocks.append(
        Table("Layers in the report", ["layers", "output", "parameters"], [list(row) for row in published.LAYERS])
    )
    layers = material.table(run, "layers")
    if layers is None:
        found.missing.append("The layers of the network as it was trained here: the run holds no table of them.")
        return
    rows = [
        [kind, output.replace("x", " × "), f"{int(parameters):,}"]
        for kind, output, parameters in layers[["kind", "output_shape", "parameters"]].values.tolist()
    ]
    found.blocks.append(Table("Layers here", ["layer", "output", "parameters"], rows, frozenset(["parameters"])))


def _same_data(run: StoredRun) -> str:
    """Whether the figures may be compared."""
    images = {split: run.data.get("profile", {}).get(split) for split in published.IMAGES}
    counts = ", ".join(f"{count:,} {split}" for split, count in images.items() if count is not None)
    theirs = ", ".join(f"{count:,} {split}" for split, count in published.IMAGES.items())
    return (
        f"The report's images are photographs of {published.CLASSES} classes ({theirs}); those here are called "
        f"{run.data.get('name', 'otherwise')} ({counts}). Accuracies on different images cannot be compared."
    )


def _results(run: StoredRun, material: Material) -> list[list[str]]:
    history = material.table(run, "history")
    rows = [["parameters", f"{published.PARAMETERS:,}", f"{int(run.params.get('params_total', 0)):,}"]]
    rows.append(["best accuracy", published.BEST_ACCURACY, _best_accuracies(history, run)])
    for epoch, accuracy in published.ON_THE_WAY.items():
        rows.append([f"val accuracy in epoch {epoch}", percent(accuracy), _in_epoch(history, epoch)])
    for split, accuracy in published.ACCURACY.items():
        evaluation = material.evaluation(run, split)
        metrics = evaluation.metrics if evaluation else {}
        loss = metrics.get(f"{split}_loss")
        rows.append([f"{split} accuracy", _reported(accuracy, split), with_interval(metrics, f"{split}_accuracy")])
        rows.append([f"{split} loss", f"{published.LOSS[split]:.4f}", NONE if loss is None else f"{loss:.4f}"])
    return rows


def _reported(accuracy: float, split: str) -> str:
    """The report's accuracy with the 95 % interval of its number of images."""
    images = published.IMAGES[split]
    low, high = wilson(np.array(round(accuracy * images)), np.array(images))
    scores = {"accuracy": accuracy, "accuracy_low": float(low), "accuracy_high": float(high)}
    return with_interval(scores, "accuracy")


def _best_accuracies(history: pd.DataFrame | None, run: StoredRun) -> str:
    best = f"{percent(run.metrics[SCORE])} validation"
    if history is None or "train_accuracy" not in history:
        return best
    return f"{percent(pd.to_numeric(history['train_accuracy']).max())} training, {best}"


def _in_epoch(history: pd.DataFrame | None, epoch: int) -> str:
    if history is None:
        return NONE
    row = history[pd.to_numeric(history["epoch"]) == epoch]
    return percent(float(row["val_accuracy"].iloc[0])) if len(row) else NONE


def _add_by_hand(found: Section, run: StoredRun, material: Material) -> None:
    found.blocks.append(Heading(f"The LeNet-5 written by hand: {run.name} {short_id(run.id)}"))
    history = material.table(run, "history")
    rows = [["training and test accuracy", published.HAND_WRITTEN, _best_accuracies(history, run)]]
    rows.append(["test accuracy", NONE, with_interval(run.metrics, "test_accuracy")])
    found.blocks.append(Table("Results", SIDE_BY_SIDE, rows, frozenset(SIDE_BY_SIDE[1:])))
    _add_figure(found, run, "loss_by_step", "Loss by step, here", material)
    _add_figure(found, run, "curves", "Accuracy by epoch, here", material)


def _add_figure(found: Section, run: StoredRun, name: str, caption: str, material: Material) -> None:
    if png := material.figure(run, name):
        alt = f"{caption}: {_best_accuracies(material.table(run, 'history'), run)} at best."
        found.blocks.append(Figure(caption, alt, png))
    else:
        found.missing.append(f"{caption}: run {short_id(run.id)} holds no such figure.")
