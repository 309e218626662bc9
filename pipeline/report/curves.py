"""Accuracy and loss by epoch."""

from pipeline.report.contents import Figure, Section
from pipeline.report.material import SCORE, Material
from pipeline.report.wording import left_out, percent, short_id

# The best trainings.
MOST_CURVES = 4
# Of the last epoch, in the words for those who do not see the figure.
LAST = ("train_accuracy", "train_loss", "val_loss")


def section(material: Material) -> Section:
    """The curves of the best trainings."""
    found = Section("curves", "Curves")
    if not material.ranked:
        found.missing.append("Curves: no training has finished.")
        return found
    left_out(found, len(material.ranked), MOST_CURVES, "Curves", "MLflow")
    for run in material.ranked[:MOST_CURVES]:
        png = material.figure(run, "curves")
        if png is None:
            found.missing.append(f"Curves of {short_id(run.id)}: the run holds none.")
            continue
        caption = f"{run.name} {short_id(run.id)}"
        reached = f"{percent(run.metrics[SCORE])} in epoch {run.metrics.get('best_epoch', 0):.0f}"
        last = ", ".join(f"{name} {run.metrics[name]:.3g}" for name in LAST if name in run.metrics)
        alt = f"Accuracy and loss by epoch. val_accuracy is highest with {reached}; in the last epoch: {last}."
        found.blocks.append(Figure(caption, alt, png))
    return found
