"""Two runs on the same images, as MLflow sees their comparison."""

import pandas as pd

from pipeline import figures, tracking
from pipeline.config import CompareConfig, EvaluateConfig
from pipeline.errors import UserError, shown
from pipeline.evaluation.class_changes import FIRST, SECOND, class_changes, differing, outcome, together
from pipeline.evaluation.comparison import SIGNIFICANT
from pipeline.tracked.data import ensure_prepared
from pipeline.tracked.evaluation import evaluated
from pipeline.tracked.model_data import data_config_of

# Classes that moved, named in the sentence.
NAMED = 3


def compare_tracked(config: CompareConfig) -> str:
    """Compare two runs' answers to the images of a split; a run that was not evaluated on it yet is.

    Returns the id of the run that holds the comparison. Raises UserError if there are no two such runs, or if they were
    asked about different images.
    """
    first, second = _two_runs(config)
    with tracking.run("compare", f"compare {first[:8]} {second[:8]} {config.split}") as run:
        run.log_params({"run_id": first, "other": second, "split": config.split})
        run.set_tags({"compared_run": first, "compared_with": second})
        answered = [tracking.predictions_of(evaluated(each, config.split, config)) for each in (first, second)]
        both = together(*answered)
        run.set_tags({"data_digest": tracking.tags_of(first).get("data_digest", "")})
        apart = differing(both)
        run.log_table("differing", apart)
        if len(apart):
            _log_images(run, apart, first, config)
        said = _log(run, both, (first, second), config.split)
    print(f"run {run.id}: {said}")
    print(f"  {tracking.run_address(run)}")
    return run.id


def _two_runs(config: CompareConfig) -> tuple[str, str]:
    """The ids of the two runs: those that are named, else the newest trainings that are finished."""
    first = config.run_id or tracking.newest_run("train")
    if config.other == first:
        raise UserError(f"--other {first}: it is compared with itself; another run is needed")
    for named in (first, config.other):
        tracking.tags_of(named or first)  # refuses what is no run before anything is evaluated
    second = config.other or tracking.run_before(first, "train")
    if second is None:
        raise UserError(f"there is no finished training before run {first} to compare it with; --other names a run")
    return first, second


def _log(run: tracking.Run, both: pd.DataFrame, runs: tuple[str, str], split: str) -> str:
    """Log the tables, the figures and the metrics; returns the result in a sentence."""
    found, classes = outcome(both), class_changes(both)
    said = sentence(found, classes, split)
    names = (f"{tracking.run_name(runs[0])} {runs[0][:8]}", f"{tracking.run_name(runs[1])} {runs[1][:8]}")
    run.log_metrics({f"{split}_{name}": value for name, value in found.items()})
    run.log_table("class_changes", classes)
    run.log_figure("class_changes", figures.class_changes(classes, names, f"{split}: the classes that moved"))
    counts = {
        "both right": int(found["both_right"]),
        f"only the {FIRST}": int(found["only_first_right"]),
        f"only the {SECOND}": int(found["only_second_right"]),
        "none": int(found["both_wrong"]),
    }
    title = f"{split}: who is right. first: {names[0]}, second: {names[1]}"
    run.log_figure("who_is_right", figures.who_is_right(counts, title))
    run.set_tags({tracking.DESCRIPTION: f"{said}\n\nfirst: {names[0]}, second: {names[1]}"})
    return said


def _log_images(run: tracking.Run, apart: pd.DataFrame, run_id: str, config: CompareConfig) -> None:
    """Log a sheet of the images that one model alone has right, if the data are here and as they were.

    apart: as `differing` gives it. run_id: the run whose data to open.
    """
    try:
        data = ensure_prepared(data_config_of(EvaluateConfig(workdir=config.workdir), run_id), run.id)
        if data.facts.digest != tracking.tags_of(run_id).get("data_digest"):
            raise UserError(f"{data.name} is not what it was when the model was trained")
    except UserError as error:
        print(f"the images that one model alone has right are not drawn: {error}")
        return
    split = data[config.split]
    places = {path: place for place, path in enumerate(split.paths)}
    drawn = apart.groupby("right", sort=True).head(figures.MOST_OF_A_MODEL)
    images = split.images[[places[path] for path in drawn["path"]]]
    title = f"{config.split}: images that one model alone has right"
    run.log_figure("differing", figures.differing(images, drawn, title))


def sentence(found: dict[str, float], classes: pd.DataFrame, split: str) -> str:
    """The comparison for a person. found: as `outcome` gives it."""
    better = "second" if found["difference"] > 0 else "first"
    verdict = f"the {better} is better" if found["mcnemar_p"] < SIGNIFICANT else "the difference may be chance"
    moved = classes[classes["p_adjusted"] < SIGNIFICANT]
    named = ", ".join(
        f"{shown(row['class'])} {100 * row['change']:+.0f}"
        for row in moved.sort_values("p").head(NAMED).to_dict("records")
    )
    of_classes = f"; {len(moved):,} classes moved by more than chance, such as (in points) {named}" if named else ""
    return (
        f"{split}_accuracy {found['first_accuracy']:.1%} of the first, {found['second_accuracy']:.1%} of the second, "
        f"{100 * found['difference']:+.1f} points (95 % interval {100 * found['difference_low']:+.1f} to "
        f"{100 * found['difference_high']:+.1f}): {found['only_first_right']:,} images are right in the first alone, "
        f"{found['only_second_right']:,} in the second alone (McNemar, p = {found['mcnemar_p']:.2g}), {verdict}"
        f"{of_classes}"
    )
