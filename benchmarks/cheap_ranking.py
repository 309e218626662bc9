"""Whether a search's cheap trials rank configurations as full trainings do.

    python -m benchmarks.cheap_ranking --study NAME --workdir FOLDER --epochs 12 --image_size 64 --output FOLDER

Trains configurations of a study's complete trials, spread over their ranking, in full, and gives Spearman's rank
correlation of the two val_accuracies. Each training is a part that leaves a JSON file in the output folder; a part that
is there is not repeated, and one that was interrupted goes on. It uses the MLflow store that the study's runs are in.
"""

import argparse
import functools
from pathlib import Path

import numpy as np
import optuna
from scipy.stats import spearmanr

from benchmarks.shared import part, provenance
from pipeline import tracking
from pipeline.__main__ import run
from pipeline.search.storage import open_storage, sqlite_address


def main() -> None:
    """Train what is missing, and print the table and the correlation."""
    arguments = _arguments()
    storage = open_storage(sqlite_address(arguments.workdir.absolute() / "optuna.db"))
    study = optuna.load_study(study_name=arguments.study, storage=storage)
    pairs = [
        part(arguments.output / f"trial-{trial.number:03d}.json", functools.partial(_trained, trial, arguments))
        for trial in _spread(study, arguments.configurations)
    ]
    for pair in pairs:
        print(f"{pair['trial']:>3}  cheap {pair['cheap']:.2%}  full {pair['full']:.2%}  {pair['params']}")
    correlation = spearmanr([pair["cheap"] for pair in pairs], [pair["full"] for pair in pairs])
    print(f"Spearman {correlation.statistic:.2f} over {len(pairs)} configurations, p = {correlation.pvalue:.2g}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", required=True)
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--image_size", type=int, required=True)
    parser.add_argument("--configurations", type=int, default=6)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def _spread(study: optuna.Study, count: int) -> list[optuna.trial.FrozenTrial]:
    """`count` complete trials, evenly spread from the worst to the best."""
    complete = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    ranked = sorted(complete, key=lambda trial: trial.value or 0.0)
    return [ranked[place] for place in sorted(set(np.linspace(0, len(ranked) - 1, count).round().astype(int)))]


def _trained(trial: optuna.trial.FrozenTrial, arguments: argparse.Namespace) -> dict:
    options = {"epochs": str(arguments.epochs), "image_size": str(arguments.image_size)}
    run("train", options | {"config": trial.user_attrs["run_id"], "workdir": str(arguments.workdir)})
    metrics = tracking.metrics_of(tracking.newest_run("train"))
    return {
        "trial": trial.number,
        "params": trial.params,
        "cheap": trial.value,
        "full": metrics["best_val_accuracy"],
        **provenance(),
    }


if __name__ == "__main__":
    main()
