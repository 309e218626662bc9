"""The searches: how they went, which options mattered, and what pruning saved."""

import pandas as pd

from pipeline.report.contents import Facts, Figure, Heading, Section, Table
from pipeline.report.material import Material
from pipeline.report.wording import NONE, duration, newest, number, percent, short_id, with_interval
from pipeline.tracked.descriptions import command
from pipeline.tracking import StoredRun

MOST_SEARCHES = 3
MOST_TRIALS = 10
FIGURES = {
    "optimization_history": "Validation score by trial",
    "importances": "How much each option explains of the differences between trials",
    "learning_curves": "Validation score by epoch of each trial: what was pruned, and when",
    "slice": "Validation score by the value of each option",
}
# Columns of the table of trials that are no option.
SHOWN = ["number", "state", "val_accuracy", "val_balanced_accuracy", "val_loss", "epochs"]
HIDDEN = ["full_epochs", "training_seconds", "compile_seconds", "seconds", "memory_mib", "reason", "run_id"]


def section(material: Material) -> Section:
    """The searches, without those that another one went on with."""
    found = Section("search", "Search")
    runs = [run for run in material.of_stage("search") if "continued_by" not in run.tags]
    for run in newest(found, runs, MOST_SEARCHES, "Searches", command("search")):
        _add_search(found, run, material)
    return found


def _add_search(found: Section, run: StoredRun, material: Material) -> None:
    name = f"{run.name} {short_id(run.id)}"
    found.blocks += [Heading(name), Facts(_facts(run))]
    trials = material.table(run, "trials")
    if trials is None:
        found.missing.append(f"Trials of {name}: none is over.")
        return
    metric = run.tags.get("judged_by", "val_accuracy")
    found.blocks.append(_trials(trials, metric))
    for figure, caption in FIGURES.items():
        png = material.figure(run, figure)
        if png is None:
            found.missing.append(f"{name}, {caption[0].lower()}{caption[1:]}: the run holds no such figure.")
        else:
            found.blocks.append(Figure(caption, f"{caption}, of {len(trials)} trials. {_best(trials, metric)}", png))


def _facts(run: StoredRun) -> list[tuple[str, str]]:
    metrics = run.metrics
    counts = [f"{metrics.get(f'trials_{state}', 0):.0f} {state}" for state in ("complete", "pruned", "failed")]
    saved = metrics.get("pruning_saved_seconds", 0.0)
    rows = [("trials", ", ".join(counts))]
    rows.append(
        ("pruning saved", f"{duration(1000 * saved)}, {percent(metrics.get('pruning_saved_fraction'))} of the training")
        if saved
        else ("pruning saved", "nothing: no trial was pruned")
    )
    if "best_val_accuracy" in metrics:
        trial = f"trial {metrics['best_trial']:.0f}, {_accuracies(metrics, 'best')}"
        best = {name.removeprefix("best_"): value for name, value in run.params.items() if name.startswith("best_")}
        values = [f"{name} {_shown(value)}" for name, value in best.items()]
        rows.append(("best trial", f"{trial}: {', '.join(values)}"))
    if "final_val_accuracy" in metrics:
        rows.append(
            (
                "trained in full",
                f"{_accuracies(metrics, 'final')}, test_accuracy {with_interval(metrics, 'test_accuracy')}",
            )
        )
    if "registered_model" in run.tags:
        rows.append(("registered", run.tags.get("champion_reason", run.tags["registered_model"])))
    return rows


def _accuracies(metrics: dict[str, float], which: str) -> str:
    """The accuracy, and the balanced accuracy where it is known, of the best trial or of the final training."""
    names = [name for name in ("val_accuracy", "val_balanced_accuracy") if f"{which}_{name}" in metrics]
    return ", ".join(f"{name} {percent(metrics[f'{which}_{name}'])}" for name in names)


def _trials(trials: pd.DataFrame, metric: str) -> Table:
    """The best trials with the options that were searched. metric: what they are judged by."""
    options = [name for name in trials.columns if name not in {*SHOWN, *HIDDEN}]
    ordered = trials.assign(_score=_scores(trials, metric)).sort_values(
        "_score", ascending=metric == "val_loss", kind="stable"
    )
    rows = [
        [
            row["number"],
            row["state"],
            _in_words(row["_score"], metric),
            row["epochs"],
            *(_shown(row[name]) for name in options),
        ]
        for row in ordered.head(MOST_TRIALS).to_dict("records")
    ]
    caption = f"Trials by {metric}"
    if len(trials) > MOST_TRIALS:
        caption += f": the best {MOST_TRIALS} of {len(trials)}"
    columns = ["trial", "state", metric.replace("_", " "), "epochs", *options]
    return Table(caption, columns, rows, frozenset(columns) - {"state"})


def _shown(text: str) -> str:
    try:
        return number(float(text))
    except ValueError:
        return text or NONE


def _scores(trials: pd.DataFrame, metric: str) -> pd.Series:
    """What the trials came to; not a number for one that came to nothing."""
    return pd.to_numeric(trials[metric], errors="coerce")


def _in_words(score: float, metric: str) -> str:
    if pd.isna(score):
        return NONE
    return number(score) if metric == "val_loss" else percent(score)


def _best(trials: pd.DataFrame, metric: str) -> str:
    scores = _scores(trials, metric)
    if scores.isna().all():
        return ""
    best = trials.loc[scores.idxmin() if metric == "val_loss" else scores.idxmax()]
    return f"The best is trial {best['number']} with {metric} {_in_words(float(best[metric]), metric)}."
