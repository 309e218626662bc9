"""Whether a search is worth it: samplers and pruners replayed over the grid that benchmarks/search_grid.csv holds.

    pip install keras-tuner tensorboard    # for the rival
    python -m benchmarks.search_replay --output FOLDER --figure docs/images/search-replay.png

Each method draws configurations as it would in a search, is told the grid's accuracy of the nearest one, epoch by
epoch, and pays for every epoch. What counts is the accuracy, after full training, of the configuration that looks best
so far. Each method is a part that leaves a JSON file in the output folder; a part that is there is not repeated.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, HyperbandPruner
from optuna.samplers import BaseSampler, TPESampler

from benchmarks.shared import part, provenance
from pipeline.figures import DPI
from pipeline.search.study import make_pruner, make_sampler

TABLE = Path(__file__).with_name("search_grid.csv")
WARMUP = 0.25  # that of the recipe that the grid was trained with
BUDGET = 240  # epochs
SHOWN_AT = (40, 80, 160, 240)
KERAS_TUNER = "Hyperband of KerasTuner"


@dataclass(frozen=True)
class Grid:
    """curves: (learning rates, dropouts, depths, epochs) of val_accuracy."""

    learning_rates: np.ndarray
    dropouts: np.ndarray
    depths: np.ndarray
    curves: np.ndarray

    @property
    def epochs(self) -> int:
        """The epochs of a full training."""
        return self.curves.shape[-1]

    def curve(self, params: dict) -> np.ndarray:
        """The accuracies by epoch at the point nearest to `params`."""
        rate = np.abs(np.log(self.learning_rates / params["learning_rate"])).argmin()
        dropout = np.abs(self.dropouts - params["dropout"]).argmin()
        return self.curves[rate, dropout, np.abs(self.depths - params["depth"]).argmin()]


def read_grid(path: Path) -> Grid:
    """The grid in a table of search_grid.py. A point that diverged keeps its last accuracy."""
    table = pd.read_csv(path)
    axes = [np.sort(table[name].unique()) for name in ("learning_rate", "dropout", "depth")]
    curves = np.zeros((*(len(axis) for axis in axes), int(table["epoch"].max())))
    for point, rows in table.groupby(["learning_rate", "dropout", "depth"]):
        place = tuple(int(np.searchsorted(axis, value)) for axis, value in zip(axes, point, strict=True))
        values = rows.sort_values("epoch")["val_accuracy"].to_numpy()
        curves[place] = np.pad(values, (0, curves.shape[-1] - len(values)), mode="edge")
    return Grid(*axes, curves)


# The epochs that a method trains, one after the other: the curve of the configuration, and the epoch of it.
Steps = Iterator[tuple[np.ndarray, int]]


def optuna_steps(grid: Grid, sampler: Callable[[int], BaseSampler], pruner: BasePruner) -> Steps:
    """The steps of an Optuna study. sampler: trial number -> the sampler that draws it."""
    space = {
        "learning_rate": FloatDistribution(grid.learning_rates[0], grid.learning_rates[-1], log=True),
        "dropout": FloatDistribution(grid.dropouts[0], grid.dropouts[-1]),
        "depth": IntDistribution(int(grid.depths[0]), int(grid.depths[-1])),
    }
    study = optuna.create_study(direction="maximize", pruner=pruner)
    while True:
        study.sampler = sampler(len(study.trials))
        trial = study.ask(space)
        curve = grid.curve(trial.params)
        for epoch in range(1, grid.epochs + 1):
            yield curve, epoch
            trial.report(curve[epoch - 1], epoch)
            if epoch < grid.epochs and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, curve.max())


def keras_tuner_steps(grid: Grid, seed: int) -> Steps:
    """The steps of KerasTuner's Hyperband, which continues the trainings that it promotes."""
    import keras_tuner

    space = keras_tuner.HyperParameters()
    space.Float("learning_rate", float(grid.learning_rates[0]), float(grid.learning_rates[-1]), sampling="log")
    space.Float("dropout", float(grid.dropouts[0]), float(grid.dropouts[-1]))
    space.Int("depth", int(grid.depths[0]), int(grid.depths[-1]))
    oracle = keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective("val_accuracy", "max"),
        max_epochs=grid.epochs,
        factor=3,
        hyperband_iterations=100,
        seed=seed,
        hyperparameters=space,
    )
    oracle.verbose = 0
    with tempfile.TemporaryDirectory() as folder:
        oracle._set_project_dir(folder, "replay")
        while True:
            trial = oracle.create_trial("tuner")
            values = trial.hyperparameters.values
            first, last = values.get("tuner/initial_epoch", 0), values.get("tuner/epochs", grid.epochs)
            curve = grid.curve(values)
            for epoch in range(first + 1, last + 1):
                yield curve, epoch
            oracle.update_trial(trial.trial_id, {"val_accuracy": float(curve[:last].max())}, step=last)
            trial.status = "COMPLETED"
            oracle.end_trial(trial)


def chosen_by_epoch(grid: Grid, steps: Steps) -> list[float]:
    """After each epoch spent, the accuracy after full training of the configuration that looks best so far."""
    seen, chosen = -1.0, 0.0
    by_epoch: list[float] = []
    for curve, epoch in steps:
        if curve[epoch - 1] > seen:
            seen, chosen = curve[epoch - 1], float(curve.max())
        by_epoch.append(chosen)
        if len(by_epoch) == BUDGET:
            return by_epoch
    raise AssertionError("a method never ends")


def methods(grid: Grid) -> dict[str, Callable[[int], Steps]]:
    """Name -> seed -> steps."""

    def ours(sampler: str, pruner: str) -> Callable[[int], Steps]:
        return lambda seed: optuna_steps(
            grid, lambda number: make_sampler(sampler, seed, number), make_pruner(pruner, grid.epochs, WARMUP)
        )

    def tpe(pruner: str | BasePruner, **arguments) -> Callable[[int], Steps]:
        made = make_pruner(pruner, grid.epochs, WARMUP) if isinstance(pruner, str) else pruner
        options = {"multivariate": True} | arguments
        return lambda seed: optuna_steps(grid, lambda number: TPESampler(seed=1000 * seed + number, **options), made)

    return {
        "TPE": ours("tpe", "none"),
        "TPE with Hyperband": ours("tpe", "hyperband"),
        "TPE with median": ours("tpe", "median"),
        "random": ours("random", "none"),
        "random with Hyperband": ours("random", "hyperband"),
        KERAS_TUNER: lambda seed: keras_tuner_steps(grid, seed),
        "TPE, 10 random trials first": tpe("none", n_startup_trials=10),
        "TPE with Hyperband, 10 random trials first": tpe("hyperband", n_startup_trials=10),
        "TPE with Hyperband, each option alone": tpe("hyperband", n_startup_trials=5, multivariate=False),
        "TPE with Hyperband from epoch 1": tpe(HyperbandPruner(1, grid.epochs, 3), n_startup_trials=5),
        "TPE with Hyperband, factor 2": tpe(HyperbandPruner(2, grid.epochs, 2), n_startup_trials=5),
    }


SHOWN = ("TPE", "TPE with Hyperband", "random", "random with Hyperband", KERAS_TUNER)


def main() -> None:
    """Replay what is missing, print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--figure", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=50)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    grid = read_grid(TABLE)
    results = {
        name: _part(name, method, grid, arguments.seeds, arguments.output) for name, method in methods(grid).items()
    }
    best = grid.curves.max()
    print(
        f"the best point of the grid: {best:.2%}; a point at random: {np.median(grid.curves.max(axis=-1)):.2%} (median)"
    )
    print(_table(results).to_string())
    _figure({name: results[name] for name in SHOWN}, best).savefig(arguments.figure)


def _part(name: str, method: Callable[[int], Steps], grid: Grid, seeds: int, output: Path) -> np.ndarray:
    """(seeds, epochs) of the accuracy chosen."""

    def replay() -> dict:
        chosen = [chosen_by_epoch(grid, method(seed)) for seed in range(seeds)]
        return {"method": name, "seeds": seeds, "chosen": chosen, **provenance()}

    return np.array(part(output / f"{name.replace(' ', '_').replace(',', '')}.json", replay)["chosen"])


def _table(results: dict[str, np.ndarray]) -> pd.DataFrame:
    """Median and quartiles of each method after some epochs."""

    def cell(values: np.ndarray) -> str:
        low, middle, high = np.percentile(values, [25, 50, 75])
        return f"{middle:.2%} ({low:.2%}-{high:.2%})"

    return pd.DataFrame(
        {
            f"{epochs} epochs": {name: cell(chosen[:, epochs - 1]) for name, chosen in results.items()}
            for epochs in SHOWN_AT
        }
    )


def _figure(results: dict[str, np.ndarray], best: float) -> Figure:
    figure = Figure(figsize=(9, 5.2), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    for number, (name, chosen) in enumerate(results.items()):
        epochs = np.arange(1, chosen.shape[1] + 1)
        low, middle, high = np.percentile(chosen, [25, 50, 75], axis=0)
        axes.plot(epochs, middle, color=f"C{number}", label=name)
        axes.fill_between(epochs, low, high, color=f"C{number}", alpha=0.15, lw=0)
    axes.axhline(best, color="grey", ls=":", label=f"best of the grid, {best:.1%}")
    seeds = next(iter(results.values())).shape[0]
    axes.set(xlabel="epochs spent", ylabel="val_accuracy, trained in full, of the choice so far")
    axes.set_title(f"median and quartiles of {seeds} seeds", fontsize=10)
    axes.set_ylim(bottom=best - 0.12, top=best + 0.005)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    main()
