"""What was asked and what was found, in three sentences."""

import numpy as np

from pipeline.evaluation.intervals import wilson
from pipeline.report.contents import Paragraph, Section
from pipeline.report.differences import differing
from pipeline.report.material import SCORE, TRAINING_STAGES, Material
from pipeline.report.wording import counted, listed, percent, short_id
from pipeline.tracking import StoredRun

# The stages that are counted, each in the singular and the plural.
STAGES = {
    "train": ("training", "trainings"),
    "search": ("search", "searches"),
    "ablate": ("ablation", "ablations"),
}


def section(material: Material) -> Section:
    """Three sentences, computed from the figures."""
    said = (_asked(material), _found(material), _how_sure(material))
    return Section("summary", "Asked and found", [Paragraph(text) for text in said])


def _asked(material: Material) -> str:
    """Which runs there are, and on which images."""
    current = [run for run in material.runs if "continued_by" not in run.tags]
    counts = {stage: sum(run.tags["stage"] == stage for run in current) for stage in STAGES}
    said = [counted(count, *STAGES[stage]) for stage, count in counts.items() if count]
    runs = listed(said) or counted(len(current), "run")
    asked = material.best or next((run for run in reversed(material.runs) if run.data), None)
    if asked is None:
        return f"Here are {runs}."
    images = asked.data.get("profile", {})
    sizes = ", ".join(f"{images[split]:,} {split}" for split in ("train", "val", "test") if split in images)
    data = asked.data.get("name", asked.params.get("data", "unnamed data"))
    return f"Asked was which class an image of {data} belongs to, with {runs}; its images are {sizes}."


def _found(material: Material) -> str:
    """The best training, and what it scored."""
    best = material.best
    if best is None:
        count = len(material.of_stage(*TRAINING_STAGES))
        return f"None of {counted(count, 'training')} has finished." if count else "Nothing was trained."
    tested = material.evaluation(best, "test")
    if tested is None:
        test = "it has not been asked about the test images"
    else:
        metrics = tested.metrics
        test = (
            f"on the test images it has {percent(metrics['test_accuracy'])}, 95 % interval "
            f"{percent(metrics['test_accuracy_low'])} to {percent(metrics['test_accuracy_high'])}, where naming the "
            f"most frequent class has {percent(metrics['test_chance_accuracy'])}"
        )
    return (
        f"The best of {counted(len(material.ranked), 'finished training')}, {_named(best, material)}, has "
        f"{percent(best.metrics[SCORE])} of the validation images right; {test}."
    )


def _how_sure(material: Material) -> str:
    """Whether the best is better than the next one by more than chance."""
    if not material.ranked:
        return "So there is no result yet."
    best, *others = material.ranked
    images = best.data.get("profile", {}).get("val", 0)
    low, high = _interval(best, images)
    if not others:
        return (
            f"With {images:,} validation images its accuracy on others like them lies between {percent(low)} and "
            f"{percent(high)} (95 % interval); there is no second training on the same data to compare it with."
        )
    points = 100 * (best.metrics[SCORE] - others[0].metrics[SCORE])
    apart = low > _interval(others[0], images)[1]
    verdict = (
        "which is more than chance: their 95 % intervals do not overlap"
        if apart
        else f"which may be chance: with {images:,} validation images their 95 % intervals overlap"
    )
    return f"The next best, {_named(others[0], material)}, has {points:.1f} points less, {verdict}."


def _interval(run: StoredRun, images: int) -> tuple[float, float]:
    """The 95 % interval of a run's validation accuracy."""
    low, high = wilson(np.array(run.metrics[SCORE] * images), np.array(images))
    return float(low), float(high)


def _named(run: StoredRun, material: Material) -> str:
    """A training by its model, its id and the first options in which it differs."""
    options = [f"{name} {values[run.id]}" for name, values in differing(material.trainings).items() if name != "model"]
    with_options = f", {', '.join(options[:3])}" if options else ""
    return f"{run.params.get('model', run.name)} ({short_id(run.id)}{with_options})"
