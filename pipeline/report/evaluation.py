"""What the best training's model answers to images that it has not seen."""

import pandas as pd

from pipeline.report.contents import Figure, Section, Table
from pipeline.report.material import Material
from pipeline.report.wording import percent, short_id, with_interval
from pipeline.tracked.descriptions import command
from pipeline.tracking import StoredRun

SPLITS = ("test", "val")
SHOWN_CLASSES = 5
SCORES = {
    "accuracy": "label is the answer",
    "top5_accuracy": "label is among the first five",
    "macro_f1": "mean F1 of the classes",
    "ece": "calibration error",
    "chance_accuracy": "naming the most frequent class",
}


def section(material: Material) -> Section:
    """The scores on both splits; classes and mistakes on the test split, or on val if that was never opened."""
    found = Section("evaluation", "Evaluation")
    best = material.best
    if best is None:
        found.missing.append("Evaluation: no training has finished.")
        return found
    evaluations = {split: run for split in SPLITS if (run := material.evaluation(best, split))}
    for split in SPLITS:
        if split not in evaluations:
            again = command("evaluate", run_id=best.id, split=split)
            found.missing.append(f"Evaluation on the {split} images: {again} makes it.")
    if not evaluations:
        return found
    found.blocks.append(_scores(evaluations, f"{best.name} {short_id(best.id)}"))
    split, run = next(iter(evaluations.items()))
    _add_classes(found, run, split, material)
    _add_mistakes(found, run, split, material)
    return found


def _scores(evaluations: dict[str, StoredRun], name: str) -> Table:
    rows = [
        [said, *(with_interval(run.metrics, f"{split}_{score}") for split, run in evaluations.items())]
        for score, said in SCORES.items()
        if any(f"{split}_{score}" in run.metrics for split, run in evaluations.items())
    ]
    caption = f"Scores of {name}, with 95 % intervals"
    return Table(caption, ["score", *evaluations], rows, frozenset(evaluations))


def _add_classes(found: Section, run: StoredRun, split: str, material: Material) -> None:
    classes = material.table(run, "per_class")
    if classes is None:
        found.missing.append(f"Best and worst classes: the evaluation on {split} has no table of them.")
        return
    seen = classes[pd.to_numeric(classes["images"]) > 0]
    ordered = seen.sort_values("recall", key=pd.to_numeric, ascending=False, kind="stable")
    if png := material.figure(run, "confusion_matrix"):
        found.blocks.append(Figure(f"Confusion matrix, {split}", _confusion_in_words(ordered, split), png))
    half = min(SHOWN_CLASSES, (len(ordered) + 1) // 2)
    worst = ordered.tail(min(SHOWN_CLASSES, len(ordered) - half)).iloc[::-1]
    for caption, chosen in ((f"Best classes, {split}", ordered.head(half)), (f"Worst classes, {split}", worst)):
        if len(chosen):
            found.blocks.append(_classes(caption, chosen))


def _classes(caption: str, classes: pd.DataFrame) -> Table:
    columns = ["class", "images", "recall (95 % interval)", "precision", "most often taken for"]
    rows = [
        [
            row["class"],
            row["images"],
            with_interval({name: float(row[name]) for name in ("recall", "recall_low", "recall_high")}, "recall"),
            percent(float(row["precision"])),
            row.get("most_often_taken_for", ""),
        ]
        for row in classes.to_dict("records")
    ]
    return Table(caption, columns, rows, frozenset(columns[1:4]))


def _confusion_in_words(ordered: pd.DataFrame, split: str) -> str:
    worst = ordered.iloc[-1]
    taken = worst.get("most_often_taken_for", "")
    said = f", most often taken for {taken}" if taken else ""
    return (
        f"What each of {len(ordered)} classes of {split} images was taken for. Recall is lowest for {worst['class']}, "
        f"{percent(float(worst['recall']))}{said}."
    )


def _add_mistakes(found: Section, run: StoredRun, split: str, material: Material) -> None:
    if png := material.figure(run, "mistakes"):
        wrong = 1 - run.metrics[f"{split}_accuracy"]
        alt = f"The mistakes that the model was surest of; {percent(wrong)} of all answers are wrong."
        found.blocks.append(Figure(f"Surest mistakes, {split}", alt, png))
    else:
        found.missing.append(f"Mistakes: the evaluation on {split} has no figure of them.")
